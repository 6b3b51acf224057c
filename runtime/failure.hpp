// failure.hpp: how process code failed, and the end of a process that way.
//
//   body:       failed ──▶ report ──▶ finish
//   behaviour:  failed ──▶ describe ──▶ terminate ──▶ last reply ──▶ report ──▶ finish
//
// A reason is what links and monitors hear, and it may say less than the exception: a CallError
// that nobody catches ends its process with the reason of the one that was called. So a failure
// keeps both, for the report (G19).
#pragma once

#include <airssys/rt/detail/crash_context.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <string>

#include "runtime/process.hpp"
#include "scheduler/task.hpp"

namespace airssys::rt::runtime {

struct Failure {
  ExitReason reason = {};
  std::string type = {};         // of the exception, as a person writes it; empty: an exit
  std::string what = {};         // its words
  detail::LastReply reply = {};  // owed when the code has left by exit_with_reply (G16)
};

// In a catch block. Without the reply, which stays with an exception that may be thrown on.
Failure failure_of_current_exception();

// Ends a process whose code has failed in this context; by the owner, inside, on the stack that
// failed. A behaviour that has started is told, and its own failure in that is what counts then
// (G15, G18).
scheduler::Turn end_by(Process& process, Failure failure, detail::CrashContext context);

}  // namespace airssys::rt::runtime
