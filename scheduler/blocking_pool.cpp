// blocking_pool.cpp: when a thread starts, works and ends.
#include "scheduler/blocking_pool.hpp"

#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "base/os.hpp"
#include "base/this_thread.hpp"

namespace airssys::rt::scheduler {

namespace {

using base::this_thread::Slot;

// Every counter is written under the pool's mutex and read by anyone.
template <class T>
void add(base::Atomic<T>& counter, T change) noexcept {
  // relaxed, then release: the writers follow one another under the mutex; who reads a counter
  // without it sees what was done before, such as the work of a finished job.
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + change),
                std::memory_order_release);
}

template <class T>
T value(const base::Atomic<T>& counter) noexcept {
  return counter.load(std::memory_order_acquire);  // acquire: pairs with the release in add
}

}  // namespace

BlockingPool::BlockingPool(Options options)
    : options_(options), places_(options.threads_max), producer_(queue_) {
  RT_CHECK(options_.threads_max > 0, "a blocking pool may have no thread at all");
  for (std::size_t place = places_.size(); place > 0; --place) vacant_.push_back(place - 1);
}

BlockingPool::~BlockingPool() {
  static_cast<void>(stop());  // which waits for ever, if need be
}

BlockingPool* BlockingPool::current() noexcept {
  return static_cast<BlockingPool*>(base::this_thread::get(Slot::blocking_pool));
}

bool BlockingPool::submit(Job& job) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return false;
  if (value(unclaimed_) >= value(waiting_) && value(running_) < options_.threads_max &&
      !start_thread() && value(running_) == 0)
    return false;
  add<std::size_t>(unclaimed_, 1);
  RT_CHECK(queue_.enqueue(producer_, &job), "the blocking pool has no memory for a pointer");
  return true;
}

bool BlockingPool::stop(std::int64_t until_ns) noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    // Each thread takes one of these after the jobs before it. They are jobs that are claimed by
    // nobody: unclaimed_ does not count them, so a thread whose time is up may end without.
    for (unsigned i = value(running_); i > 0; --i)
      RT_CHECK(queue_.enqueue(producer_, nullptr), "the blocking pool has no memory for a pointer");
  }
  while (value(running_) != 0 && base::steady_clock().now_ns() < until_ns)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  const bool all_ended = value(running_) == 0;
  // No thread is started any more.
  for (auto& [thread, predecessor] : places_) {
    if (thread.joinable()) all_ended ? thread.join() : thread.detach();
  }
  return all_ended;
}

BlockingPool::Counters BlockingPool::counters() const noexcept {
  const unsigned running = value(running_);
  const unsigned waiting = value(waiting_);
  return {.threads = running,
          .busy = running > waiting ? running - waiting : 0,
          .queued = value(unclaimed_),
          .finished = value(finished_)};
}

bool BlockingPool::start_thread() noexcept {
  auto& [thread, predecessor] = places_[vacant_.back()];
  predecessor = std::move(thread);
  try {
    thread = std::thread(&BlockingPool::work, this, vacant_.back());
  } catch (const std::exception&) {  // the system has no thread, or no memory for one
    thread = std::move(predecessor);
    return false;
  }
  vacant_.pop_back();
  add(running_, 1U);
  add(waiting_, 1U);
  return true;
}

void BlockingPool::work(std::size_t place) noexcept {
  if (std::thread& predecessor = places_[place].predecessor; predecessor.joinable())
    predecessor.join();
  base::name_this_thread("rt-blocking");
  base::this_thread::set(Slot::blocking_pool, this);
  moodycamel::ConsumerToken consumer(queue_);
  for (;;) {
    Job* job = nullptr;
    if (!queue_.wait_dequeue_timed(consumer, job, options_.idle_ns / 1000)) {
      if (may_end(place)) return;
    } else if (job == nullptr) {
      end_thread();
      return;
    } else {
      begin_job();
      job->call(*job);  // the job may be gone now
      finish_job();
    }
  }
}

// A thread without work ends only if no job counts on it: unclaimed_ is raised before the job is in
// the queue, under the mutex under which submit saw this thread waiting.
bool BlockingPool::may_end(std::size_t place) noexcept {
  const std::lock_guard lock(mutex_);
  if (value(unclaimed_) != 0) return false;
  vacant_.insert(vacant_.begin(), place);  // last, for its thread has some last steps to do
  count_thread_out();
  return true;
}

void BlockingPool::end_thread() noexcept {
  const std::lock_guard lock(mutex_);
  count_thread_out();
}

void BlockingPool::count_thread_out() noexcept {
  add(waiting_, -1U);
  add(running_, -1U);
}

void BlockingPool::begin_job() noexcept {
  const std::lock_guard lock(mutex_);
  add(waiting_, -1U);
  add(unclaimed_, std::size_t{0} - 1);
}

void BlockingPool::finish_job() noexcept {
  const std::lock_guard lock(mutex_);
  add(waiting_, 1U);
  add(finished_, std::uint64_t{1});
}

}  // namespace airssys::rt::scheduler
