// snapshot.hpp: processes and schedulers as they look from outside, without asking any of them.
//
// Only words that one writer publishes are read, so a snapshot can be taken while every scheduler
// is stuck. The words of one row need not belong to the same moment. Mail counts what its owner has
// taken out of its inbox; what has just come, or waits in front of a stuck process, is not in it
// yet.
#pragma once

#include <airssys/rt/info.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/schedulers.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bounds.hpp"
#include "runtime/system.hpp"
#include "runtime/wait_reason.hpp"

namespace airssys::rt::runtime {

struct Row {
  Pid pid;
  Pid parent;
  std::string name;
  std::string label;
  std::string_view code;                        // what its program is called; empty: unknown
  ProcessState state = ProcessState::runnable;  // any but running
  WaitReason wait_reason = WaitReason::none;
  Pid waits_for;
  std::uint64_t born = 0;        // grows with time
  std::uint64_t reductions = 0;  // counted when a turn ends
  std::uint32_t messages = 0;
  std::uint64_t message_bytes = 0;
  bool is_bounded = false;
  bool is_overloaded = false;  // has reached a soft mark
  Drops drops;                 // by reason alone
};

// Calls visit for each process that is alive at some moment of the call; those that live through
// all of it are among them. Any thread, outside; visit runs inside and must be short: while it
// runs, no block of a dead process is used again.
void snapshot(System& system, const std::function<void(const Row&)>& visit);
// The same, of those with slots from first to before last. Answers where to go on, 0 after the last
// one: for a million rows that hold nobody up.
std::uint32_t snapshot(System& system,
                       std::uint32_t first,
                       std::uint32_t last,
                       const std::function<void(const Row&)>& visit);

// One process, as a ProcessInfo that was not answered; nothing when its slot is free. Inside.
std::optional<ProcessInfo> look_at(System& system, Pid pid);

// Any thread.
std::vector<SchedulerStatistics> scheduler_statistics(System& system);

}  // namespace airssys::rt::runtime
