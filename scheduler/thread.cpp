// thread.cpp: the loop of a thread: pick, switch, settle, search, sleep.
#include "scheduler/thread.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/block_cache.hpp"
#include "base/memory.hpp"
#include "base/os.hpp"
#include "scheduler/monitor.hpp"

namespace airssys::rt::scheduler {

Thread::Thread(Pool& pool) : pool_(pool), os_thread_([this] { run(); }) {}

Thread::~Thread() {
  if (os_thread_.joinable()) os_thread_.join();
}

void Thread::start_again() {
  if (os_thread_.joinable()) os_thread_.join();
  is_through_ = false;
  {
    const std::lock_guard lock(pool_.mutex_);
    is_spare_ = true;
  }
  os_id_.store(0, std::memory_order_relaxed);  // relaxed, twice: the new thread begins behind them
  has_ended_.store(false, std::memory_order_relaxed);
  try {
    os_thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    has_ended_.store(true, std::memory_order_relaxed);  // relaxed: as above, for the next try
    throw;
  }
}

bool Thread::join_until(std::int64_t until_ns) noexcept {
  while (!has_ended()) {
    if (base::steady_clock().now_ns() >= until_ns) {
      os_thread_.detach();
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  if (os_thread_.joinable()) os_thread_.join();
  return true;
}

// --- The loop. ---------------------------------------------------------------------------------

void Thread::run() noexcept {
  base::name_this_thread("airs-scheduler");
  base::this_thread::set(base::this_thread::Slot::scheduler_thread, this);
  base::BlockCache::open();
  context_.emplace();
  const fiber::AlternateStack alternate_stack;
  if (pool_.rotation.may_signal()) base::unblock_signal(Rotation::signal);
  pool_.quiescence.add(tenure_.place());
  set_give_way_flag(&base::this_thread::give_way_flag());
  // relaxed: the id, which is released, brings it.
  cpu_clock_.store(base::this_thread_cpu_clock(), std::memory_order_relaxed);
  os_id_.store(base::this_thread_id(), std::memory_order_release);  // release: the clock; see os_id
  while (!pool_.is_stopping() && !is_through_) {
    if (scheduler_) {
      drive();
    } else {
      wait_for_scheduler();
    }
  }
  set_give_way_flag(nullptr);
  if (runner_) fiber::StackPool::Cache(pool_.stacks).give(*std::exchange(runner_, nullptr));
  pool_.quiescence.remove(tenure_.place());
  base::this_thread::set(base::this_thread::Slot::scheduler_thread, nullptr);
  base::BlockCache::close();
  context_.reset();
  has_ended_.store(true, std::memory_order_release);  // release: pairs with has_ended
}

void Thread::drive() noexcept {
  static_cast<void>(tenure_.enter(pool_.quiescence));
  tenure_.rejoin();
  has_lost_ = false;
  ask_to_look();  // the last driver may not have looked for long
  get_up();
  while (scheduler_ && !pool_.is_stopping()) {
    Task* task = pick();
    if (!task) task = wait_for_work();
    if (!task) continue;
    fiber::switch_to(*context_, stack_for(*task));
    settle();
  }
  tenure_.leave();
}

// Inline in the switch, it would cost those who have a stack some registers.
[[gnu::noinline]] fiber::Fiber& Thread::stack_to_begin_on(Task& task) noexcept {
  if (task.stack_class != 0) return stack_of_its_own(task);
  handed_ = &task;
  if (!runner_) runner_ = &take_fiber(0);
  return *runner_;
}

fiber::Fiber& Thread::stack_of_its_own(Task& task) noexcept {
  if (task.stack_class == away) return pool_.doors.fetch_stack(task);
  handed_ = &task;
  return take_fiber(task.stack_class);
}

fiber::Fiber& Thread::take_fiber(fiber::SizeClass size_class) noexcept {
  fiber::Fiber* fiber = scheduler_->stacks.take(size_class);
  RT_CHECK(fiber != nullptr, "no address space left for a stack");
  if (!fiber->place) fiber::prepare(*fiber, &Thread::runner);
  return *fiber;
}

void Thread::settle_seldom() noexcept {
  auto& left = *static_cast<fiber::Fiber*>(context_->left);
  switch (std::exchange(note_, Note::none)) {
    case Note::hibernated:
      fiber::StackPool::drop_unused(left);
      return publish(*noted_);
    case Note::yielded:
      return scheduler_->push(*noted_);
    case Note::handed_over:
      lose_scheduler();
      return pool_.inject(*noted_);
    case Note::released:
      return scheduler_->stacks.give(left);
    case Note::none:
    case Note::parked:
      RT_UNREACHABLE("settled where it is frequent");
  }
}

void Thread::look_around() noexcept {
  stay_inside();
  left_to_look_.store(look_reductions, std::memory_order_relaxed);  // relaxed: see there
  looked_at_ns_ = pool_.clock.now_ns();
  fire_timers(looked_at_ns_);
  if (looked_at_ns_ - polled_at_ns_ < look_around_ns) return;
  polled_at_ns_ = looked_at_ns_;
  if (pool_.poller.sources() != 0) pool_.poller.poll(0);
  scheduler_->balance(looked_at_ns_);
}

bool Thread::fire_timers(std::int64_t now_ns) noexcept {
  if (scheduler_->deferred.next_due_ns() <= now_ns) [[unlikely]]
    scheduler_->deferred.arm_all();
  if (scheduler_->wheel.next_due_ns() > now_ns) return false;
  const std::size_t fired = scheduler_->wheel.expire_until(now_ns, timers_at_once);
  scheduler_->counters.timers.add(fired);
  return fired != 0;
}

// --- Out of work: search, then sleep. The protocol is idle.hpp's. --------------------------------

Task* Thread::wait_for_work() noexcept {
  const unsigned id = scheduler_->id();
  collect_if_asked();
  bool searching = pool_.idle.try_search();
  judge_last_wake();
  while (!pool_.is_stopping()) {
    if (searching) {
      if (Task* task = search()) {
        pool_.idle.stop_searching();
        pool_.wake_one();
        return task;
      }
      judge_last_wake();
    }
    scheduler_->deferred.arm_all();
    const bool is_last_look = pool_.idle.sleep(id, searching);
    // relaxed: one who was asked and picked, of which there was one token, has acquired that.
    if (must_collect_.load(std::memory_order_relaxed) || (is_last_look && anything_to_do())) {
      searching = !pool_.idle.cancel_sleep(id);
      pool_.monitor_->somebody_woke();
    } else {
      scheduler_->go_to_bed(pool_.clock.now_ns());
      sleep_until_something_happens();
      if (!scheduler_) {
        pool_.wake_one();  // K2: it may have kept the poller
        return nullptr;
      }
      scheduler_->get_up(pool_.clock.now_ns());
      searching = was_woken_ = !pool_.idle.cancel_sleep(id);
      found_at_ns_ = 0;
      pool_.monitor_->somebody_woke();
      if (Task* task = take_after_sleep(searching)) return task;
    }
    if (searching) continue;
    collect_if_asked();
    searching = pool_.idle.try_search();
  }
  if (searching) pool_.idle.stop_searching();
  return nullptr;
}

// Not while it searches or is among the sleepers: work that comes meanwhile is others' to find.
void Thread::collect_if_asked() noexcept {
  if (!must_collect_.load(std::memory_order_relaxed)) return;  // relaxed: the exchange orders it
  // acquire: what was freed before it was asked; pairs with ask_to_collect.
  if (must_collect_.exchange(false, std::memory_order_acquire)) base::collect();
}

// Who leaves the poller or a timer with something to run wakes another one, so that the I/O is
// never left to a busy thread.
Task* Thread::take_after_sleep(bool& searching) noexcept {
  looked_at_ns_ = pool_.clock.now_ns();
  fire_timers(looked_at_ns_);
  Task* task = scheduler_->pick();
  if (!task) return nullptr;
  was_woken_ = false;  // for work from outside: not what is rationed
  if (std::exchange(searching, false)) pool_.idle.stop_searching();
  pool_.wake_one();
  return task;
}

// Out of work again after a wake: it was worth it if what was found lasted.
void Thread::judge_last_wake() noexcept {
  if (!std::exchange(was_woken_, false)) return;
  const std::int64_t found_at = std::exchange(found_at_ns_, 0);
  if (found_at != 0 && pool_.clock.now_ns() - found_at >= WakeRation::worth_ns) {
    pool_.ration.was_worth_it();
  } else {
    pool_.ration.was_futile();
  }
}

Task* Thread::search() noexcept {
  std::int64_t now = pool_.clock.now_ns();
  const std::int64_t began = now;
  while (!pool_.is_stopping()) {
    stay_inside();
    fire_timers(now);
    if (Task* task = scheduler_->pick()) return task;
    if (Task* task = steal(now)) return task;
    if (now - began >= pool_.spin_ns) {
      scheduler_->balance(now);  // what moves too quickly to be stolen, and does not end
      return scheduler_->pick();
    }
    if (pool_.poller.sources() != 0) pool_.poller.poll(0);
    for (int i = 0; i < 8; ++i) base::spin_pause();
    now = pool_.clock.now_ns();
  }
  return nullptr;
}

Task* Thread::steal(std::int64_t now_ns) noexcept {
  bool had_stood = false;
  Task* task = scheduler_->steal(now_ns, had_stood);
  if (!task) return nullptr;
  looked_at_ns_ = now_ns;
  found_at_ns_ = now_ns;
  // Its own scheduler was not coming to it.
  if (had_stood && std::exchange(was_woken_, false)) pool_.ration.was_worth_it();
  return task;
}

// The last look before sleep, after everybody has been told of it.
bool Thread::anything_to_do() noexcept {
  return pool_.is_stopping() || scheduler_->wheel.next_due_ns() <= pool_.clock.now_ns() ||
         pool_.has_injected() || pool_.does_anything_stand();
}

void Thread::sleep_until_something_happens() noexcept {
  const std::int64_t due = scheduler_->wheel.next_due_ns();
  std::int64_t timeout = -1;  // for ever
  if (due != TimerWheel::never_ns) timeout = std::max<std::int64_t>(due - pool_.clock.now_ns(), 0);
  scheduler_->counters.sleeps.add(1);
  tenure_.leave();
  const auto awake = [](void* thread) noexcept { static_cast<Thread*>(thread)->wake_up(); };
  if (pool_.keeper.sleep(parker_, timeout, awake, this)) return wake_up();
  if (timeout < 0) {
    parker_.park();
  } else {
    parker_.park_for(timeout);
  }
  wake_up();
}

// Inside again. Its scheduler may have been taken from it in bed; then it has none.
void Thread::wake_up() noexcept {
  if (tenure_.enter(pool_.quiescence) == Held::taken && !has_lost_) lose_scheduler();
}

void Thread::lose_scheduler() noexcept {
  scheduler_ = nullptr;
  has_lost_ = true;
  pool_.rotation.come_home(seat_);
  hasten();  // or whom it is about to wake could wait for all other work on this machine
}

void Thread::wait_for_scheduler() noexcept {
  collect_if_asked();
  if (become_spare()) parker_.park();
}

// True: it waits for a scheduler. False: it has been given one, or may not drive one any more.
bool Thread::become_spare() noexcept {
  const std::lock_guard lock(pool_.mutex_);
  if (offered_) {
    scheduler_ = std::exchange(offered_, nullptr);
    return false;
  }
  if (std::exchange(is_demoted_, false)) {
    is_through_ = !base::restore_priority(os_id());
    if (is_through_) return false;
  }
  if (!std::exchange(is_spare_, true)) pool_.spares_.push_back(this);
  return true;
}

void Thread::hasten() noexcept {
  const std::lock_guard lock(pool_.mutex_);
  if (is_demoted_ && !has_ended()) base::restore_priority(os_id());
}

void Thread::take_over(Scheduler& scheduler) noexcept {
  const std::lock_guard lock(pool_.mutex_);
  is_spare_ = false;
  offered_ = &scheduler;
  // release: hands this thread to who wakes it: Pool::wake_sleeper.
  pool_.drivers_[scheduler.id()].store(this, std::memory_order_release);
  unpark();
}

void Thread::set_give_way_flag(base::Atomic<bool>* flag) noexcept {
  const std::lock_guard lock(pool_.mutex_);
  must_give_way_ = flag;
}

void Thread::ask_to_give_way() noexcept {
  const std::lock_guard lock(pool_.mutex_);
  // relaxed: the poll wants to see it soon, no more.
  if (must_give_way_) must_give_way_->store(true, std::memory_order_relaxed);
}

// The last driver may have been robbed while it slept, with its bit set.
void Thread::get_up() noexcept {
  if (!scheduler_->get_up(pool_.clock.now_ns())) return;
  if (!pool_.idle.cancel_sleep(scheduler_->id())) {
    pool_.idle.stop_searching();
    pool_.wake_one();
  }
  pool_.monitor_->somebody_woke();
}

// --- On a fiber. -------------------------------------------------------------------------------

void Thread::runner(fiber::Fiber& fiber, fiber::Ended last) noexcept {
  if (last == fiber::Ended::returned) {
    current()->settle();  // this stack's first step
  } else {
    // Process code was cut; it may have been outside the runtime when it was.
    Task* task = enter().task_;
    RT_CHECK(task != nullptr, "I2: cut off while it looked for who runs next");
    end_turn(fiber, current()->pool_.doors.ended(*task, last));
  }
  for (;;) {
    Task& task = next_for_runner(fiber);
    end_turn(fiber, current()->pool_.doors.run(task));
  }
}

// The next task that has no stack; leaves this one while there is none.
Task& Thread::next_for_runner(fiber::Fiber& fiber) noexcept {
  for (;;) {
    Thread& thread = *current();
    if (thread.handed_) return *std::exchange(thread.handed_, nullptr);
    Task* task = thread.next_task();
    if (task && !task->fiber && task->stack_class == 0) {
      thread.begin(*task);
      return *task;
    }
    thread.depart(fiber, task);
  }
}

void Thread::end_turn(fiber::Fiber& fiber, Turn turn) noexcept {
  Thread& thread = *current();
  Task* task = std::exchange(thread.task_, nullptr);
  if (turn == Turn::again) thread.scheduler_->push(*task);
  if (thread.runner_ == &fiber) return;
  if (!thread.runner_ && fiber.size_class == 0) {
    thread.runner_ = &fiber;
    return;
  }
  thread.note_ = Note::released;
  thread.depart(fiber, thread.next_task());
}

// Who yields is queued before it is known who runs next: it may be itself.
void Thread::go_back_to_loop(Note note) noexcept {
  Thread& thread = *current();
  thread.depart(keep_stack(thread, note), nullptr);
}

void Thread::hibernate() noexcept {
  current()->settle_account();
  go_back_to_loop(Note::hibernated);
}

void Thread::yield() noexcept {
  Thread* thread = current();
  thread->settle_account();
  thread->look_around();
  go_back_to_loop(Note::yielded);
}

bool Thread::try_enter() noexcept {
  if (tenure_.enter(pool_.quiescence) == Held::kept) return true;
  tenure_.leave();
  return false;
}

// What is left of the slice counts as used: nobody has counted.
void Thread::yield_bound() noexcept {
  Thread* thread = current();
  Scheduler& scheduler = *thread->scheduler_;
  Task& task = *thread->task_;
  thread->charge(std::max(scheduler.reductions, 0));
  scheduler.counters.preempted.add(1);
  const std::uint8_t pinned_to =
      std::exchange(task.pinned_to, static_cast<std::uint8_t>(scheduler.id() + 1));
  thread->tenure_.bind();
  yield();
  RT_CHECK(current() == thread, "a process that is bound to a thread comes back on it");
  thread->tenure_.unbind();
  task.pinned_to = pinned_to;
}

void Thread::wait_for_turn() noexcept {
  Thread* thread = current();
  if (!thread) return;
  const int error = errno;
  thread->seat_.hold.wait_for_turn(thread->is_in_process_code());
  errno = error;
}

Thread& Thread::lost() noexcept {
  current()->pool_.refuse_forked_child();
  go_back_to_loop(Note::handed_over);
  return *current();
}

void Thread::orphan() noexcept {
  tenure_.orphan();
  task_ = nullptr;
}

void Thread::make_runnable(Task& task) noexcept {
  scheduler_->push(task);
  wake_for_own_work();
}

void Thread::make_newborn_runnable(Task& task) noexcept {
  scheduler_->push_newborn(task);
  wake_for_own_work();
}

}  // namespace airssys::rt::scheduler
