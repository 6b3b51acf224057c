// level_queue.hpp: a scheduler's tasks of one level, first in, first out, however many they are.
//
//   pop, thieves ◀── ring ◀── rest, for what does not fit ◀── push
//
// States      ring_: run_queue.hpp; rest_: under mutex_. rest_size_ is how many lie in the rest
// Roles       push, pop: the owner. steal_into, take: any other owner of such a queue, as a thief.
//             size: any thread.
// Invariants  Q1 tasks leave in the order they came: while something lies in the rest, the ring is
//             filled from there alone, and thieves take from the rest only what the ring does not
//             hold. Q2 what is queued is within reach of thieves, wherever it lies: its owner may
//             be long in one turn, or have higher levels to run.
// Orders      relaxed, for rest_size_: it is changed under the mutex, which orders what it counts;
//             an owner that reads it too high looks into an empty rest. It is never too low for an
//             owner, who alone raises it. Who must not miss a push has a fence of its own: idle.hpp
// Progress    lock-free while the ring has room; with a rest, one short lock each
// Rejected    to put what does not fit where all schedulers look: whoever was too many for a queue
//             came to a turn when those within had had all of theirs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>

#include "base/atomic.hpp"
#include "base/memory.hpp"
#include "base/mutex.hpp"
#include "scheduler/run_queue.hpp"

namespace airssys::rt::scheduler {

template <class T, class Ring = RunQueue<T>>
class LevelQueue {
 public:
  static constexpr std::uint32_t batch_max = Ring::batch_max;

  // Owner: behind all others.
  void push(T& task) noexcept {
    if (rest_size() != 0 || !ring_.push(task)) [[unlikely]]
      push_to_rest(task);
  }

  // Owner: the oldest task, or null.
  [[nodiscard]] T* pop() noexcept {
    for (;;) {
      if (rest_size() != 0) [[unlikely]]
        refill();
      T* task = ring_.pop();
      if (task != nullptr || rest_size() == 0) [[likely]]
        return task;
    }
  }

  // Owner of `mine`, which is empty: takes the older half of the ring, or of the rest. Answers the
  // oldest, for the caller to run; the others go into `mine`. Null: nothing here.
  [[nodiscard]] T* steal_into(LevelQueue& mine) noexcept {
    if (T* task = ring_.steal_into(mine.ring_)) return task;
    std::array<T*, batch_max> batch;
    const std::uint32_t taken = take_from_rest(batch);
    for (T* task : std::span(batch).first(taken).subspan(std::min(taken, 1U))) mine.push(*task);
    return taken == 0 ? nullptr : batch[0];
  }

  // A thief that has work of its own: of the older half what there is room for in `batch`.
  [[nodiscard]] std::uint32_t take(std::span<T*> batch) noexcept {
    const std::uint32_t taken = ring_.take(batch);
    return taken != 0 ? taken : take_from_rest(batch);
  }

  // Any thread: a look that may be out of date at once.
  [[nodiscard]] std::uint32_t size() const noexcept { return ring_.size() + rest_size(); }
  // How many have left the ring so far; see RunQueue.
  [[nodiscard]] std::uint32_t taken() const noexcept { return ring_.taken(); }

 private:
  std::uint32_t rest_size() const noexcept {
    return rest_size_.load(std::memory_order_relaxed);  // relaxed: see Orders
  }
  // Under the mutex.
  void note_rest_size() noexcept {
    // relaxed: see Orders.
    rest_size_.store(static_cast<std::uint32_t>(rest_.size()), std::memory_order_relaxed);
  }

  [[gnu::noinline]] void push_to_rest(T& task) noexcept {
    const std::lock_guard lock(mutex_);
    rest_.push_back(&task);
    move_to_ring();
  }

  [[gnu::noinline]] void refill() noexcept {
    const std::lock_guard lock(mutex_);
    move_to_ring();
  }

  // Owner, under the mutex.
  void move_to_ring() noexcept {
    while (!rest_.empty() && ring_.push(*rest_.front())) rest_.pop_front();
    note_rest_size();
  }

  [[gnu::noinline]] std::uint32_t take_from_rest(std::span<T*> batch) noexcept {
    if (rest_size() == 0) return 0;
    const std::lock_guard lock(mutex_);
    const std::size_t half = std::min(rest_.size() - rest_.size() / 2, batch.size());
    const auto end = rest_.begin() + static_cast<std::ptrdiff_t>(half);
    std::copy(rest_.begin(), end, batch.begin());
    rest_.erase(rest_.begin(), end);
    note_rest_size();
    return static_cast<std::uint32_t>(half);
  }

  Ring ring_;
  std::deque<T*, base::Allocator<T*>> rest_;
  base::Atomic<std::uint32_t> rest_size_{0};
  base::Mutex mutex_{base::LockRank::queue};
};

}  // namespace airssys::rt::scheduler
