// run.cpp: bodies, behaviours, and what an exception means.
#include "runtime/run.hpp"

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/detail/on_unwind.hpp>
#include <airssys/rt/from.hpp>
#include <string_view>
#include <utility>

#include "fiber/unwind.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/exit.hpp"
#include "runtime/hibernate.hpp"
#include "runtime/idler.hpp"
#include "runtime/priority.hpp"
#include "runtime/receive.hpp"
#include "runtime/signals.hpp"
#include "runtime/suspend.hpp"
#include "runtime/system.hpp"
#include "runtime/wait.hpp"
#include "runtime/wait_circle.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;
using scheduler::Turn;

namespace {

bool is_system_request(mailbox::Signal& signal) {
  return Envelope::of_signal(signal).header.type->server == &detail::system_identity;
}

// Which then needs no place in the mail.
mailbox::Signal* take_lone_message(Process& process) {
  if (!process.mail.is_empty()) return nullptr;
  mailbox::Signal* signal = lone_message(process, brings_monitor);
  if (!signal) return nullptr;
  process.pending = nullptr;
  if (signal->flags != 0) accept_monitor(process, Envelope::of_signal(*signal));
  return signal;
}

// Out of the way of those who do not fail, and out of the frames that they wait in.
[[gnu::cold, gnu::noinline]] Turn end_by_failure(Process& process,
                                                 Failure& failure,
                                                 std::string_view callback,
                                                 const detail::MessageType* message = nullptr,
                                                 Pid client = {}) {
  return end_by(process, std::move(failure), {callback, message, client});
}

// Hands a message to the behaviour. False: that failed, and the process is gone.
bool handle(Process& process, mailbox::Signal& signal) {
  // A look from outside is nothing that came (G13).
  if (process.own_extras() && !is_system_request(signal)) [[unlikely]]
    disarm_idler(process);
  Envelope& envelope = Envelope::of_signal(signal);
  if (envelope.flags != 0) [[unlikely]]
    unmark(process, envelope);
  const detail::MessageType* type = envelope.header.type;
  Behaviour& behaviour = *process.program->behaviour();
  Pid client;  // who waits for the answer, if the handler fails
  std::optional<Failure> failure = run_code([&] {
    Message message(envelope.payload());
    detail::OnUnwind note([&] { client = detail::caller_of(message); });
    behaviour.message(message);
    note.disarm();
  });
  if (failure) [[unlikely]]
    end_by_failure(process, *failure, "message", type, client);
  return !failure;
}

// At rest, without a stack: it is somebody else's now. False: something has come meanwhile.
bool rests(Process& process, WaitReason reason) {
  process.fiber = nullptr;
  process.note(Behind::with_nothing);
  Thread::current()->settle_account();
  process.wait_reason.store(reason, std::memory_order_relaxed);  // relaxed: for show
  return process_may_rest(process);
}

// Its slice is used up: what it had of a stack it does not need.
bool gives_way(Process& process) {
  if (!Thread::current()->slice_is_over()) return false;
  process.fiber = nullptr;
  Thread::current()->settle_account();
  return true;
}

// Between two messages: when the mail is used up, or something urgent has come; else once in each
// turn, as bodies do (safe_point). A suspended process rests only when nothing is left to act on.
bool obey_if_due(Process& process, bool is_first) {
  if (is_first || process.mail.is_empty() || process.urgency.is_raised() || is_suspended(process))
    return obey_at_rest(process);
  return process.must_end;
}

// Nothing to see to before it rests: what comes just now, the inbox knows.
bool has_nothing_left(const Process& process) {
  return !process.pending && process.mail.is_empty() && !process.own_extras() && !process.must_end;
}

// Message after message, as long as the slice lasts; then it rests, without a stack.
Turn serve(Process& process) {
  for (bool is_first = true;; is_first = false) {
    mailbox::Signal* signal = take_lone_message(process);
    const std::int32_t charge = signal ? 2 : 1;  // a lone one also for taking it in, as obey does
    const bool must_end = !signal && obey_if_due(process, is_first);
    show_running(process);
    if (must_end) return finish(process);
    if (!signal && !is_suspended(process)) signal = process.mail.take_oldest();
    if (signal) {
      Thread::current()->charge(charge);
      if (!handle(process, *signal)) return Turn::over;
    } else if (process.own_extras() && !is_suspended(process) && idler_is_due(process)) {
      if (auto failure = run_code([&process] { process.program->behaviour()->idle(); }))
        return end_by_failure(process, *failure, "idle");
    } else {
      if (rests(process, WaitReason::receive)) return Turn::over;
      continue;
    }
    if (gives_way(process)) return Turn::again;
    if (has_nothing_left(process) && rests(process, WaitReason::receive)) return Turn::over;
  }
}

// What a behaviour does behind its start. False: that failed, and the process is gone.
[[gnu::noinline]] bool get_ready(Process& process) {
  auto failure = run_code([&process] { process.program->behaviour()->ready(); });
  if (failure) end_by_failure(process, *failure, "ready");
  return !failure;
}

Turn start(Process& process) {
  // A signal that comes before the first turn ends a process that never ran (Z11).
  while (!obey_at_rest(process) &&
         (is_suspended(process) || (process.own_extras() && awaits_mail(process)))) {
    if (rests(process, awaits_mail(process) ? WaitReason::hibernation : WaitReason::none))
      return Turn::over;
    if (gives_way(process)) return Turn::again;
  }
  if (process.must_end) return finish(process);
  process.wait_reason.store(WaitReason::none, std::memory_order_relaxed);  // relaxed: for show
  process.has_started = true;
  auto failure = run_code([&process] {
    process.program->run();
    if (!process.program->behaviour()) destroy_program(process);
  });
  if (process.is_ending) return finish(process);
  if (failure)
    return end_by_failure(process, *failure, process.program->behaviour() ? "start" : "");
  return get_ready(process) ? serve(process) : Turn::over;
}

}  // namespace

Turn run_process(scheduler::Task& task) {
  auto& process = static_cast<Process&>(task);
  return process.has_started ? serve(process) : start(process);
}

Turn process_was_cut(scheduler::Task& task, fiber::Ended why) {
  auto& process = static_cast<Process&>(task);
  if (change_body(process, why)) return start(process);
  if (why != fiber::Ended::unwound) {
    forget_cut_frames(process);
    note_cut(process, why);
  }
  return finish(process);
}

void forget_cut_frames(Process& process) noexcept {
  process.mail.forget_cursors();
  find_priority_end(process);
  show_running(process);
  show_call(process, 0, 0);
  process.destroys_dropped = false;
  process.is_suspended.store(false, std::memory_order_relaxed);  // relaxed: it was held no longer
  if (changes_body(process)) process.must_end = false;           // that was for the unwind
}

void note_cut(Process& process, fiber::Ended why) {
  current_system().abandoned.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
  const bool overflowed = why == fiber::Ended::overflowed;
  // A forced unwind that met noexcept keeps its own reason (Z4).
  if (!is_unwinding(process))
    process.reason = ExitReason::error(overflowed ? "stack_overflow" : "noexcept_violation");
  report_abandoned(process, overflowed ? "stack overflow" : "noexcept violation");
}

bool process_may_rest(scheduler::Task& task) {
  return static_cast<Process&>(task).inbox.try_idle();
}

}  // namespace airssys::rt::runtime
