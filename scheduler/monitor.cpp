// monitor.cpp: looking, and handing over.
#include "scheduler/monitor.hpp"

#include <algorithm>
#include <mutex>

#include "base/os.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::scheduler {

Monitor::Monitor(Pool& pool) : pool_(pool), sights_(pool.count()), os_thread_([this] { run(); }) {}

void Monitor::end() noexcept {
  if (!os_thread_.joinable()) return;
  is_over_.store(true, std::memory_order_release);  // release: before the unpark that shows it
  parker_.unpark();
  os_thread_.join();
}

void Monitor::run() noexcept {
  base::name_this_thread("airs-monitor");
  while (!is_over_.load(std::memory_order_acquire)) {  // acquire: pairs with end
    parker_.park_for(patience_ns() / 4);
    doze();
    const std::int64_t now = pool_.clock.now_ns();
    for (unsigned id = 0; id < pool_.count(); ++id) look_at(id, now);
    if (!spared_.empty()) demote_who_goes_on();
  }
}

// Sleeps for as long as all schedulers do.
void Monitor::doze() noexcept {
  const auto all_sleep = [this] {
    return pool_.idle.asleep() == pool_.count() &&
           !is_over_.load(std::memory_order_acquire);  // acquire: pairs with end
  };
  quiet_ticks_ = all_sleep() ? quiet_ticks_ + 1 : 0;
  if (quiet_ticks_ < ticks_to_doze) return;
  pool_.stacks.trim(stacks_kept_warm);
  // relaxed, and a seq_cst fence behind it: said before the second look; pairs with somebody_woke.
  dozes_.store(true, std::memory_order_relaxed);
  base::atomic_fence(std::memory_order_seq_cst);
  while (all_sleep()) parker_.park();
  dozes_.store(false, std::memory_order_relaxed);  // relaxed: one unpark too many is harmless
  quiet_ticks_ = 0;
  std::ranges::fill(sights_, Sight{});
}

std::int64_t Monitor::patience_ns() const noexcept {
  // relaxed: a figure that steers.
  return pool_.hogs.load(std::memory_order_relaxed) > many_hogs ? hog_among_many_ns : hog_ns;
}

void Monitor::look_at(unsigned id, std::int64_t now_ns) noexcept {
  // acquire: pairs with who made that thread the driver.
  Thread* thread = pool_.drivers_[id].load(std::memory_order_acquire);
  if (!thread || pool_.idle.is_asleep(id)) {
    sights_[id] = {};
    return;
  }
  Sight& sight = sights_[id];
  const std::uint64_t turns = pool_.scheduler(id).counters.turns.read();
  if (sight.thread != thread || sight.turns != turns || sight.cpu_ns < 0) {
    sight = {thread, turns, base::cpu_time_ns(thread->cpu_clock()), now_ns};
  } else if (is_hog(sight)) {
    hand_over(id, *thread, true);
  } else if (is_blocked(sight, now_ns)) {
    hand_over(id, *thread, false);
  } else if (!pool_.scheduler(id).looks_empty()) {
    pool_.wake_one();  // what stands behind a long turn, if its owner's ration let it stand
  }
}

bool Monitor::is_hog(const Sight& sight) const noexcept {
  return base::cpu_time_ns(sight.thread->cpu_clock()) - sight.cpu_ns >= patience_ns();
}

bool Monitor::is_blocked(const Sight& sight, std::int64_t now_ns) noexcept {
  return now_ns - sight.since_ns >= blocked_ns && base::sleeps_in_kernel(sight.thread->os_id());
}

void Monitor::hand_over(unsigned id, Thread& stuck, bool is_hog) noexcept {
  // relaxed: a figure that steers.
  if (pool_.hogs.load(std::memory_order_relaxed) >= hogs_max) return;
  // The stuck thread that comes back to itself registers as a spare one under the same mutex, so it
  // finds all of this done.
  const std::lock_guard lock(pool_.mutex_);
  if (!stuck.tenure_.try_take()) return;
  sights_[id] = {};
  pool_.scheduler(id).counters.hand_overs.add(1);
  if (is_hog) {
    stuck.is_hog_ = true;
    // relaxed: as above.
    if (pool_.hogs.fetch_add(1, std::memory_order_relaxed) < many_hogs) {
      spared_.push_back({&stuck, base::cpu_time_ns(stuck.cpu_clock()) + spared_ns});
    } else {
      demote(stuck);
    }
  }
  pool_.offer(pool_.scheduler(id));
}

void Monitor::demote(Thread& hog) noexcept {
  hog.is_demoted_ = true;
  base::set_idle_priority(hog.os_id());
}

void Monitor::demote_who_goes_on() noexcept {
  const std::lock_guard lock(pool_.mutex_);
  std::erase_if(spared_, [](const Spared& spared) {
    if (!spared.thread->is_hog_) return true;
    if (base::cpu_time_ns(spared.thread->cpu_clock()) < spared.until_cpu_ns) return false;
    demote(*spared.thread);
    return true;
  });
}

}  // namespace airssys::rt::scheduler
