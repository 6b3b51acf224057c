// monitor.cpp: looking, and handing over.
#include "scheduler/monitor.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/block_cache.hpp"
#include "base/os.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::scheduler {

Monitor::Monitor(Pool& pool) : pool_(pool), sights_(pool.count()), waiting_(pool.count()) {}

void Monitor::start() {
  os_thread_ = std::thread([this] { run(); });
}

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
    const std::int64_t elapsed = now - std::exchange(looked_at_ns_, now);
    for (unsigned id = 0; id < pool_.count(); ++id) look_at(id, now, elapsed);
    // A searcher that goes on for long is there for receivers that must not wait.
    if (pool_.spin_ns <= Pool::wake_costs_ns && pool_.reluctance.is_due(now))
      pool_.reluctance.look(now, totals(now));
    if (!spared_.empty()) restrain_who_had_time();
    give_back_blocks(now);
    if (to_be_asked_ != 0) ask_next_to_collect();
  }
}

Reluctance::Totals Monitor::totals(std::int64_t now_ns) const noexcept {
  Reluctance::Totals totals;
  for (unsigned id = 0; id < pool_.count(); ++id) {
    const Scheduler& scheduler = pool_.scheduler(id);
    const Counters& counters = scheduler.counters;
    totals.busy_ns += scheduler.times(now_ns).busy_ns;
    totals.reductions += counters.reductions.read();
    totals.turns += counters.turns.read();
    totals.steals += counters.steals.read();
  }
  return totals;
}

bool Monitor::all_sleep() const noexcept {
  return pool_.idle.asleep() == pool_.count() &&
         !is_over_.load(std::memory_order_acquire);  // acquire: pairs with end
}

// Sleeps for as long as all schedulers do and nobody is to be asked for anything.
void Monitor::doze() noexcept {
  quiet_ticks_ = all_sleep() ? quiet_ticks_ + 1 : 0;
  if (quiet_ticks_ < ticks_to_doze || to_be_asked_ != 0) return;
  pool_.stacks.trim(stacks_kept_warm);
  // relaxed, and a seq_cst fence behind it: said before the second look; pairs with somebody_woke.
  dozes_.store(true, std::memory_order_relaxed);
  base::atomic_fence(std::memory_order_seq_cst);
  while (all_sleep()) {
    const bool some_are_left = base::BlockCache::end_period();
    for (unsigned i = 0; i < batch && all_sleep(); ++i)
      if (!base::BlockCache::give_back(magazines_at_once)) break;
    if (begin_to_collect()) break;
    if (some_are_left) {
      parker_.park_for(block_period_ns);
    } else {
      parker_.park();
    }
  }
  dozes_.store(false, std::memory_order_relaxed);  // relaxed: one unpark too many is harmless
  quiet_ticks_ = 0;
  std::ranges::fill(sights_, Sight{});
}

void Monitor::give_back_blocks(std::int64_t now_ns) noexcept {
  if (now_ns - block_period_began_ns_ >= block_period_ns) {
    block_period_began_ns_ = now_ns;
    static_cast<void>(base::BlockCache::end_period());
    if (to_be_asked_ == 0) static_cast<void>(begin_to_collect());
  }
  static_cast<void>(base::BlockCache::give_back(magazines_at_once));
}

bool Monitor::begin_to_collect() noexcept {
  const std::uint32_t before = std::exchange(returns_seen_, base::BlockCache::returns());
  if (before == returns_seen_) return false;
  to_be_asked_ = pool_.threads_.size();
  return true;
}

void Monitor::ask_next_to_collect() noexcept {
  Thread& thread = *pool_.threads_[--to_be_asked_];
  thread.ask_to_collect();
  thread.unpark();
}

std::int64_t Monitor::patience_ns() const noexcept {
  return pool_.rotation.hogs() > many_hogs ? hog_among_many_ns : hog_ns;
}

void Monitor::look_at(unsigned id, std::int64_t now_ns, std::int64_t elapsed_ns) noexcept {
  // acquire: pairs with who made that thread the driver.
  Thread* thread = pool_.drivers_[id].load(std::memory_order_acquire);
  const bool is_awake = thread && thread->os_id() != 0 && !pool_.idle.is_asleep(id);
  if (!is_awake || !keeps_scheduler(id, *thread, now_ns)) {
    sights_[id] = {};
    return;
  }
  thread->ask_to_look();
  const Scheduler::Waiting now = pool_.scheduler(id).waiting();
  const auto [tasks, turns] = std::exchange(waiting_[id], now);
  if (tasks != 0 && Scheduler::outlasts_a_theft(now.tasks, elapsed_ns, now.turns - turns))
    pool_.wake_one();
}

bool Monitor::keeps_scheduler(unsigned id, Thread& thread, std::int64_t now_ns) noexcept {
  Sight& sight = sights_[id];
  const std::uint64_t turns = pool_.scheduler(id).counters.turns.read();
  if (sight.thread != &thread || sight.turns != turns || sight.cpu_ns < 0) {
    sight = {&thread, turns, base::cpu_time_ns(thread.cpu_clock()), now_ns};
    return true;
  }
  // Each time: a thread on which preempted processes wait cannot be robbed, and a poll may have
  // been passed where nobody gives way.
  thread.ask_to_give_way();
  const bool uses_cpu = is_hog(sight);
  const bool is_stuck = uses_cpu || is_blocked(sight, now_ns);
  return !is_stuck || !hand_over(id, thread, uses_cpu);
}

bool Monitor::is_hog(const Sight& sight) const noexcept {
  return base::cpu_time_ns(sight.thread->cpu_clock()) - sight.cpu_ns >= patience_ns();
}

bool Monitor::is_blocked(const Sight& sight, std::int64_t now_ns) noexcept {
  return now_ns - sight.since_ns >= blocked_ns && base::sleeps_in_kernel(sight.thread->os_id());
}

// The other thread is found first: starting one takes time and locks, and may fail.
bool Monitor::hand_over(unsigned id, Thread& stuck, bool is_hog) noexcept {
  if (stuck.tenure_.is_inside()) return false;  // cannot be robbed now: it may be looking for work
  if (!reserve_ && !(reserve_ = pool_.take_spare_thread())) {
    sights_[id] = {};  // not again at once
    return false;
  }
  // The look was long ago, on a busy machine: what has begun since is not what was stuck.
  if (pool_.scheduler(id).counters.turns.read() != sights_[id].turns) return false;
  if (!rob(stuck, is_hog)) return false;
  sights_[id] = {};
  Scheduler& scheduler = pool_.scheduler(id);
  scheduler.counters.hand_overs.add(1);
  std::exchange(reserve_, nullptr)->take_over(scheduler);
  stuck.unpark();  // if it has gone to bed just now, others are to have the poller
  if (is_hog) let_go_on(stuck);
  return true;
}

bool Monitor::rob(Thread& stuck, bool is_hog) noexcept {
  if (is_hog) pool_.rotation.suspect(stuck.seat_);
  if (stuck.tenure_.try_take()) return true;
  if (is_hog) pool_.rotation.acquit(stuck.seat_);
  return false;
}

void Monitor::let_go_on(Thread& hog) noexcept {
  std::erase_if(spared_, [&hog](const Spared& spared) { return spared.thread == &hog; });
  if (pool_.rotation.hogs() > many_hogs) return restrain(hog);
  spared_.push_back({&hog, base::cpu_time_ns(hog.cpu_clock()) + spared_ns});
}

void Monitor::restrain(Thread& hog) noexcept {
  if (pool_.rotation.join(hog.seat_)) return;
  // Who comes home waits for this mutex and then finds that it was demoted.
  const std::lock_guard lock(pool_.mutex_);
  if (hog.seat_.hold.is_home()) return;
  hog.is_demoted_ = true;
  base::set_idle_priority(hog.os_id());
}

void Monitor::restrain_who_had_time() noexcept {
  std::erase_if(spared_, [this](const Spared& spared) {
    if (spared.thread->seat_.hold.is_home()) return true;
    if (base::cpu_time_ns(spared.thread->cpu_clock()) < spared.until_cpu_ns) return false;
    restrain(*spared.thread);
    return true;
  });
}

}  // namespace airssys::rt::scheduler
