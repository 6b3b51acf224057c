// blocking_pool.hpp: threads for calls that block.
//
// One queue, first come first served (D17). A job finds a waiting thread, or starts one while there
// are fewer than the limit, or waits in the queue. A thread that has had nothing to do for a while
// ends, so an idle program has none; there is none before the first job either.
//
// Every job that submit accepted is called exactly once, also by stop: whether it still has
// somebody to work for is the job's own question (D19). A job that does not end can be left behind,
// with those that wait for its thread.
//
// The queue keeps order per producer, so all jobs go in through one token under the mutex, which
// also settles whether a thread must be started. `unclaimed` is raised before the job is queued: a
// thread that wants to end believes this number, not an empty queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "scheduler/concurrent_queue.hpp"

namespace airssys::rt::scheduler {

// Lies where its submitter keeps it, until it has been called.
struct Job {
  void (*call)(Job&) noexcept = nullptr;  // on a thread of the pool; the Job may end itself in it
};

class BlockingPool {
 public:
  struct Options {
    unsigned threads_max = 10;
    std::int64_t idle_ns = 10'000'000'000;  // a thread without work ends after this
  };
  struct Counters {
    unsigned threads;
    unsigned busy;
    std::size_t queued;  // not begun
    std::uint64_t finished;
  };

  explicit BlockingPool(Options options);
  ~BlockingPool();  // stops
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // False when the pool is stopping, or when the first thread cannot be started: the job is still
  // the caller's then. Any thread; does not wait, and runs no code of any job's.
  [[nodiscard]] bool submit(Job& job) noexcept;

  // Refuses new jobs, calls those that are queued, and returns when every thread has ended. False:
  // at that time of the steady clock some had not. They are left to themselves, and the pool must
  // never be destroyed. A thread has ended when its thread_local objects are gone, too, and for
  // these it waits without a limit. Not from a job. May be called again.
  [[nodiscard]] bool stop(std::int64_t until_ns = never) noexcept;
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  // The pool whose job calls, or null.
  static BlockingPool* current() noexcept;

  // Any thread, without the mutex; the numbers need not belong to one moment. What the jobs counted
  // in `finished` did happens before this returns.
  Counters counters() const noexcept;

 private:
  using Queue = moodycamel::BlockingConcurrentQueue<Job*, QueueTraits>;

  // A thread joins the one before it in its place: in the last steps of that one, destructors of
  // thread_local objects, users' code runs, for which nobody waits under the mutex.
  struct Place {
    std::thread thread;
    std::thread predecessor;
  };

  bool start_thread() noexcept;      // under mutex_
  void count_thread_out() noexcept;  // under mutex_
  // A thread's life, from here on.
  void work(std::size_t place) noexcept;
  bool may_end(std::size_t place) noexcept;
  void end_thread() noexcept;
  void begin_job() noexcept;
  void finish_job() noexcept;

  const Options options_;
  // A place's `thread` is who starts one's, under mutex_, and stop's; its `predecessor` is the
  // thread's, once that has begun.
  std::vector<Place> places_;
  Queue queue_;
  moodycamel::ProducerToken producer_;  // under mutex_

  base::Mutex mutex_{base::LockRank::queue};
  // Under mutex_.
  bool is_stopping_ = false;
  std::vector<std::size_t> vacant_;  // places of no thread, or of one that is through; last is next

  // Written under mutex_, read by anyone.
  base::Atomic<unsigned> running_{0};       // threads that have not ended
  base::Atomic<unsigned> waiting_{0};       // threads that look for a job
  base::Atomic<std::size_t> unclaimed_{0};  // jobs that no thread has taken
  base::Atomic<std::uint64_t> finished_{0};
};

}  // namespace airssys::rt::scheduler
