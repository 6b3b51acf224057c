// survivors.hpp: who has not ended in time, and what each of them waits for.
//
//   process <0.14.1> "uploads" (Uploads) has not stopped in time: it waits for reply from
//   <0.12.1> for 12.3 s, with 3 messages, in Uploads::flush() (daemon+0x1a2b)
#pragma once

#include <airssys/rt/info.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/report.hpp>
#include <string_view>
#include <vector>

namespace airssys::rt::detail {

// What these answer of themselves, or how they look from outside: who does not end may not answer
// either, and this takes half a second at most. Without those that have ended meanwhile. For
// processes; suspends.
std::vector<ProcessInfo> ask_survivors(const std::vector<Pid>& pids);

// An error of this kind: the line says who it is, `what`, what it waits for, since when and where.
// The place is the innermost call whose name the program exports and that is its own, or the
// innermost addresses for addr2line.
Report survivor_report(std::string_view kind, const ProcessInfo& process, std::string_view what);

}  // namespace airssys::rt::detail
