// hibernate.cpp: the two forms of a long wait.
#include "runtime/hibernate.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/hibernate.hpp>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/exit.hpp"
#include "runtime/extras.hpp"
#include "runtime/run.hpp"
#include "runtime/wait.hpp"
#include "runtime/waited.hpp"

namespace airssys::rt::runtime {

bool changes_body(const Process& process) noexcept {
  const Extras* extras = process.own_extras();
  return extras && extras->hibernation.next_body;
}

bool change_body(Process& process, fiber::Ended why) {
  if (!changes_body(process)) return false;
  process.must_end = false;  // it was for the unwind
  // A part of it may have been cut off by itself.
  const bool was_cut = process.reason.kind() != ExitReason::Kind::normal;
  if (why != fiber::Ended::unwound || was_cut) return false;
  Extras* extras = process.own_extras();
  if (detail::Program* old = std::exchange(process.program, nullptr))
    run_code([old] { delete old; });
  process.program = extras->hibernation.next_body.release();
  process.code = process.program->name();
  process.has_started = false;
  extras->hibernation.awaits_mail = true;
  return true;
}

bool awaits_mail(const Process& process) noexcept {
  const Extras* extras = process.own_extras();
  return extras && extras->hibernation.awaits_mail && process.mail.count() == 0;
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

using runtime::Call;
using runtime::Process;

void hibernate() {
  const Call call;
  Process& process = call.process();
  if (runtime::is_unwinding(process)) throw Unwinding();
  runtime::take_in(process);
  runtime::OneWait wait;
  while (process.mail.count() == 0) {
    wait.rests();
    runtime::hibernate_until_something_comes(process);
  }
}

void detail::hibernate_until_mail(Program* entry) {
  std::unique_ptr<Program> owned(entry);
  const Call call;
  Process& process = call.process();
  if (runtime::is_unwinding(process)) throw Unwinding();
  if (process.program->behaviour())
    throw BadArgument("rt::hibernate(entry) is for bodies; a behaviour at rest has no stack");
  runtime::extras_of(process).hibernation.next_body = std::move(owned);
  process.must_end = true;
  runtime::end_here();
}

}  // namespace airssys::rt
