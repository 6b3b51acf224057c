// wait.cpp: wakes, and the records that wait for them.
#include "runtime/wait.hpp"

#include <airssys/rt/time.hpp>
#include <optional>

#include "fiber/contained_call.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/exit.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/system.hpp"
#include "runtime/waited.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;

void Waker::wake() {
  System& system = *system_;
  Process& owner = owner_;
  // The owner cannot end before it has obeyed this: its inbox is open.
  const auto pushed = owner.inbox.push(*this);
  RT_CHECK(pushed != mailbox::Pushed::closed, "I3: a wake for a process that is gone");
  if (pushed == mailbox::Pushed::first) system.wake_with(owner, *this);
}

void Wait::await_wake() noexcept {
  // The wake may have come already, in one batch with the exit that ends this process: `obey` stops
  // at an exit and leaves what is behind it in `pending`.
  mailbox::Signal** end = obey_wakes_only(&process_.pending);
  while (!waker.has_arrived()) {
    if (mailbox::Signal* fresh = unpacked(process_, process_.inbox.take_all())) {
      *end = fresh;
    } else {
      rest(process_, WaitReason::wake_on_way);
      show_running(process_);
    }
    end = obey_wakes_only(end);
  }
  if (process_.pending) process_.urgency.raise();  // nobody has raised for what is there
}

bool TimedWait::is_over() {
  if (!waker.has_arrived()) return false;
  if (timeout_.due_ns() == armed_for_ns_) return true;
  waker.forget();
  arm();
  return false;
}

namespace {

// Inside before and after, whatever becomes of it.
template <class Code>
fiber::Ended run_contained(Process& process, Code code) {
  const fiber::Ended ended = fiber::call_contained(
      Thread::current()->fiber(), [](void* it) { (*static_cast<Code*>(it))(); }, &code);
  if (ended != fiber::Ended::returned) {
    Thread::enter();
    forget_cut_frames(process);
  }
  return ended;
}

void end_by_cut(Process& process, fiber::Ended why) {
  // Which calls the host's sink.
  static_cast<void>(run_contained(process, [&process, why] { note_cut(process, why); }));
  process.must_end = true;
}

}  // namespace

void obey_beside_a_wait(Process& process) {
  if (has_news(process)) {
    const fiber::Ended ended = run_contained(process, [&process] { obey_here(process); });
    if (ended != fiber::Ended::returned) [[unlikely]]
      end_by_cut(process, ended);
  }
  show_running(process);
  if (process.must_end) [[unlikely]]
    end_here();
}

void hibernate_until_something_comes(Process& process) {
  process.wait_reason.store(WaitReason::hibernation,
                            std::memory_order_relaxed);  // relaxed: for show
  Thread::hibernate();
  obey_while_waiting(process);
}

bool wait_for(Process& process, Waker& waker, WaitReason reason, const Timeout& timeout) {
  std::optional<TimedWait> timer;
  OneWait wait;
  for (;;) {
    if (is_unwinding(process)) return waker.has_arrived();
    obey_beside_a_wait(process);
    if (waker.has_arrived()) return true;
    if (timer && timer->is_over()) return false;
    if (!timer && !timeout.is_never()) {
      if (has_passed(timeout.due_ns())) return false;
      timer.emplace(process, timeout);
    }
    wait.rests();
    rest(process, reason);
  }
}

void wait_until_over(Process& process, WaitReason reason, const Timeout& timeout) {
  if (is_unwinding(process)) return;
  TimedWait timer(process, timeout);
  OneWait wait;
  for (;;) {
    obey_beside_a_wait(process);
    if (timer.is_over()) return;
    wait.rests();
    rest(process, reason);
  }
}

}  // namespace airssys::rt::runtime
