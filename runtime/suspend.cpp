// suspend.cpp: asking for it, obeying, and being held.
#include "runtime/suspend.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/suspend.hpp>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/call_reply.hpp"
#include "runtime/extras.hpp"
#include "runtime/signals.hpp"
#include "runtime/timeout.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

struct SuspendAnswer {
  bool is_suspended;  // false: there is nobody to suspend
};

void set_suspended(Process& process, bool on) noexcept {
  process.is_suspended.store(on, std::memory_order_relaxed);  // relaxed: for show, and for itself
}

std::int64_t now_ns() {
  return scheduler::Thread::current()->pool().clock.now_ns();
}

}  // namespace

std::int64_t suspended_ns(const Extras& extras) noexcept {
  return extras.suspension.total_ns;
}

void obey_suspend(System& system, Process& process, const ControlSignal& request) {
  if (!process.relations.find_suspender(request.from)) {
    process.relations.add({.kind = RelationKind::suspended_by, .peer = request.from});
    Suspension& suspension = extras_of(process).suspension;
    if (suspension.suspenders++ == 0) {
      suspension.since_ns = now_ns();
      set_suspended(process, true);
      // It rests on with an answer in its mail, unread, so it must not look as if it had none.
      // relaxed: its park brings this along (wait_circle.hpp).
      process.waits_in_call.store(0, std::memory_order_relaxed);
    }
  }
  answer_suspend(system, request, true);
}

void obey_resume(Process& process, const ControlSignal& signal) {
  Relation* suspender = process.relations.find_suspender(signal.from);
  if (!suspender) return;
  process.relations.remove(*suspender);
  Suspension& suspension = process.own_extras()->suspension;
  if (--suspension.suspenders != 0) return;
  suspension.total_ns += now_ns() - suspension.since_ns;
  set_suspended(process, false);
}

void answer_suspend(System& system, const ControlSignal& request, bool is_suspended) {
  send_through_alias(system,
                     Pid(),
                     {request.from, request.mine},
                     detail::make_payload(SuspendAnswer{is_suspended}));
}

bool hold(Process& process) {
  while (is_suspended(process) && !process.must_end) {
    scheduler::Thread::park();
    obey_all(process);
  }
  if (process.must_end) set_suspended(process, false);
  return process.must_end;
}

}  // namespace runtime

using runtime::Call;
using runtime::Process;
using runtime::Relation;
using runtime::RelationKind;

std::expected<void, ProcessError> try_suspend(Pid pid) {
  const Call call;
  Process& process = call.process();
  if (pid == process.pid()) throw BadArgument("a process cannot suspend itself: rt::suspend");
  if (runtime::is_unwinding(process)) throw Unwinding();
  // There before it is asked, so that an end of the caller in the middle takes it back.
  if (!process.relations.find_suspended(pid))
    process.relations.add({.kind = RelationKind::suspends, .peer = pid});
  Message answer = runtime::ask(process, pid, mailbox::SignalKind::suspend, 0, Deadline::never());
  Relation* held = process.relations.find_suspended(pid);
  if (answer.get_if<runtime::SuspendAnswer>()->is_suspended) {
    ++held->mine;
    return {};
  }
  if (held->mine == 0) process.relations.remove(*held);
  return std::unexpected(
      ProcessError(ExitReason::noproc(), "rt::suspend: there is no process " + pid.to_string()));
}

void suspend(Pid pid) {
  if (auto suspended = try_suspend(pid); !suspended) throw std::move(suspended).error();
}

void resume(Pid pid) {
  const Call call;
  Process& process = call.process();
  Relation* held = process.relations.find_suspended(pid);
  if (!held || held->mine == 0)
    throw BadArgument("rt::resume: the caller has not suspended " + pid.to_string());
  if (--held->mine != 0) return;
  process.relations.remove(*held);
  runtime::send_signal(
      call.system(), pid, runtime::make_signal(mailbox::SignalKind::resume, process.pid()));
}

}  // namespace airssys::rt
