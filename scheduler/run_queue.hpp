// run_queue.hpp: what a scheduler will run next, in order; other schedulers may take half of it.
//
//   slots   │   │ a │ b │ c │ d │   │        head_, tail_ count for ever; slot = count % capacity
//                 ▲               ▲
//               head_           tail_        a ring: full when tail_ - head_ == capacity
//
// States      head_ = tasks ever taken, tail_ = tasks ever pushed; tasks between them are queued
// Roles       push, pop: the owner. steal_into, take: any other owner of a queue of the same kind,
//             as a thief. is_empty, size: any thread.
// Invariants  W1 a task is taken exactly once: by whoever moved head_ past it. W2 a slot is written
//             only while it is outside head_ … tail_. W3 tasks leave in the order they came.
// Orders      push releases tail_, thieves acquire it: they see the slot and the task in it. Who
//             moves head_ releases it; push acquires it: copying is over before the slot is reused;
//             thieves acquire it before they read tail_: it is never behind head_.
// Progress    lock-free: a take fails only because another one succeeded; nothing here allocates
// Not here    who sleeps and must be woken for what was pushed: idle.hpp; what does not fit:
//             level_queue.hpp
// Proof       tests/model/run_queue_model.cpp, with four slots
//
// A thief copies first and then moves head_ in one step, so it may copy slots that are being
// rewritten. It then fails, for rewriting needs a head_ that has moved on; the slots are atomics so
// that this is no data race. Half of the victim's queue is at most half a ring: who steals it into
// a queue of its own needs no more room than that, for it does so only when that is empty.
// Rejected: a stack at the owner's end (Chase-Lev). It starves what was queued first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::scheduler {

template <class T, std::uint32_t slot_count = 256>
class RunQueue {
 public:
  static constexpr std::uint32_t capacity = slot_count;
  static_assert((capacity & (capacity - 1)) == 0, "a power of two, so that counters may wrap");
  static constexpr std::uint32_t batch_max = capacity / 2;

  RunQueue() noexcept = default;
  RunQueue(const RunQueue&) = delete;
  RunQueue& operator=(const RunQueue&) = delete;

  // Owner. False: full.
  [[nodiscard]] bool push(T& task) noexcept {
    // relaxed: the owner's own word.
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    // acquire: pairs with the release of whoever moved head_; weaker, and the store below could
    // change a slot that a successful thief still copies.
    if (tail - head_.load(std::memory_order_acquire) == capacity) return false;
    // relaxed: tail_ publishes it.
    slot(tail).store(&task, std::memory_order_relaxed);
    // release: hands over the slot and the task, pairs with steal_into's acquire. Weaker, and a
    // thief takes what stood in the slot before.
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Owner: the oldest task, or null.
  [[nodiscard]] T* pop() noexcept {
    // relaxed, three times: the owner wrote tail_ itself, whoever filled the slots was the owner,
    // and a head_ that is out of date makes the compare-and-swap fail.
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    std::uint32_t head = head_.load(std::memory_order_relaxed);
    while (head != tail) {
      T* task = slot(head).load(std::memory_order_relaxed);
      // release: who reads the new head_ reads a tail_ that is no older. Weaker, and a thief that
      // finds head_ ahead of tail_ takes half a ring of nothing. relaxed on failure: as above.
      if (head_.compare_exchange_weak(
              head, head + 1, std::memory_order_release, std::memory_order_relaxed))
        return task;
    }
    return nullptr;
  }

  // Owner of `mine`, which is empty and not this queue: takes the older half, at least one task.
  // Answers the oldest, for the caller to run; the others go into `mine`. Null: nothing here.
  [[nodiscard]] T* steal_into(RunQueue& mine) noexcept {
    // relaxed: the caller's own word; nobody adds to an empty queue but its owner.
    const std::uint32_t tail = mine.tail_.load(std::memory_order_relaxed);
    // acquire: as in push, for these are pushes: the slots' last thief has finished copying.
    RT_CHECK(tail == mine.head_.load(std::memory_order_acquire), "W2: a thief has work of its own");
    T* oldest = nullptr;
    const std::uint32_t taken = take_older_half([&](std::uint32_t index, T* task) {
      // relaxed: published by tail_ below; index 0 is run, the others move up by one.
      if (index == 0)
        oldest = task;
      else
        mine.slot(tail + index - 1).store(task, std::memory_order_relaxed);
    });
    if (taken == 0) return nullptr;  // `oldest` may be from a try that failed
    // release: as in push.
    if (taken > 1) mine.tail_.store(tail + taken - 1, std::memory_order_release);
    return oldest;
  }

  // A thief that has work of its own: takes of the older half what there is room for in `batch`,
  // oldest first, in one step, and says how many it was.
  [[nodiscard]] std::uint32_t take(std::span<T*> batch) noexcept {
    return take_older_half([&](std::uint32_t index, T* task) { batch[index] = task; },
                           static_cast<std::uint32_t>(batch.size()));
  }

  // Any thread: how many tasks have ever left. What a thief sees move is being worked on.
  [[nodiscard]] std::uint32_t taken() const noexcept {
    // relaxed: a figure that steers thieves.
    return head_.load(std::memory_order_relaxed);
  }

  // Any thread: a look that may be out of date at once, but that is true of some moment of the
  // call.
  [[nodiscard]] bool is_empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::uint32_t size() const noexcept {
    // acquire: pairs with pop's release: the tail_ read next is no older. Weaker, and an empty
    // queue could look full.
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    // relaxed: who must not miss a push has a fence of its own: idle.hpp.
    return std::min(tail_.load(std::memory_order_relaxed) - head, capacity);
  }

 private:
  base::Atomic<T*>& slot(std::uint32_t count) noexcept { return slots_[count % capacity]; }

  // Calls copy(index, task) for the older half, or so many of it, counted up, until they are its
  // own.
  template <class Copy>
  std::uint32_t take_older_half(Copy copy, std::uint32_t most = batch_max) noexcept {
    // acquire: pairs with pop's release: the tail_ read next is no older. Weaker: see pop.
    std::uint32_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      // acquire: pairs with push's release. Weaker: see push.
      const std::uint32_t queued = tail_.load(std::memory_order_acquire) - head;
      if (queued == 0) return 0;
      // More than half a ring: head is out of date, and the compare-and-swap will say so.
      const std::uint32_t half = std::min({queued - queued / 2, batch_max, most});
      for (std::uint32_t i = 0; i < half; ++i) {
        // relaxed: ordered by tail_ before and by head_ after.
        copy(i, slot(head + i).load(std::memory_order_relaxed));
      }
      // release: the copying is over, pairs with push's acquire. acquire on failure: as above.
      if (head_.compare_exchange_strong(
              head, head + half, std::memory_order_release, std::memory_order_acquire))
        return half;
    }
  }

  // Any thread, atomic: see Orders. Head and tail share a line: the owner writes both at each turn,
  // and a thief needs both.
  alignas(base::cache_line_bytes) base::Atomic<std::uint32_t> head_{0};
  base::Atomic<std::uint32_t> tail_{0};
  alignas(base::cache_line_bytes) std::array<base::Atomic<T*>, capacity> slots_{};
};

}  // namespace airssys::rt::scheduler
