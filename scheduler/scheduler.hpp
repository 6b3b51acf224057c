// scheduler.hpp: a run queue with its timers, its pools and its counters.
//
// A scheduler is what one thread drives at a time; it does nothing by itself. Thread and scheduler
// are separate, so that the monitor can hand the scheduler of a stuck thread to another one.
//
//   pick: max ▶ high ▶ run-next (while the slice lasts) ▶ normal and low; in each, the oldest.
//         Low ones have an eighth of the turns of normal ones (D7). Ahead of one of high or max
//         comes one below it that is asked for at its level (asked.hpp). Behind a long line the
//         last newborn comes before the first (nursery.hpp)
//   take in: what others have queued for all, or for this one, joins its level's queue. High and
//         max at each look at the queues; normal and low, if it comes to them, each 61st turn and
//         when hardly any is left
//   steal: when out of work, from one other scheduler, the oldest half of its queue, unless that is
//         about to be done with it anyway; a run-next slot last
//   balance: each 10 ms, of the levels that it comes to: half of what another has more (D14), or of
//         what another does not come to, for it has higher ones to run (D8). Who has work and
//         finds others asleep wakes one then
//   home: a pinned task may be wherever a task may; who picks it sends it to its own scheduler, so
//         that no queue, wake or theft looks at pins
//
// "Who runs next" is decided in pick, steal and balance and nowhere else; chance comes from random_
// alone.
// Owner: the thread that drives it, inside the runtime. Others reach in only through RunQueue,
// RunNext, the injectors, the wheel and the counters, which say for themselves who may.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/atomic.hpp"
#include "base/random.hpp"
#include "fiber/stack.hpp"
#include "scheduler/asked.hpp"
#include "scheduler/deferred_timers.hpp"
#include "scheduler/injector.hpp"
#include "scheduler/level_queue.hpp"
#include "scheduler/run_next.hpp"
#include "scheduler/task.hpp"
#include "scheduler/timer_table.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::scheduler {

class Pool;

struct Counters {
  Counter turns;       // tasks taken
  Counter reductions;  // charged, counted at the end of each turn
  Counter steals;      // times that work was taken from another scheduler
  Counter sleeps;      // times that its thread went to sleep
  Counter timers;      // timers fired
  Counter hand_overs;  // times that it was taken from a stuck thread
  Counter preempted;   // times that a process gave way without a call of its own
  Counter slept_ns;    // from going to bed to getting up again
};

// Of a scheduler's whole life; what it searched for work counts as busy.
struct Times {
  std::int64_t busy_ns;
  std::int64_t total_ns;
};

class Scheduler {
 public:
  static constexpr std::int64_t theft_ns = 50'000;  // a guess of what moving half a queue costs

  Scheduler(Pool& pool, unsigned id, std::uint64_t seed);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  unsigned id() const noexcept { return id_; }

  // The index of a level's queue, and of its injector in the pool.
  static constexpr unsigned queue_of(Level level) noexcept { return static_cast<unsigned>(level); }

  // Owner: behind all others of its level, or of that at which it is asked for.
  void push(Task& task) noexcept { queue_for(task).push(task); }
  // Owner: one that has never run.
  void push_newborn(Task& task) noexcept { queue_for(task).push_newborn(task); }
  // Owner: runs before all others of normal level, within the slice of who made it runnable. Tasks
  // of another level are pushed.
  void push_next(Task& task) noexcept {
    if (task.level != Level::normal) [[unlikely]]
      return push(task);
    if (Task* displaced = run_next_.put(task)) push(*displaced);
  }

  // Owner: the task to run now, or null. Sets `reductions` to its slice.
  Task* pick() noexcept {
    for (;;) {
      Task* task = is_turn_of_run_next() ? run_next_.take() : nullptr;
      if (!task) task = pick_among_all();
      if (!task) return nullptr;
      if (may_run(*task)) [[likely]] {
        counters.turns.add(1);
        return task;
      }
      send_home(*task);
    }
  }
  // Owner: its driver goes to bed for it, see idle.hpp, and gets up; a driver that takes over in
  // the middle gets up for it. False: it was not abed.
  void go_to_bed(std::int64_t now_ns) noexcept {
    abed_since_ns_.store(now_ns, std::memory_order_relaxed);  // relaxed: one writer; see times
  }
  bool get_up(std::int64_t now_ns) noexcept {
    // relaxed, twice: as above.
    const std::int64_t since = abed_since_ns_.load(std::memory_order_relaxed);
    if (since == up) return false;
    counters.slept_ns.add(static_cast<std::uint64_t>(now_ns - since));
    abed_since_ns_.store(up, std::memory_order_relaxed);
    return true;
  }
  // Any thread: figures.
  Times times(std::int64_t now_ns) const noexcept;

  // Owner, while it searches and has nothing itself: something from elsewhere, or null.
  // `had_stood`: it was the next to be run there, for too long.
  Task* steal(std::int64_t now_ns, bool& had_stood) noexcept;

  // Owner, now and then: takes over from a busy scheduler what that one has too much of.
  void balance(std::int64_t now_ns) noexcept;

  // Any thread: a task that is pinned to this scheduler. Its driver is owed an unpark.
  void take_home(Task& task) noexcept { homecoming_.put(task); }

  // Any thread: whether something might be here for others to take; exact only behind the fences of
  // idle.hpp.
  bool looks_empty() const noexcept;
  // Any thread: how many tasks wait here, and how many turns those of low and normal level have
  // had; figures.
  struct Waiting {
    std::uint32_t tasks = 0;
    std::uint64_t turns = 0;
    // Since then some have waited all the time, and no turn has begun.
    bool stands_since(const Waiting& then) const noexcept {
      return then.tasks != 0 && tasks != 0 && turns == then.turns;
    }
  };
  Waiting waiting() const noexcept;
  // Whether tasks that wait where `gone` have had their turns in this time are better off
  // elsewhere, though there they find their messages in another core's cache.
  static bool outlasts_a_theft(std::uint64_t tasks,
                               std::int64_t elapsed_ns,
                               std::uint64_t gone,
                               std::int64_t least_ns = theft_ns) noexcept {
    return tasks != 0 && (gone == 0 || elapsed_ns / static_cast<std::int64_t>(gone) *
                                               static_cast<std::int64_t>(tasks) >=
                                           least_ns);
  }
  // Any thread: how many tasks are queued here; a figure.
  std::uint32_t queued() const noexcept;

  TimerWheel wheel;
  DeferredTimers deferred;
  TimerTable timers;
  fiber::StackPool::Cache stacks;
  Counters counters;

  // Owner: what is left of the slice; not above zero: give way at the next safe point.
  std::int32_t reductions = slice_reductions;

 private:
  LevelQueue<Task>& queue_for(const Task& task) noexcept {
    const unsigned queue = queue_of(level_now(task));
    if (queue > normal) [[unlikely]]
      may_hold_urgent_ = true;
    return queues_[queue];
  }

  // What a thief remembers of a victim's queue of low or normal level between two looks.
  struct QueueSighting {
    std::uint32_t taken = 0;
    std::int64_t since_ns = 0;
  };

  static constexpr auto low = static_cast<unsigned>(Level::low);
  static constexpr auto normal = static_cast<unsigned>(Level::normal);
  static constexpr std::int32_t injector_turns = 61;  // a prime, so that no pattern locks onto it
  static constexpr std::size_t take_batch = 32;       // tasks from an injector at a time
  static constexpr std::uint64_t low_turns = 8;       // of a normal task, for one of a low one (D7)
  static constexpr std::uint32_t asked_looks = 64;    // tasks looked at for one that is asked for
  static constexpr std::int64_t balance_ns = 10'000'000;

  bool is_turn_of_run_next() noexcept {
    return !may_hold_urgent_ && --turns_to_injector_ > 0 && reductions > 0;
  }
  Task* pick_among_all() noexcept;
  Task* pick_above_normal() noexcept { return may_hold_urgent_ ? pick_highest() : nullptr; }
  Task* pick_highest() noexcept;
  void send_home(Task& task) noexcept;
  Task* pick_lower() noexcept;
  Task* pick_urgent(unsigned queue) noexcept;
  Task* take_asked(unsigned queue) noexcept;
  Task* take_asked_from(unsigned below, unsigned queue) noexcept;
  void take_in_urgent() noexcept;
  void take_in_lower() noexcept;
  void take_in_from(Injector<Task>& injector, Injector<Task>::Port& port) noexcept;
  bool may_run(const Task& task) const noexcept {
    return task.pinned_to == 0 || task.pinned_to == id_ + 1;
  }
  Task* steal_from(Scheduler& victim, std::int64_t now_ns, bool run_next_too) noexcept;
  bool is_worth_a_theft(const Scheduler& victim, unsigned queue, std::int64_t now_ns) noexcept;
  void even_out(Scheduler& other, unsigned queue, bool stands) noexcept;
  std::uint64_t lower_turns() const noexcept {
    return counters.turns.read() - urgent_turns_.read();
  }

  static constexpr auto never_seen = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::int64_t up = std::numeric_limits<std::int64_t>::min();

  Pool& pool_;
  const unsigned id_;
  const std::int64_t born_ns_;
  base::Atomic<std::int64_t> abed_since_ns_{up};  // written by the owner
  std::array<LevelQueue<Task>, level_count> queues_;
  RunNext<Task> run_next_;
  std::array<Injector<Task>::Port, level_count> ports_;
  Injector<Task> homecoming_;
  Injector<Task>::Port homecoming_port_;
  Counter urgent_turns_;  // of high and max level, of all turns

  // Owner only.
  base::Random random_;
  std::int32_t turns_to_injector_ = injector_turns;
  bool may_hold_urgent_ = false;   // one of the queues above normal's may not be empty
  std::uint64_t low_has_due_ = 0;  // grows with each normal turn by how many low ones wait
  std::int64_t balanced_at_ns_ = 0;
  std::array<RunNext<Task>::Sighting, 128> sightings_{};
  std::array<std::array<QueueSighting, 128>, normal + 1> queue_sightings_{};
  std::array<std::uint64_t, 128> lower_turns_seen_;  // of others, when last balanced with them
};

}  // namespace airssys::rt::scheduler
