// crash_report.hpp: what is reported of a process that is not well, or did not end in order.
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <cstdint>
#include <string_view>

#include "runtime/process.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// The process's code has ended by itself, with this reason, while it handled a message of this
// type; empty: none. Says nothing of an orderly one (X16); who dies of somebody else's end is not
// reported again. By the owner, on the stack that failed.
void report_crash(const Process& process, const ExitReason& reason, std::string_view message = {});

// The process has more mail than it may have (P18).
void report_mailbox(const Process& process);

// A mailbox has reached its soft mark by a message of this sender, null for a plain thread. Inside,
// any thread.
void report_overload(System& system, Pid from, Pid to, std::uint64_t messages, std::uint64_t bytes);

// The process was cut off: what its frames owned is lost (Z4).
void report_abandoned(const Process& process, std::string_view why);

}  // namespace airssys::rt::runtime
