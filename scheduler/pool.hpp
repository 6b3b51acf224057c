// pool.hpp: all schedulers of one runtime, the threads that drive them, and what they share.
//
// What is shared: the injectors, where work from outside meets; the idle set; the poller; the
// blocking pool; stacks; grace periods; and the seams: clock and seed. A pool knows no process:
// tasks and doors are all it sees.
//
// Roles: any thread may inject, wake, count. Threads are started by `start` and by the monitor, and
// have all ended when `stop` returns.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/quiescence.hpp"
#include "fiber/stack.hpp"
#include "scheduler/blocking_pool.hpp"
#include "scheduler/idle.hpp"
#include "scheduler/injector.hpp"
#include "scheduler/keeper.hpp"
#include "scheduler/poller.hpp"
#include "scheduler/reluctance.hpp"
#include "scheduler/rotation.hpp"
#include "scheduler/scheduler.hpp"
#include "scheduler/task.hpp"
#include "scheduler/wake_ration.hpp"

namespace airssys::rt::scheduler {

class Monitor;
class Thread;

class Pool {
 public:
  static constexpr std::int64_t wake_costs_ns = 20'000;  // to wake a thread, about

  struct Config {
    unsigned schedulers = 1;
    Doors doors{};
    base::Clock* clock = nullptr;  // the seam of time
    std::uint64_t seed = 0;        // the seam of chance
    unsigned blocking_threads_max = 64;
    std::int64_t spin_ns = wake_costs_ns;  // how long one looks for work before it sleeps
    bool hog_signal = false;  // Rotation::signal has a handler that calls Thread::wait_for_turn
    // Threads beside those that drive the schedulers: hogs, spare ones, those in unannounced waits.
    // A hog that finds no other thread keeps its scheduler. Each costs some 100 KB, and services
    // are often given fewer than 5000 by the system.
    std::size_t threads_beside_max = 2048;
  };

  explicit Pool(const Config& config);  // Throws std::system_error: no descriptor for the poller.
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  void start();  // Throws std::system_error: no thread.
  // Ends all threads. Tasks that are queued stay where they are. Not from a thread of the pool.
  // False: some thread is stuck in process code and could not be ended within a second, or one is
  // in a blocking job that had not ended at the given time (of the steady clock), if that is later;
  // the pool, and all that its tasks refer to, must never be destroyed then.
  [[nodiscard]] bool stop(std::int64_t jobs_until_ns = BlockingPool::never) noexcept;

  // From a thread that drives no scheduler: queues the task and wakes somebody for it.
  void inject(Task& task) noexcept;
  // Any thread that has picked a task which is pinned to another scheduler: it is queued there.
  void send_home(Task& task) noexcept;
  // After work has become visible: wakes one sleeper, unless somebody searches already.
  void wake_one() noexcept {
    if (idle.has_somebody_to_wake()) [[unlikely]]
      wake_sleeper();
  }

  unsigned count() const noexcept { return static_cast<unsigned>(schedulers_.size()); }
  Scheduler& scheduler(unsigned id) noexcept { return *schedulers_[id]; }
  // A searcher that goes on for longer than a wake costs is there for receivers that must not wait,
  // and they travel sooner.
  std::int64_t run_next_patience_ns() const noexcept {
    return spin_ns > wake_costs_ns ? short_patience_ns : reluctance.patience_ns();
  }
  bool is_stopping() const noexcept {
    // relaxed: whoever misses it looks again after its wake, which stop sends afterwards.
    return is_stopping_.load(std::memory_order_relaxed);
  }
  // Whether any injector might hold work; exact behind the fence of IdleSet::sleep.
  bool has_injected() const noexcept;
  // The same for the schedulers' own work: whether some waits where no turn ends for a few
  // microseconds, which this takes. Where turns end, somebody awake comes to it; so does the
  // monitor where thieves are reluctant.
  bool does_anything_stand() noexcept;

  // A child made by fork has a copy of the pool and none of its threads. Its only thread says so
  // once; from then on who wants something of the pool is refused: a sentence, and abort.
  void orphan() noexcept;
  bool is_orphaned() const noexcept {
    return is_orphaned_.load(std::memory_order_relaxed);  // relaxed: nobody else is there
  }
  void refuse_forked_child() const noexcept {
    if (is_orphaned()) [[unlikely]]
      end_forked_child();
  }

  // Fixed after construction.
  const Doors doors;
  base::Clock& clock;
  const std::int64_t spin_ns;

  base::Quiescence quiescence;
  fiber::StackPool stacks;
  std::array<Injector<Task>, level_count> injectors;
  IdleSet idle;
  WakeRation ration;
  Reluctance reluctance;
  Rotation rotation;
  Poller poller;
  Keeper keeper{poller};
  BlockingPool blocking;

  // Tasks whose answer somebody waits for: asked.hpp.
  base::Atomic<std::uint32_t> asked{0};

 private:
  static constexpr std::int64_t stop_patience_ns = 1'000'000'000;
  static constexpr std::int64_t short_patience_ns = 200;  // two looks of a searcher

  friend class Thread;
  friend class Monitor;

  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  base::Atomic<bool> is_stopping_{false};
  base::Atomic<bool> is_orphaned_{false};
  // Which thread drives a scheduler now. Written at start and by a hand-over.
  std::array<base::Atomic<Thread*>, IdleSet::schedulers_max> drivers_{};

  [[noreturn]] static void end_forked_child() noexcept;

  void wake_sleeper() noexcept;
  // The monitor: a thread that waits for a scheduler, and is nobody else's to use; maybe a new one.
  // Null: there are too many, or the system has none.
  Thread* take_spare_thread() noexcept;

  const std::size_t threads_max_;
  // Start, then the monitor, then stop. The objects stay until the end.
  std::vector<std::unique_ptr<Thread>> threads_;

  base::Mutex mutex_{base::LockRank::scheduler};
  std::vector<Thread*> spares_;  // under mutex_: wait for a scheduler

  std::unique_ptr<Monitor> monitor_;
};

}  // namespace airssys::rt::scheduler
