// ends.hpp: how other processes end, as the process that runs a test sees it. All of these wait.
#pragma once

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <concepts>
#include <ostream>
#include <utility>

namespace airssys::rt {

inline void PrintTo(const ExitReason& reason, std::ostream* out) {
  *out << reason.to_string();
}
inline void PrintTo(Pid pid, std::ostream* out) {
  *out << pid.to_string();
}

namespace support {

// The reason in this monitor's Down.
inline ExitReason reason_in_down(const MonitorRef& ref) {
  return receive(when([&ref](Down& down) { return down.ref == ref; },
                      [](Down& down) { return std::move(down.reason); }));
}

inline ExitReason reason_of(const Spawned& process) {
  return reason_in_down(process.ref);
}

// So many Downs, all of orderly ends.
inline void await_downs(std::integral auto count) {
  for (; count > 0; --count) EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
}

// Why the process ends, or noproc if it is gone already.
inline ExitReason end_of(Pid pid) {
  return reason_in_down(monitor(pid));
}

// The reason in the exit that this process, linked to the caller, which traps exits, sends.
inline ExitReason exit_of(Pid pid) {
  return receive(when([&](Exit& exit) { return exit.from == pid; },
                      [](Exit& exit) { return std::move(exit.reason); }));
}

}  // namespace support

}  // namespace airssys::rt
