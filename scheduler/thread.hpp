// thread.hpp: one OS thread's loop: it drives a scheduler, resumes fibers, and sleeps.
//
//   runner   a fiber that takes tasks without a stack, back to back; one that blocks keeps it
//   loop     on the thread's own stack: goes on where no task is left, sleeps, takes over
//
//   who waits:  leaves a note ▶ picks who is next ▶ jumps there
//   who comes:  settles the note ▶ runs
//
// A fiber cannot publish itself as parked while it still runs, so it leaves a note of what is to be
// done about it, and the first step on whatever stack comes next acts on the note (`settle`). From
// that moment another thread may resume the fiber.
//
// Process code enters the runtime by enter() and leaves by leave(); the loop is always inside,
// except while it sleeps. enter() may find that the monitor has taken the scheduler; then the task
// is queued for others and this thread goes to the spare ones. Everything about a thread is read
// anew after anything that may switch: `Thread::current()`.
#pragma once

#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "base/os.hpp"
#include "base/parker.hpp"
#include "base/this_thread.hpp"
#include "fiber/containment.hpp"
#include "fiber/context.hpp"
#include "scheduler/pool.hpp"
#include "scheduler/scheduler.hpp"
#include "scheduler/task.hpp"
#include "scheduler/tenure.hpp"

namespace airssys::rt::scheduler {

class Thread {
 public:
  // Starts the thread, which waits to be given a scheduler. Throws std::system_error.
  explicit Thread(Pool& pool);
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();

  // The thread that runs now, or null on a thread that is none of any pool's.
  static Thread* current() noexcept {
    return static_cast<Thread*>(
        base::this_thread::read<base::this_thread::Slot::scheduler_thread>());
  }

  Pool& pool() const noexcept { return pool_; }

  // --- Any thread.
  void unpark() noexcept { pool_.keeper.unpark(parker_); }
  // Waits for its end, at most until then. False: it is stuck in process code, and detached.
  bool join_until(std::int64_t until_ns) noexcept;
  // Starts it once more, after its end. The monitor. Throws std::system_error.
  void start_again();
  bool has_ended() const noexcept {
    return has_ended_.load(std::memory_order_acquire);  // acquire: pairs with the end of run
  }
  // For the monitor and the rotation. 0: it has not begun yet, and has no clock either.
  base::ThreadId os_id() const noexcept {
    return os_id_.load(std::memory_order_acquire);  // acquire: for the clock; pairs with run
  }
  clockid_t cpu_clock() const noexcept {
    return cpu_clock_.load(std::memory_order_relaxed);  // relaxed: the id brings it; see os_id
  }
  // Its process should give way at the next poll, if its code has any (preemption/). The monitor.
  void ask_to_give_way() noexcept;
  // It looks at its timers and at I/O before its next turn. The monitor.
  void ask_to_look() noexcept {
    left_to_look_.store(0, std::memory_order_relaxed);  // relaxed: see left_to_look_
  }
  // It gives free memory back when it is next out of work; if it sleeps, it is to be unparked for
  // that. The monitor.
  void ask_to_collect() noexcept {
    // release: what was freed before, it finds; pairs with collect_if_asked.
    must_collect_.store(true, std::memory_order_release);
  }
  // If it runs at idle priority, as a hog: not any more. The pool, when it stops; itself, when it
  // has learnt that it has no scheduler.
  void hasten() noexcept;
  // A thread that waits for a scheduler drives this one from now on.
  void take_over(Scheduler& scheduler) noexcept;

  // --- Process code, on this thread.
  // Into the runtime. Afterwards the process may be on another thread, which is the answer.
  static Thread& enter() noexcept { return enter(*current()); }
  static Thread& enter(Thread& thread) noexcept {  // by who knows which thread it is on
    if (thread.tenure_.enter(thread.pool_.quiescence) == Held::taken) [[unlikely]]
      return lost();
    return thread;
  }
  // The same for code that must not find itself on another thread. False: the scheduler is gone,
  // and the caller is in process code as before.
  bool try_enter() noexcept;
  // Back to process code.
  void leave() noexcept { tenure_.leave(); }
  // In the handler of Rotation::signal, if that is ours: a hog's thread stays here until its turn
  // comes. Async-signal-safe, and comes back at once on any other thread.
  static void wait_for_turn() noexcept;
  // In a child made by fork, on its only thread: the next step into the runtime ends the child.
  void orphan() noexcept;
  // The task whose code runs on this thread; null while the loop or an idle runner does.
  Task* task() const noexcept { return task_; }
  // On this thread, also in a signal handler: whether process code runs, outside the runtime.
  bool is_in_process_code() const noexcept { return task_ && !is_inside(); }
  bool is_inside() const noexcept { return tenure_.is_inside(); }

  // --- Inside the runtime, on this thread.
  // The thread that runs now, if it drives a scheduler of that pool; else null.
  static Thread* driving(const Pool& pool) noexcept {
    Thread* thread = current();
    return thread && &thread->pool_ == &pool && thread->scheduler_ ? thread : nullptr;
  }
  Scheduler& scheduler() const noexcept { return *scheduler_; }
  fiber::Fiber& fiber() const noexcept { return *context_->running; }

  // The running task waits: it keeps this stack, and is at rest once whoever runs next here has
  // found its inbox empty. Returns when somebody has made it runnable, or mail had come.
  static void park() noexcept {
    Thread& thread = *current();
    thread.settle_account();
    fiber::Fiber& fiber = keep_stack(thread, Note::parked);
    thread.depart(fiber, thread.next_task());
  }
  // The same for a long wait: pages of the stack that hold nothing are given back first.
  static void hibernate() noexcept;
  // The running task gives way to others of its level; it keeps this stack.
  static void yield() noexcept;
  // The same for one that has not called, and whose code may hold addresses of thread-locals: it
  // comes back on this very thread. Until then the scheduler stays with the thread.
  static void yield_bound() noexcept;
  // Queues a task that somebody owed a wake.
  void make_runnable(Task& task) noexcept;          // behind all others
  void make_newborn_runnable(Task& task) noexcept;  // see nursery.hpp
  void make_runnable_next(Task& task) noexcept {    // before all others of normal level
    scheduler_->push_next(task);
    wake_for_own_work();
  }

  // Charges the running task. Whether its slice is used up.
  bool charge(std::int32_t reductions) noexcept {
    return (scheduler_->reductions -= reductions) <= 0;
  }
  bool slice_is_over() const noexcept { return scheduler_->reductions <= 0; }
  // Counts what the running task has been charged since its turn began or this was last called.
  // Before the task is at rest or gone.
  void settle_account() noexcept {
    const std::int32_t used = reductions_at_begin_ - scheduler_->reductions;
    reductions_at_begin_ = scheduler_->reductions;
    if (used <= 0) return;
    come_nearer_to_look(used);
    const auto charged = static_cast<std::uint64_t>(used);
    scheduler_->counters.reductions.add(charged);
    if (task_) task_->reductions.add(charged);
  }
  // When it last read the clock: at most some turns ago while it runs tasks.
  std::int64_t looked_at_ns() const noexcept { return looked_at_ns_; }
  // Process code or the runtime, on this thread: it has read the clock just now.
  void note_time(std::int64_t now_ns) noexcept { looked_at_ns_ = now_ns; }
  // Reads the clock; fires timers and looks after I/O if it is time to.
  void look_around() noexcept;

 private:
  friend class Monitor;

  // What is to be done about who has just left its stack.
  enum class Note : std::uint8_t {
    none,         // nothing: an idle runner, or the loop
    parked,       // noted_ waits
    hibernated,   // likewise, for long
    yielded,      // noted_ is to be queued
    handed_over,  // noted_ is to be queued by others: this thread has lost its scheduler
    released,     // the fiber's task is through, and the thread has another runner
  };

  static constexpr std::int64_t look_around_ns = 100'000;  // at the least, between two polls
  // Between two looks, at most one turn more (D15); a turn counts as at least so many.
  static constexpr std::int32_t look_reductions = slice_reductions;
  static constexpr std::int32_t look_turn = look_reductions / 16;
  static constexpr std::size_t timers_at_once = 256;

  static void runner(fiber::Fiber& fiber, fiber::Ended last) noexcept;
  static Task& next_for_runner(fiber::Fiber& fiber) noexcept;
  static void end_turn(fiber::Fiber& fiber, Turn turn) noexcept;
  static Thread& lost() noexcept;
  // The fiber that its task keeps while it does not run.
  static fiber::Fiber& keep_stack(Thread& thread, Note note) noexcept {
    fiber::Fiber& fiber = thread.fiber();
    RT_CHECK(thread.task_ != nullptr, "I2: a fiber without a task cannot wait");
    thread.note_ = note;
    thread.noted_ = std::exchange(thread.task_, nullptr);
    thread.noted_->fiber = &fiber;
    if (thread.runner_ == &fiber) thread.runner_ = nullptr;
    return fiber;
  }
  static void go_back_to_loop(Note note) noexcept;

  void set_give_way_flag(base::Atomic<bool>* flag) noexcept;
  void run() noexcept;
  void drive() noexcept;
  void begin(Task& task) noexcept {
    task_ = &task;
    reductions_at_begin_ = scheduler_->reductions;
  }
  void settle() noexcept {
    if (note_ == Note::parked) [[likely]] {
      note_ = Note::none;
      publish(*noted_);
    } else if (note_ != Note::none) {
      settle_seldom();
    }
  }
  void settle_seldom() noexcept;
  // At rest, or runnable at once: somebody else is about to run here, so others may take it.
  void publish(Task& task) noexcept {
    if (!pool_.doors.try_idle(task)) make_runnable_next(task);
  }
  // Where the task goes on, or begins.
  fiber::Fiber& stack_for(Task& task) noexcept {
    begin(task);
    return task.fiber ? *task.fiber : stack_to_begin_on(task);
  }
  fiber::Fiber& stack_to_begin_on(Task& task) noexcept;
  fiber::Fiber& stack_of_its_own(Task& task) noexcept;
  // Leaves this stack. Returns when somebody has come back to it, maybe on another thread.
  void depart(fiber::Fiber& fiber, Task* next) noexcept {
    if (next) {
      fiber::switch_over(fiber, *context_, stack_for(*next));
    } else {
      fiber::switch_back(fiber, *context_);
    }
    current()->settle();
  }
  // Who runs next on this thread; null: the loop goes on.
  Task* next_task() noexcept { return pool_.is_stopping() ? nullptr : pick(); }
  fiber::Fiber& take_fiber(fiber::SizeClass size_class) noexcept;
  Task* pick() noexcept {
    if (come_nearer_to_look(look_turn) <= 0 || scheduler_->reductions <= 0) look_around();
    return scheduler_->pick();
  }
  std::int32_t come_nearer_to_look(std::int32_t by) noexcept {
    // relaxed, twice: a hint; no read-modify-write, see left_to_look_.
    const std::int32_t left = left_to_look_.load(std::memory_order_relaxed) - by;
    left_to_look_.store(left, std::memory_order_relaxed);
    return left;
  }
  Task* wait_for_work() noexcept;
  Task* search() noexcept;
  Task* steal(std::int64_t now_ns) noexcept;
  // This thread is awake and will come to it: others are woken as far as that has paid off.
  void wake_for_own_work() noexcept {
    if (pool_.idle.has_somebody_to_wake() && pool_.ration.allows(looked_at_ns_, woke_other_at_ns_))
        [[unlikely]]
      pool_.wake_one();
  }
  void judge_last_wake() noexcept;
  void collect_if_asked() noexcept;
  Task* take_after_sleep(bool& searching) noexcept;
  // Announces itself anew, so that grace periods do not wait for a thread that is always inside.
  void stay_inside() noexcept { pool_.quiescence.enter(tenure_.place()); }
  bool anything_to_do() noexcept;
  void sleep_until_something_happens() noexcept;
  void wake_up() noexcept;
  bool fire_timers(std::int64_t now_ns) noexcept;
  void wait_for_scheduler() noexcept;
  bool become_spare() noexcept;
  void lose_scheduler() noexcept;
  void get_up() noexcept;

  Pool& pool_;
  Tenure tenure_{Tenure::Begins::without};
  base::Parker parker_;

  // This thread only, inside the runtime.
  Scheduler* scheduler_ = nullptr;
  std::optional<fiber::ThreadContext> context_;  // from the thread's begin to its end
  fiber::Fiber* runner_ = nullptr;  // the fiber for tasks without a stack; null: the last was kept
  Task* task_ = nullptr;            // whose code runs
  Task* handed_ = nullptr;          // to the runner that is switched to
  Task* noted_ = nullptr;           // what note_ is about
  Note note_ = Note::none;
  std::int32_t reductions_at_begin_ = slice_reductions;
  // To its next look at timers and I/O, in reductions. The monitor makes it zero at each tick, for
  // turns of many microseconds and few reductions; what it writes may be lost to this thread's own,
  // until the next tick.
  base::Atomic<std::int32_t> left_to_look_{0};
  std::int64_t looked_at_ns_ = 0;
  std::int64_t polled_at_ns_ = 0;
  std::int64_t woke_other_at_ns_ = 0;  // for the pool's ration of wakes
  std::int64_t found_at_ns_ = 0;       // when it last found work by stealing
  bool was_woken_ = false;             // and has not yet judged what that brought

  // Written by each start, the clock before the id. The rotation may still look at the last ones.
  base::Atomic<clockid_t> cpu_clock_{};
  base::Atomic<base::ThreadId> os_id_{0};

  Seat seat_{*this};  // see Rotation
  base::Atomic<bool> must_collect_{false};

  // Under the pool's mutex.
  Scheduler* offered_ = nullptr;  // to be driven from now on
  bool is_spare_ = true;          // among the pool's spare threads, or the monitor's reserve
  bool is_demoted_ = false;       // runs at idle priority, as a hog
  // The thread-local flag that polls look at; null while the thread does not run.
  base::Atomic<bool>* must_give_way_ = nullptr;

  bool has_lost_ = true;                 // this thread only: it has no scheduler since the last
  bool is_through_ = false;              // this thread only: it may not drive a scheduler any more
  base::Atomic<bool> has_ended_{false};  // written last of all

  std::thread os_thread_;  // the last member: it uses all others
};

}  // namespace airssys::rt::scheduler
