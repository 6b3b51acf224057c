// wait.cpp: wakes, and the records that wait for them.
#include "runtime/wait.hpp"

#include <airssys/rt/time.hpp>
#include <optional>

#include "runtime/call.hpp"
#include "runtime/exit.hpp"
#include "runtime/signals.hpp"
#include "runtime/system.hpp"

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

Waker::Waker(Process& owner) noexcept : owner_(owner), system_(&current_system()) {
  kind = mailbox::SignalKind::wake;
}

Wait::Wait(Process& process) noexcept : waker(process), process_(process), next_(process.waits) {
  if (next_) next_->previous_ = this;
  process.waits = this;
}

Wait::~Wait() {
  (previous_ ? previous_->next_ : process_.waits) = next_;
  if (next_) next_->previous_ = previous_;
}

void Wait::finish() noexcept {
  if (!is_armed_) return;
  is_armed_ = false;
  if (waker.has_arrived() || disarm()) return;
  const Inside inside(process_);  // an unwind comes here from outside
  // The wake may have come already, in one batch with the exit that ends this process: `obey` stops
  // at an exit and leaves what is behind it in `pending`.
  mailbox::Signal** end = obey_wakes_only(&process_.pending);
  while (!waker.has_arrived()) {
    if (mailbox::Signal* fresh = process_.inbox.take_all()) {
      *end = fresh;
    } else {
      rest(process_, WaitReason::wake_on_way);  // who wakes it puts a signal there
    }
    end = obey_wakes_only(end);
  }
  // relaxed: for show.
  process_.wait_reason.store(WaitReason::none, std::memory_order_relaxed);
}

void Wait::abandon_all(Process& process) {
  while (Wait* wait = process.waits) {
    wait->finish();
    process.waits = wait->next_;
    if (wait->next_) wait->next_->previous_ = nullptr;
    wait->next_ = nullptr;
  }
}

TimedWait::TimedWait(Process& process) noexcept : Wait(process) {
  expire = [](scheduler::TimerEntry& entry) noexcept {
    static_cast<TimedWait&>(entry).waker.wake();
  };
}

TimedWait::~TimedWait() {
  finish();
}

void TimedWait::arm(std::int64_t due) {
  is_armed_ = true;
  Thread::current()->scheduler().wheel.arm(*this, due);
}

bool TimedWait::disarm() noexcept {
  return scheduler::TimerWheel::cancel(*this);
}

bool wait_for(Process& process, Waker& waker, WaitReason reason, std::int64_t deadline_ns) {
  std::optional<TimedWait> timeout;
  for (;;) {
    if (is_unwinding(process)) return waker.has_arrived();
    obey_while_waiting(process);
    if (waker.has_arrived()) return true;
    if (timeout && timeout->waker.has_arrived()) return false;
    if (deadline_ns != Deadline::never_ns && !timeout) {
      if (has_passed(deadline_ns)) return false;
      timeout.emplace(process);
      timeout->arm(deadline_ns);
    }
    rest(process, reason);
  }
}

}  // namespace airssys::rt::runtime
