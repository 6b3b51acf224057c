// scheduler.hpp: a run queue with its timers, its pools and its counters.
//
// A scheduler is what one thread drives at a time; it does nothing by itself. Thread and scheduler
// are separate, so that the monitor can hand the scheduler of a stuck thread to another one.
//
//   pick: max ▶ high ▶ run-next (while the slice lasts) ▶ normal and low, first in, first out
//         every 61st turn, and when at most one is left of the last: the injector first
//         before a task of high or max level: one below that is asked for at that level (asked.hpp)
//   steal: from one other scheduler, the oldest half of its queue, unless that is about to be done
//         with it anyway; a run-next slot last
//   home: a pinned task may be wherever a task may; who picks it sends it to its own scheduler, so
//         that no queue, wake or theft looks at pins. It looks there when it looks at the injector
//
// "Who runs next" is decided in pick and steal and nowhere else; chance comes from random_ alone.
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
#include "scheduler/injector.hpp"
#include "scheduler/run_next.hpp"
#include "scheduler/run_queue.hpp"
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
  // How long a task of normal level stands before thieves take it (Pool::run_next_patience_ns).
  static constexpr std::int64_t patience_ns = 5'000;

  Scheduler(Pool& pool, unsigned id, std::uint64_t seed);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  unsigned id() const noexcept { return id_; }

  // Which of the three queues, and of the pool's injectors, a level goes through.
  static unsigned queue_of(Level level) noexcept {
    return level <= Level::normal ? 0 : static_cast<unsigned>(level) - 1;
  }

  // Owner: behind all others of its level.
  void push(Task& task) noexcept;
  // Owner: the same for a task whose slice is used up. It does not pass those that were too many
  // for the queue and lie in the injector.
  void push_behind_all(Task& task) noexcept;
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

  // Any thread: a task that is pinned to this scheduler. Its driver is owed an unpark.
  void take_home(Task& task) noexcept { homecoming_.put_foreign(task); }

  // Any thread: whether something might be here for others to take; exact only behind the fences of
  // idle.hpp.
  bool looks_empty() const noexcept;
  // Any thread: whether tasks wait here, and how many turns those of low and normal level have had;
  // a figure. Two looks that are the same: some of those that wait have stood in between.
  struct Waiting {
    bool is_any = false;
    std::uint64_t turns = 0;
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };
  Waiting waiting() const noexcept {
    return {!looks_empty(), counters.turns.read() - urgent_turns_.read()};
  }
  // Any thread: how many tasks are queued here; a figure.
  std::uint32_t queued() const noexcept;

  TimerWheel wheel;
  TimerTable timers;
  fiber::StackPool::Cache stacks;
  Counters counters;

  // Owner: what is left of the slice; not above zero: give way at the next safe point.
  std::int32_t reductions = slice_reductions;

 private:
  // What a thief remembers of a victim's queue of normal level between two looks.
  struct QueueSighting {
    std::uint32_t taken = 0;
    std::int64_t since_ns = 0;
  };

  static constexpr unsigned queue_count = 3;          // low and normal share one
  static constexpr std::int32_t injector_turns = 61;  // a prime, so that no pattern locks onto it
  static constexpr std::size_t take_batch = 32;       // tasks from an injector at a time
  static constexpr std::uint8_t low_turns = 8;      // a low task runs on each 8th of its turns (D7)
  static constexpr std::uint32_t asked_looks = 64;  // tasks looked at for one that is asked for
  static constexpr std::int64_t theft_ns = 50'000;  // a guess of what moving half a queue costs

  bool is_turn_of_run_next() noexcept {
    return --turns_to_injector_ > 0 && reductions > 0 && !may_hold_urgent_;
  }
  Task* pick_among_all() noexcept;
  void send_home(Task& task) noexcept;
  Task* pick_local() noexcept;
  Task* take_fairly() noexcept;
  Task* take_asked(unsigned queue) noexcept;
  Task* take_asked_from(unsigned below, unsigned queue) noexcept;
  Task* take_injected() noexcept;
  Task* take_homecoming() noexcept;
  Task* push_all_but_first(std::span<Task* const> tasks) noexcept;
  bool may_run(const Task& task) const noexcept {
    return task.pinned_to == 0 || task.pinned_to == id_ + 1;
  }
  Task* steal_from(Scheduler& victim, std::int64_t now_ns, bool run_next_too) noexcept;
  bool outlasts_a_theft(const Scheduler& victim, std::int64_t now_ns) noexcept;

  static constexpr std::int64_t up = std::numeric_limits<std::int64_t>::min();

  Pool& pool_;
  const unsigned id_;
  const std::int64_t born_ns_;
  base::Atomic<std::int64_t> abed_since_ns_{up};  // written by the owner
  std::array<RunQueue<Task>, queue_count> queues_;
  RunNext<Task> run_next_;
  std::array<Injector<Task>::Port, queue_count> ports_;
  Injector<Task> homecoming_;
  Injector<Task>::Port homecoming_port_;
  Counter urgent_turns_;  // of high and max level, of all turns

  // Owner only.
  base::Random random_;
  std::int32_t turns_to_injector_ = injector_turns;
  bool may_hold_urgent_ = false;  // one of the queues above normal's was not empty when last seen
  std::array<RunNext<Task>::Sighting, 128> sightings_{};
  std::array<QueueSighting, 128> queue_sightings_{};
};

}  // namespace airssys::rt::scheduler
