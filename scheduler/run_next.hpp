// run_next.hpp: the one task that its scheduler runs before all others.
//
// A message's receiver runs next on its sender's core, while the message is still in the cache:
// some 15 ns for a round trip instead of 290 across cores. A task must not wait here behind a long
// slice while others are idle, nor be snatched away at once, which would make every such receiver
// travel. So thieves may take it, last, and only once they have seen it stand for some time. That
// is seldom, and a message's way comes by here twice; so the owner pays a few plain instructions,
// and a thief a membarrier. Where one theft was worth while the next will be, and a membarrier
// takes 20 us on a virtual machine: after a theft the next tasks stand in the open for a while,
// where owner and thief take turns by a locked instruction each.
//
//             steal                  something stands here
//   claim_: none ────────▶ asked ──────────────────────────▶ that task: it is the thief's now
//            ▲ ▲             │ nothing does                     │
//            │ └─────────────┘                                  │
//            └────────── take it, or put another over it ───────┘
//
// States      slot_ is null or a task; puts_ counts the puts, so that two tasks that take turns
//             here are not mistaken for one that waits. claim_: none | asked = a thief, holding
//             mutex_, is about to say | the task that was stolen, until the owner learns it.
//             open_ is null or a task; tasks are put there while open_for_ is not zero
// Roles       put, take: the owner. steal: any other thread, with a Sighting it keeps per victim.
// Invariants  N1 a task leaves exactly once: to take, to a thief, or displaced by put. N2 whoever
//             changes a slot that was not empty looks at claim_ before it uses what stood there.
//             N3 slot_ and open_ are not both the owner's to take (in slot_ there may still stand
//             what was stolen), and open_ is null when open_for_ is zero: thieves raise that, the
//             owner lowers it when it has emptied open_.
// Orders      slot_, then light_fence, then claim_ | claim_, then heavy_fence, then slot_.
//             put releases, steal acquires: the thief sees the task
// Progress    put and take are wait-free unless a thief is just asking; then they wait for the
//             verdict, a membarrier long
// Not here    the clock: the thief brings its own, the owner reads none
// Proof       tests/model/run_next_model.cpp. In short: a thief reads a task after its fence.
//             The owner's change that removes it cannot have come before that fence; so it comes
//             after, and so does the owner's look at claim_, which waits for the verdict.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "base/mutex.hpp"

namespace airssys::rt::scheduler {

// `Lock` is base::Mutex; the model test brings one that its explorer can follow. After a theft the
// owner takes so many tasks out of the open itself before it hides them again.
template <class T, class Lock = base::Mutex, std::uint32_t takes_in_the_open = 64>
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
    return is_open() ? put_in_the_open(task) : change_to(&task);
  }

  // Owner: the task, or null.
  [[nodiscard]] T* take() noexcept {
    // relaxed: the owner wrote it itself.
    if (slot_.load(std::memory_order_relaxed) != nullptr) return change_to(nullptr);
    return is_open() ? take_from_the_open() : nullptr;
  }

  // A thief: the task, if the same one has been seen standing for `patience_ns`; else null, and the
  // sighting is brought up to date. `now_ns` is any clock, the same at each look.
  [[nodiscard]] T* steal(Sighting& sighting,
                         std::int64_t now_ns,
                         std::int64_t patience_ns) noexcept {
    if (is_empty()) return nullptr;
    // relaxed: a put that is missed here costs that put's task some of its patience, no more.
    const std::uint32_t puts = puts_.load(std::memory_order_relaxed);
    if (puts != sighting.puts) {
      sighting = {puts, now_ns};
      return nullptr;
    }
    if (now_ns - sighting.since_ns < patience_ns) return nullptr;
    T* task = claim_in_the_open();
    if (task == nullptr && stands_hidden()) task = claim(puts);
    // relaxed: a hint; the owner comes by it or not.
    if (task != nullptr) open_for_.store(takes_in_the_open, std::memory_order_relaxed);
    return task;
  }

  // Any thread: a look that may be out of date at once.
  [[nodiscard]] bool is_empty() const noexcept {
    // relaxed: who must not miss a put has a fence of its own: idle.hpp.
    return !stands_hidden() && open_.load(std::memory_order_relaxed) == nullptr;
  }

 private:
  static constexpr std::uintptr_t none = 0;
  static constexpr std::uintptr_t asked = 1;
  static std::uintptr_t as_word(T* task) noexcept { return reinterpret_cast<std::uintptr_t>(task); }

  // Any thread: whether something stands in slot_ that is not stolen.
  bool stands_hidden() const noexcept {
    // relaxed, twice: see is_empty; a thief's claim looks again.
    T* task = slot_.load(std::memory_order_relaxed);
    return task != nullptr && claim_.load(std::memory_order_relaxed) != as_word(task);
  }

  // Owner.
  bool is_open() const noexcept {
    return open_for_.load(std::memory_order_relaxed) != 0;  // relaxed: see steal
  }
  [[gnu::noinline]] T* put_in_the_open(T& task) noexcept {
    // relaxed: the owner wrote it itself.
    T* hidden = slot_.load(std::memory_order_relaxed) != nullptr ? change_to(nullptr) : nullptr;
    // release: hands over the task, pairs with claim_in_the_open.
    T* before = open_.exchange(&task, std::memory_order_release);
    return hidden != nullptr ? hidden : before;  // N3
  }
  [[gnu::noinline]] T* take_from_the_open() noexcept {
    // relaxed: what is there the owner has put there.
    T* task = open_.exchange(nullptr, std::memory_order_relaxed);
    if (task == nullptr) return nullptr;
    // relaxed, twice: a thief who raises it just now is overwritten, and pays another membarrier.
    open_for_.store(open_for_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return task;
  }

  // A thief.
  T* claim_in_the_open() noexcept {
    // relaxed: compared below. acquire: pairs with the release in put_in_the_open. A put that came
    // in between has not stood for long; then its task travels, which is unfair and no more.
    T* task = open_.load(std::memory_order_relaxed);
    const bool is_mine =
        task != nullptr && open_.compare_exchange_strong(
                               task, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
    return is_mine ? task : nullptr;
  }

  // Owner. What stood in the slot before, if it is still the owner's.
  T* change_to(T* task) noexcept {
    // relaxed: the owner wrote it itself.
    T* before = slot_.load(std::memory_order_relaxed);
    // release: hands over the task, pairs with claim. Weaker, and a thief runs a task that it sees
    // as it was before.
    slot_.store(task, std::memory_order_release);
    if (before == nullptr) return nullptr;
    base::light_fence();  // pairs with the heavy fence in claim
    // relaxed: the fence orders it; nothing is taken over from a thief.
    return claim_.load(std::memory_order_relaxed) == none ? before : await_verdict(before);
  }

  [[gnu::noinline]] T* await_verdict(T* before) noexcept {
    const std::lock_guard lock(mutex_);
    // relaxed, twice: under the mutex.
    if (claim_.load(std::memory_order_relaxed) != as_word(before)) return before;
    claim_.store(none, std::memory_order_relaxed);
    return nullptr;
  }

  // A thief: what stands there since so many puts, unless the owner does not yet know of the last
  // theft.
  T* claim(std::uint32_t puts) noexcept {
    const std::lock_guard lock(mutex_);
    // relaxed, twice: written under the mutex only; the fence puts the store before the look.
    if (claim_.load(std::memory_order_relaxed) != none) return nullptr;
    claim_.store(asked, std::memory_order_relaxed);
    base::heavy_fence();  // pairs with the light fence in change_to
    // acquire: pairs with the release in change_to.
    T* task = slot_.load(std::memory_order_acquire);
    // relaxed: as in steal. What was put during the fence has not stood.
    if (puts_.load(std::memory_order_relaxed) != puts) task = nullptr;
    // relaxed: the verdict is read under the mutex.
    claim_.store(as_word(task), std::memory_order_relaxed);
    return task;
  }

  // Any thread, atomic: see Orders.
  base::Atomic<T*> slot_{nullptr};
  base::Atomic<T*> open_{nullptr};
  // Written by the owner.
  base::Atomic<std::uint32_t> puts_{0};
  // Raised by thieves, lowered by the owner; an update that is lost costs a little time.
  base::Atomic<std::uint32_t> open_for_{0};
  // Written under mutex_, read by the owner.
  base::Atomic<std::uintptr_t> claim_{none};
  Lock mutex_{base::LockRank::queue};
};

}  // namespace airssys::rt::scheduler
