// pool.cpp: start, stop, and waking whoever sleeps.
#include "scheduler/pool.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <system_error>

#include "base/block_cache.hpp"
#include "scheduler/monitor.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::scheduler {

Pool::Pool(const Config& config)
    : doors(config.doors),
      clock(*config.clock),
      spin_ns(config.spin_ns),
      idle(config.schedulers),
      rotation(idle, config.hog_signal),
      blocking({.threads_max = config.blocking_threads_max}),
      threads_max_(config.schedulers + config.threads_beside_max) {
  spares_.reserve(threads_max_);  // no thread allocates to become one
  base::enable_asymmetric_fences();
  for (unsigned id = 0; id < config.schedulers; ++id)
    schedulers_.push_back(std::make_unique<Scheduler>(*this, id, config.seed + id));
}

Pool::~Pool() {
  RT_CHECK(threads_.empty() || is_stopping(), "a pool is stopped before it is destroyed");
}

void Pool::start() {
  monitor_ = std::make_unique<Monitor>(*this);
  for (auto& scheduler : schedulers_) {
    threads_.push_back(std::make_unique<Thread>(*this));
    threads_.back()->take_over(*scheduler);
  }
  monitor_->start();
}

bool Pool::stop(std::int64_t jobs_until_ns) noexcept {
  // release: whoever sees it sees what led to it.
  is_stopping_.store(true, std::memory_order_release);
  bool all_ended =
      blocking.stop(std::max(jobs_until_ns, base::steady_clock().now_ns() + stop_patience_ns));
  if (monitor_) monitor_->end();
  rotation.end();
  for (auto& thread : threads_) {
    thread->unpark();
    thread->hasten();
  }
  const std::int64_t until = base::steady_clock().now_ns() + stop_patience_ns;
  // The objects stay: a foreign thread may be about to wake one.
  for (auto& thread : threads_) all_ended = thread->join_until(until) && all_ended;
  base::BlockCache::give_all_back();
  return all_ended;
}

Thread* Pool::take_spare_thread() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!spares_.empty()) {
      Thread* spare = spares_.back();
      spares_.pop_back();
      return spare;
    }
  }
  try {
    for (auto& thread : threads_) {
      if (!thread->has_ended()) continue;
      thread->start_again();
      return thread.get();
    }
    if (threads_.size() >= threads_max_) return nullptr;
    threads_.push_back(std::make_unique<Thread>(*this));
    return threads_.back().get();
  } catch (const std::system_error&) {
    return nullptr;
  }
}

void Pool::inject(Task& task) noexcept {
  injectors[Scheduler::queue_of(task.level)].put(task);
  wake_one();
}

// The driver is unparked whether it sleeps or not: it has looked at what was sent home before, or
// its next park ends at once, and it looks. No bit of the idle set is touched, for the work is no
// searcher's to find. Under the mutex, for so it is the driver: who takes the scheduler over later
// does that behind this, and sees the task.
void Pool::send_home(Task& task) noexcept {
  const unsigned id = task.pinned_to - 1U;
  schedulers_[id]->take_home(task);
  const std::lock_guard lock(mutex_);
  // relaxed: written under the mutex.
  if (Thread* driver = drivers_[id].load(std::memory_order_relaxed)) driver->unpark();
}

void Pool::wake_sleeper() noexcept {
  const auto id = idle.pick_to_wake();
  if (!id) return;
  // acquire: pairs with the release of who made that thread the driver.
  Thread* driver = drivers_[*id].load(std::memory_order_acquire);
  // One who calls Waiters on its way out of the poller is up, and finds itself picked; if it was
  // robbed, who takes over finds that (Thread::get_up).
  if (driver != Thread::current()) driver->unpark();
}

void Pool::orphan() noexcept {
  is_orphaned_.store(true, std::memory_order_relaxed);  // relaxed: nobody else is there
  poller.orphan();
  Thread* thread = Thread::current();
  if (thread && &thread->pool() == this) thread->orphan();
}

void Pool::end_forked_child() noexcept {
  constexpr std::string_view sentence =
      "airssys-rt: a child made by fork cannot use its parent's runtime, for it has none of its "
      "threads: let it exec or exit, or start a runtime of its own\n";
  // Nothing is left to do when even this write fails.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
  std::abort();
}

bool Pool::has_injected() const noexcept {
  return std::ranges::any_of(injectors,
                             [](const auto& injector) { return injector.waiting() != 0; });
}

bool Pool::does_anything_stand() noexcept {
  if (reluctance.patience_ns() > Reluctance::eager_ns) return false;  // it is left to them
  std::array<Scheduler::Waiting, IdleSet::schedulers_max> before;
  bool is_any = false;
  for (unsigned id = 0; id < count(); ++id) {
    before[id] = schedulers_[id]->waiting();
    is_any = is_any || before[id].tasks != 0;
  }
  if (!is_any) return false;
  const std::int64_t until = clock.now_ns() + Reluctance::eager_ns;
  while (clock.now_ns() < until) base::spin_pause();
  for (unsigned id = 0; id < count(); ++id) {
    if (schedulers_[id]->waiting().stands_since(before[id])) return true;
  }
  return false;
}

}  // namespace airssys::rt::scheduler
