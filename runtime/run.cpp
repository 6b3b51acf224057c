// run.cpp: bodies, behaviours, and what an exception means.
#include "runtime/run.hpp"

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/error.hpp>
#include <utility>

#include "fiber/unwind.hpp"
#include "runtime/bounds.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/exit.hpp"
#include "runtime/idler.hpp"
#include "runtime/receive.hpp"
#include "runtime/signals.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;
using scheduler::Turn;

namespace {

Turn end_with(Process& process, ExitReason reason) {
  report_crash(process, reason);
  process.reason = std::move(reason);
  return finish(process);
}

// G15, G18: the behaviour is told; its own failure in that is what counts then.
Turn end_behaviour(Process& process, ExitReason reason) {
  Behaviour& behaviour = *process.program->behaviour();
  if (auto failure = run_code(process, [&] { behaviour.terminate(reason); }))
    reason = std::move(*failure);
  return end_with(process, std::move(reason));
}

std::optional<ExitReason> call_message(Process& process, mailbox::Signal& signal) {
  Envelope& envelope = Envelope::of_signal(signal);
  if (envelope.flags != 0) unmark(process, envelope);
  Behaviour& behaviour = *process.program->behaviour();
  return run_code(process, [&] {
    Message message(envelope.payload());
    behaviour.message(message);
  });
}

bool is_system_request(mailbox::Signal& signal) {
  return Envelope::of_signal(signal).header.type->server == &detail::system_identity;
}

// What most turns begin with: one plain message has come, and there is nothing else. It needs no
// place in the mail.
mailbox::Signal* take_lone_message(Process& process) {
  mailbox::Signal* signal = process.pending;
  if (!signal || signal->next || signal->kind != mailbox::SignalKind::message) return nullptr;
  if (process.must_end || !process.mail.is_empty() || !process.inbox.looks_empty()) return nullptr;
  if (signal->flags != 0 || Envelope::of_signal(*signal).header.tag != 0) return nullptr;
  process.pending = nullptr;
  Thread::current()->charge(1);  // as obey does
  return signal;
}

// Message after message, as long as the slice lasts; then it rests, without a stack.
Turn serve(Process& process) {
  for (;;) {
    mailbox::Signal* signal = take_lone_message(process);
    if (!signal) {
      if (obey(process)) return finish(process);
      signal = process.mail.take_oldest();
    }
    // relaxed, here and below: for show. While it rests without a stack, it waits for mail.
    process.wait_reason.store(WaitReason::none, std::memory_order_relaxed);
    if (signal) {
      // A look from outside is nothing that came (G13).
      if (process.own_extras() && !is_system_request(*signal)) disarm_idler(process);
      Thread::current()->charge(1);
      if (auto failure = call_message(process, *signal))
        return end_behaviour(process, std::move(*failure));
    } else if (process.own_extras() && idler_is_due(process)) {
      Behaviour& behaviour = *process.program->behaviour();
      if (auto failure = run_code(process, [&] { behaviour.idle(); }))
        return end_behaviour(process, std::move(*failure));
    } else {
      process.fiber = nullptr;
      Thread::current()->settle_account();
      // relaxed: for show.
      process.wait_reason.store(WaitReason::receive, std::memory_order_relaxed);
      if (process_may_rest(process)) return Turn::over;
      continue;
    }
    if (Thread::current()->slice_is_over()) {
      process.fiber = nullptr;
      Thread::current()->settle_account();
      return Turn::again;
    }
  }
}

Turn start(Process& process) {
  // A signal that comes before the first turn ends a process that never ran (Z11).
  if (obey(process)) return finish(process);
  process.has_started = true;
  auto failure = run_code(process, [&] { process.program->run(); });
  if (failure) return end_with(process, std::move(*failure));
  if (Behaviour* behaviour = process.program->behaviour()) {
    if (auto late_failure = run_code(process, [&] { behaviour->ready(); }))
      return end_behaviour(process, std::move(*late_failure));
    return serve(process);
  }
  return end_with(process, ExitReason::normal());
}

}  // namespace

Turn run_process(scheduler::Task& task) {
  auto& process = static_cast<Process&>(task);
  return process.has_started ? serve(process) : start(process);
}

Turn process_was_cut(scheduler::Task& task, fiber::Ended why) {
  auto& process = static_cast<Process&>(task);
  process.is_inside = true;  // the runner has entered for it
  if (why != fiber::Ended::unwound) {
    System& system = current_system();
    system.abandoned.fetch_add(1, std::memory_order_relaxed);  // relaxed: a figure
    const bool overflowed = why == fiber::Ended::overflowed;
    report_abandoned(process, overflowed ? "stack overflow" : "noexcept violation");
    // A forced unwind that met noexcept keeps its own reason (Z4).
    if (!process.must_end && !process.is_ending)
      process.reason = ExitReason::error(overflowed ? "stack_overflow" : "noexcept_violation");
  }
  return finish(process);
}

bool process_may_rest(scheduler::Task& task) {
  return static_cast<Process&>(task).inbox.try_idle();
}

std::optional<ExitReason> run_code(Process& process, void (*code)(void*), void* argument) {
  fiber::Fiber& fiber = Thread::current()->fiber();
  std::optional<ExitReason> failure;
  try {
    process.is_inside = false;
    Thread::current()->leave();
    fiber::call_guarded(fiber, code, argument);
  } catch (...) {
    failure = reason_of_current_exception();
  }
  Thread::enter();
  process.is_inside = true;
  return failure;
}

}  // namespace airssys::rt::runtime
