// level_queue.hpp: a scheduler's tasks of one level, first in, first out but for newborns,
// however many they are.
//
//   pop, thieves ◀─┬─ ring ◀── rest, for what does not fit ◀── push
//                  └─ nursery, for newborns when the rest is long ◀── push_newborn
//
// States      ring_: run_queue.hpp; rest_ and nursery_: under mutex_. rest_size_ is how many lie in
//             the rest, outside_ in both
// Roles       push, pop: the owner. steal_into, take: any other owner of such a queue, as a thief.
//             size: any thread.
// Invariants  Q1 tasks leave in the order they came, but for those of the nursery: while something
//             lies in the rest, the ring is filled from there alone, and thieves take from the rest
//             only what the ring does not hold. Q2 what is queued is within reach of thieves,
//             wherever it lies: its owner may be long in one turn, or have higher levels to run.
//             Q3 the nursery and all others have every other turn while both have somebody.
// Orders      relaxed, for both counts: they are changed under the mutex, which orders what they
//             count; an owner that reads them too high looks in vain. They are never too low for an
//             owner, who alone raises it. Who must not miss a push has a fence of its own: idle.hpp
// Progress    lock-free while the ring has room; else one short lock each
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
#include "scheduler/nursery.hpp"
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

  // Owner: one that has never run. Behind all others, unless they are too many: see nursery.hpp.
  void push_newborn(T& task) noexcept {
    if (has_no_newborns() && rest_size() < rest_max) [[likely]]
      push(task);
    else
      push_to_nursery(task);
  }

  // Owner: whose turn it is, or null.
  [[nodiscard]] T* pop() noexcept {
    if (outside() == 0) [[likely]]
      return ring_.pop();
    return pop_in_turn();
  }

  // Owner of `mine`, which is empty: takes the older half of the ring, or of the rest, or of the
  // nursery. Answers the oldest, for the caller to run; the others go into `mine`. Null: nothing
  // here.
  [[nodiscard]] T* steal_into(LevelQueue& mine) noexcept {
    if (T* task = ring_.steal_into(mine.ring_)) return task;
    std::array<T*, batch_max> batch;
    const auto others = [&batch](std::uint32_t taken) {
      return std::span(batch.data() + 1, taken - 1);
    };
    if (const std::uint32_t taken = take_from_rest(batch)) {
      for (T* task : others(taken)) mine.push(*task);
      return batch[0];
    }
    if (const std::uint32_t taken = take_from_nursery(batch)) {
      for (T* task : others(taken)) mine.push_to_nursery(*task);
      return batch[0];
    }
    return nullptr;
  }

  // A thief that has work of its own: of the older half what there is room for in `batch`.
  [[nodiscard]] std::uint32_t take(std::span<T*> batch) noexcept {
    if (const std::uint32_t taken = ring_.take(batch)) return taken;
    if (const std::uint32_t taken = take_from_rest(batch)) return taken;
    return take_from_nursery(batch);
  }

  // Any thread: a look that may be out of date at once.
  [[nodiscard]] std::uint32_t size() const noexcept { return ring_.size() + outside(); }
  // How many have left the ring and the nursery so far; see RunQueue.
  [[nodiscard]] std::uint32_t taken() const noexcept {
    return ring_.taken() + newborns_taken_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

 private:
  // With so many in the rest, newborns do not go there any more.
  static constexpr std::uint32_t rest_max = 3 * Ring::capacity;

  std::uint32_t rest_size() const noexcept {
    return rest_size_.load(std::memory_order_relaxed);  // relaxed: see Orders
  }
  std::uint32_t outside() const noexcept {
    return outside_.load(std::memory_order_relaxed);  // relaxed: see Orders
  }
  bool has_no_newborns() const noexcept { return outside() == rest_size(); }
  // Under the mutex.
  void note_sizes() noexcept {
    const auto in_rest = static_cast<std::uint32_t>(rest_.size());
    // relaxed, twice: see Orders.
    rest_size_.store(in_rest, std::memory_order_relaxed);
    outside_.store(in_rest + nursery_.size(), std::memory_order_relaxed);
  }

  void note_newborns_taken(std::uint32_t count) noexcept {
    note_sizes();
    // relaxed, twice: a figure, and the mutex is held.
    const std::uint32_t before = newborns_taken_.load(std::memory_order_relaxed);
    newborns_taken_.store(before + count, std::memory_order_relaxed);
  }

  [[gnu::noinline]] T* pop_in_turn() noexcept {
    // The two counts may be of different moments, so this is a guess: who finds nobody in the line
    // looks into the nursery, under the mutex.
    if (has_no_newborns()) {
      if (T* task = pop_oldest()) return task;
    }
    is_turn_of_newborn_ = !is_turn_of_newborn_;
    if (T* task = is_turn_of_newborn_ ? pop_newborn() : pop_oldest()) return task;
    return is_turn_of_newborn_ ? pop_oldest() : pop_newborn();
  }

  T* pop_oldest() noexcept {
    for (;;) {
      if (rest_size() != 0) refill();
      T* task = ring_.pop();
      if (task != nullptr || rest_size() == 0) return task;
    }
  }

  T* pop_newborn() noexcept {
    const std::lock_guard lock(mutex_);
    if (nursery_.is_empty()) return nullptr;  // a thief was faster
    T& task = nursery_.pop();
    note_newborns_taken(1);
    return &task;
  }

  [[gnu::noinline]] void push_to_nursery(T& task) noexcept {
    const std::lock_guard lock(mutex_);
    nursery_.push(task);
    note_sizes();
  }

  [[gnu::noinline]] void push_to_rest(T& task) noexcept {
    const std::lock_guard lock(mutex_);
    rest_.push_back(&task);
    move_to_ring();
  }

  void refill() noexcept {
    const std::lock_guard lock(mutex_);
    move_to_ring();
  }

  // Owner, under the mutex.
  void move_to_ring() noexcept {
    while (!rest_.empty() && ring_.push(*rest_.front())) rest_.pop_front();
    note_sizes();
  }

  [[gnu::noinline]] std::uint32_t take_from_rest(std::span<T*> batch) noexcept {
    if (rest_size() == 0) return 0;
    const std::lock_guard lock(mutex_);
    const std::size_t half = std::min(rest_.size() - rest_.size() / 2, batch.size());
    const auto end = rest_.begin() + static_cast<std::ptrdiff_t>(half);
    std::copy(rest_.begin(), end, batch.begin());
    rest_.erase(rest_.begin(), end);
    note_sizes();
    return static_cast<std::uint32_t>(half);
  }

  [[gnu::noinline]] std::uint32_t take_from_nursery(std::span<T*> batch) noexcept {
    if (outside() == 0) return 0;
    const std::lock_guard lock(mutex_);
    const std::uint32_t taken = nursery_.take(batch);
    note_newborns_taken(taken);
    return taken;
  }

  Ring ring_;
  std::deque<T*, base::Allocator<T*>> rest_;
  Nursery<T> nursery_;
  base::Atomic<std::uint32_t> rest_size_{0};
  base::Atomic<std::uint32_t> outside_{0};
  base::Atomic<std::uint32_t> newborns_taken_{0};
  bool is_turn_of_newborn_ = false;  // the owner's
  base::Mutex mutex_{base::LockRank::queue};
};

}  // namespace airssys::rt::scheduler
