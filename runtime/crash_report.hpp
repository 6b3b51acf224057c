// crash_report.hpp: what is reported of a process that is not well, or did not end in order.
#pragma once

#include <airssys/rt/detail/crash_context.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "fiber/context.hpp"
#include "runtime/failure.hpp"
#include "runtime/process.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// Whether an end for this reason is a crash of which a report tells (X16). Inside.
bool is_crash_reported(const ExitReason& reason) noexcept;

// The reason as text, whatever a value's to_string(), which is the user's, does: if that fails for
// good, the process is cut off. By the owner, inside.
std::string words_of(const ExitReason& reason);

// The process's code has failed in this context. Says nothing of an orderly end (X16); who dies of
// somebody else's end is not reported again. By the owner, on the stack that failed.
void report_crash(Process& process, const Failure& failure, const detail::CrashContext& context);

// A signal ends the program's first process for this reason, which is not orderly (E1). By the
// owner.
void report_main_ended(const Process& process, Pid from, const ExitReason& reason);

// The process has more mail than it may have (P18).
void report_mailbox(const Process& process);

// A mailbox has reached its soft mark by a message of this sender, null for a plain thread. Inside,
// any thread.
void report_overload(System& system, Pid from, Pid to, std::uint64_t messages, std::uint64_t bytes);

// The process was cut off: what its frames owned is lost (Z4).
void report_abandoned(Process& process, std::string_view why);

// The destructor of a message that nobody was to have was cut off, on a fiber of its own (Z13).
void report_cut_destructor(System& system,
                           const detail::MessageType& type,
                           const fiber::Fiber& fiber,
                           fiber::Ended why);

}  // namespace airssys::rt::runtime
