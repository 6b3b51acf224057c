// info.hpp: what can be asked about a process.
//
// process_info is a request that travels with the caller's other signals, so what it answers
// includes everything the caller has sent before (P13). What only reads published words (state,
// counters) is also seen by the inspector without asking anybody.
#pragma once

#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace airssys::rt {

enum class ProcessState : std::uint8_t {
  runnable,   // in a run queue
  running,    // on a thread
  waiting,    // for mail or for what wait_reason says
  suspended,  // by somebody's `suspend`
  blocking,   // in a job of the blocking pool
  exiting,    // its end is under way
};
const char* to_string(ProcessState state) noexcept;

struct ProcessInfo {
  Pid pid;
  Pid parent;
  std::string name;
  std::string code;  // what it runs: a class, or a function's type; empty: unknown
  ProcessState state = ProcessState::runnable;
  std::string wait_reason;  // what it waits for, by name; empty when it does not wait
  Pid waits_for;            // whose answer or room it waits for, if anybody's
  Priority priority = Priority::normal;
  bool traps_exits = false;
  std::uint64_t reductions = 0;
  std::size_t message_queue_len = 0;
  std::size_t memory_bytes = 0;  // control block, stack if it has one, queued mail
  std::vector<Pid> links;
  std::vector<Pid> monitors;      // whom it watches
  std::vector<Pid> monitored_by;  // who watches it
};

// Suspends until the process has answered; empty for a dead one. Of oneself at once. For processes.
std::optional<ProcessInfo> process_info(Pid pid);

// All processes as they look from outside, without asking any of them: for those that do not answer,
// because they never call the runtime or are being ended. What only a process itself knows is empty
// here: whether it traps exits, its priority, links and monitors. The rest of one need not belong to
// the same moment. Linear in their number. Any process; does not suspend.
std::vector<ProcessInfo> snapshot_processes();

// All processes that lived through the whole call are in it (P19). Any process; does not suspend.
std::vector<Pid> processes();

}  // namespace airssys::rt
