// asked.hpp: a task that somebody waits for runs at that one's level, until it has answered (D9).
//
//   ask ──▶ the task's word: how many wait, and the highest level among them ──▶ answered
//             └ pool.asked: how many tasks have such a word; 0: nobody looks at any of this
//
// A task that waits its turn below others that never stop would keep who asked it waiting as well.
// Who is asked for is queued at that level (Scheduler::push); and whoever picks a task of high or
// max level looks first whether one that is queued below is asked for at that level.
//
// States      Task::asked is: level of the highest asker (2 bits) | askers (30 bits); 0: nobody
// Roles       ask: whoever has found the task, before it sends the question. answered: whoever
//             answers the question, or could not send it; once for each ask.
// Orders      relaxed, all: figures that steer. The question itself goes through the inbox, and who
//             misses a word that was just written picks again soon.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "scheduler/task.hpp"

namespace airssys::rt::scheduler {

using AskedCount = base::Atomic<std::uint32_t>;

inline constexpr unsigned askers_bits = 30;
inline constexpr std::uint32_t askers_field = (1U << askers_bits) - 1;

// The level at which the task is to run.
inline Level level_now(const Task& task) noexcept {
  // relaxed: see Orders.
  const std::uint32_t word = task.asked.load(std::memory_order_relaxed);
  return std::max(task.level, static_cast<Level>(word >> askers_bits));
}

inline void ask(AskedCount& tasks_asked, Task& task, Level asker) noexcept {
  // relaxed: see Orders.
  std::uint32_t word = task.asked.load(std::memory_order_relaxed);
  std::uint32_t changed = 0;
  do {
    const std::uint32_t level = std::max(word >> askers_bits, static_cast<std::uint32_t>(asker));
    changed = (level << askers_bits) | ((word & askers_field) + 1);
    // relaxed, twice: see Orders.
  } while (!task.asked.compare_exchange_weak(
      word, changed, std::memory_order_relaxed, std::memory_order_relaxed));
  // relaxed: see Orders.
  if (word == 0) tasks_asked.fetch_add(1, std::memory_order_relaxed);
}

inline void answered(AskedCount& tasks_asked, Task& task) noexcept {
  // relaxed: see Orders.
  std::uint32_t word = task.asked.load(std::memory_order_relaxed);
  std::uint32_t changed = 0;
  do {
    RT_CHECK((word & askers_field) != 0, "more answers than questions");
    changed = (word & askers_field) == 1 ? 0 : word - 1;
    // relaxed, twice: see Orders.
  } while (!task.asked.compare_exchange_weak(
      word, changed, std::memory_order_relaxed, std::memory_order_relaxed));
  // relaxed: see Orders.
  if (changed == 0) tasks_asked.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace airssys::rt::scheduler
