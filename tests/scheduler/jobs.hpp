// jobs.hpp: tasks for tests of the scheduler alone: no process, no mailbox.
//
// A job's code is a function that runs once on a runner. It may rest, which keeps its stack, and
// somebody's `wake` lets it go on. One word says who owes whom a turn, as an inbox does for a
// process.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "scheduler/pool.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::scheduler {

struct Work : Task {
  enum : int { owned, woken, resting };

  std::function<void()> code;
  std::atomic<int> word{owned};
  std::atomic<bool> is_done{false};
};

inline Work& this_work() {
  return static_cast<Work&>(*Thread::current()->task());
}

// Inside the runtime, on the job's own stack: until somebody has called wake.
inline void rest() {
  Thread::park();
}

inline void wake(Pool& pool, Work& work) {
  if (work.word.exchange(Work::woken) == Work::resting) {
    work.word = Work::owned;
    if (Thread* thread = Thread::current()) {
      thread->make_runnable_next(work);
    } else {
      pool.inject(work);
    }
  }
}

inline Turn run_work(Task& task) {
  auto& work = static_cast<Work&>(task);
  Thread::current()->leave();
  work.code();
  Thread::enter();
  work.fiber = nullptr;
  Thread::current()->settle_account();
  work.is_done.store(true, std::memory_order_release);
  return Turn::over;
}

inline bool may_rest(Task& task) {
  int expected = Work::owned;
  auto& work = static_cast<Work&>(task);
  if (work.word.compare_exchange_strong(expected, Work::resting)) return true;
  work.word = Work::owned;
  return false;
}

// A pool with its jobs; the destructor waits for all of them.
class Jobs {
 public:
  explicit Jobs(unsigned schedulers) : Jobs(config(schedulers)) {}
  explicit Jobs(const Pool::Config& config) : Jobs(config, {}) {}
  // These wait in the pool before it has a thread.
  Jobs(const Pool::Config& config, const std::vector<std::function<void()>>& first) : pool(config) {
    for (const auto& code : first) start(code);
    pool.start();
  }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;
  ~Jobs() {
    wait();
    RT_CHECK(pool.stop(), "a thread that is left behind would use what is gone");
  }

  static Pool::Config config(unsigned schedulers) {
    return {.schedulers = schedulers,
            .doors = {&run_work, [](Task&, fiber::Ended) { return Turn::over; }, &may_rest},
            .clock = &base::steady_clock()};
  }

  // From a foreign thread: injected. From a job: queued where that one runs.
  Work& start(std::function<void()> code, Level level = Level::normal) {
    auto work = std::make_unique<Work>();
    work->code = std::move(code);
    work->level = level;
    Work& started = *work;
    all_.push_back(std::move(work));
    pool.inject(started);
    return started;
  }

  void wait() {
    for (const auto& work : all_) {
      while (!work->is_done.load(std::memory_order_acquire)) std::this_thread::yield();
    }
  }

  Pool pool;

 private:
  std::vector<std::unique_ptr<Work>> all_;
};

}  // namespace airssys::rt::scheduler
