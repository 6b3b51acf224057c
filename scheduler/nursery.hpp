// nursery.hpp: newborn tasks that have a thousand others before them, the last one first.
//
//                 ┌───┬───┬───┬───┬───┐
//   thieves,  ◀── │ a │ b │ c │ d │ e │ ◀── push
//   each 61st     └───┴───┴───┴───┴───┘ ──▶ all other turns
//   turn          oldest         newest
//
// Who spawns a tree does it here depth first: a branch is finished, and its memory is used again,
// before the next one is begun. First in, first out would begin all branches before it finished
// one: of a million leaves a hundred thousand nodes would wait at a time, each with a stack.
//
// Nobody is owed the order: a newborn has done nothing yet, so there is nothing that it could have
// done before another. It is owed a turn, though more are born all the time: so thieves, and each
// 61st turn, take the one that has waited longest.
//
// Roles       none of its own: its owner guards it (level_queue.hpp)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "base/memory.hpp"

namespace airssys::rt::scheduler {

template <class T>
class Nursery {
 public:
  void push(T& task) { tasks_.push_back(&task); }

  // Whose turn it is. Requires: there is one.
  T& pop() noexcept {
    const bool is_turn_of_oldest = --turns_to_oldest_ == 0;
    if (is_turn_of_oldest) turns_to_oldest_ = oldest_each;
    T* task = is_turn_of_oldest ? tasks_.front() : tasks_.back();
    is_turn_of_oldest ? tasks_.pop_front() : tasks_.pop_back();
    return *task;
  }

  // The older half, or so many of it as there is room for in `batch`, oldest first.
  std::uint32_t take(std::span<T*> batch) noexcept {
    const std::size_t half = std::min(tasks_.size() - tasks_.size() / 2, batch.size());
    const auto end = tasks_.begin() + static_cast<std::ptrdiff_t>(half);
    std::copy(tasks_.begin(), end, batch.begin());
    tasks_.erase(tasks_.begin(), end);
    return static_cast<std::uint32_t>(half);
  }

  bool is_empty() const noexcept { return tasks_.empty(); }
  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(tasks_.size()); }

 private:
  static constexpr unsigned oldest_each = 61;  // a prime, so that no pattern locks onto it

  std::deque<T*, base::Allocator<T*>> tasks_;
  unsigned turns_to_oldest_ = oldest_each;
};

}  // namespace airssys::rt::scheduler
