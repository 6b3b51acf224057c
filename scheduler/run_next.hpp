// run_next.hpp: the one task that its scheduler runs before all others.
//
// A message's receiver runs next on its sender's core, while the message is still in the cache:
// some 15 ns for a round trip instead of 290 across cores. A task must not wait here behind a long
// slice while others are idle, nor be snatched away at once, which would make every such receiver
// travel. So thieves may take it, last, and only once they have seen it stand for some time.
//
//             put                   put: the displaced one goes to the run queue
//   null ───────────▶ task ──▶ task'
//    ▲                  │
//    └── take, steal ───┘
//
// States      slot_ is null or the task; puts_ counts the puts, so that two tasks that take turns
//             here are not mistaken for one that waits
// Roles       put, take: the owner. steal: any other thread, with a Sighting it keeps per victim.
// Invariants  N1 a task leaves exactly once: to take, to steal, or displaced by put.
// Orders      put releases, steal acquires: the thief sees the task
// Progress    wait-free; a put into an empty slot and a take of nothing are plain instructions
// Not here    the clock: the thief brings its own, the owner reads none
// Proof       tests/model/run_next_model.cpp
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace airssys::rt::scheduler {

template <class T>
class RunNext {
 public:
  // What a thief remembers of one victim between two looks.
  struct Sighting {
    std::uint32_t puts = 0;
    std::int64_t since_ns = 0;
  };

  RunNext() noexcept = default;
  RunNext(const RunNext&) = delete;
  RunNext& operator=(const RunNext&) = delete;

  // Owner. Answers the task that stood here and no longer does, or null.
  [[nodiscard]] T* put(T& task) noexcept {
    // relaxed, twice: one writer; a thief who reads it late waits a little longer.
    puts_.store(puts_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    // relaxed: only the owner makes null into a task, so a null it reads stays null.
    if (slot_.load(std::memory_order_relaxed) == nullptr) {
      // release: hands over the task, pairs with steal. Weaker, and a thief runs a task that it
      // sees as it was before.
      slot_.store(&task, std::memory_order_release);
      return nullptr;
    }
    // release: as above. Nothing to acquire: what comes back was this owner's already.
    return slot_.exchange(&task, std::memory_order_release);
  }

  // Owner: the task, or null.
  [[nodiscard]] T* take() noexcept {
    // relaxed, twice: the owner put the task here itself; the exchange only decides who has it.
    if (slot_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return slot_.exchange(nullptr, std::memory_order_relaxed);
  }

  // A thief: the task, if the same one has been seen standing for `patience_ns`; else null, and the
  // sighting is brought up to date. `now_ns` is any clock, the same at each look.
  [[nodiscard]] T* steal(Sighting& sighting,
                         std::int64_t now_ns,
                         std::int64_t patience_ns) noexcept {
    // relaxed: only a guess; the compare-and-swap decides.
    T* task = slot_.load(std::memory_order_relaxed);
    // relaxed: a put that is missed here costs that put's task some of its patience, no more.
    const std::uint32_t puts = puts_.load(std::memory_order_relaxed);
    if (task == nullptr) return nullptr;
    if (puts != sighting.puts) {
      sighting = {puts, now_ns};
      return nullptr;
    }
    if (now_ns - sighting.since_ns < patience_ns) return nullptr;
    // acquire: pairs with put's release, also when the same task has been put again meanwhile.
    // relaxed on failure: nothing is used.
    const bool stolen = slot_.compare_exchange_strong(
        task, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
    return stolen ? task : nullptr;
  }

  // Any thread: a look that may be out of date at once.
  [[nodiscard]] bool is_empty() const noexcept {
    // relaxed: who must not miss a put has a fence of its own: idle.hpp.
    return slot_.load(std::memory_order_relaxed) == nullptr;
  }

 private:
  // Any thread, atomic: see Orders.
  base::Atomic<T*> slot_{nullptr};
  // Written by the owner.
  base::Atomic<std::uint32_t> puts_{0};
};

}  // namespace airssys::rt::scheduler
