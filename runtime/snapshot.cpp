// snapshot.cpp: one row after the other.
#include "runtime/snapshot.hpp"

#include <utility>

#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/info.hpp"
#include "runtime/label.hpp"
#include "runtime/outside.hpp"

namespace airssys::rt::runtime {

namespace {

Row row_of(System& system, const Process& process, Pid pid) {
  // relaxed, twice: for show.
  const WaitReason reason = process.wait_reason.load(std::memory_order_relaxed);
  const std::uint64_t waits_for = process.waits_for.load(std::memory_order_relaxed);
  Row row{.pid = pid,
          .parent = process.parent,
          .name = system.names.name_of(pid),
          .label = label_of(process),
          .code = process.code ? *process.code : std::string_view(),
          .state = state_of(process, reason),
          .wait_reason = reason,
          .waits_for = Pid::from_bits(waits_for),
          .born = process.born,
          .reductions = process.reductions.read(),
          .messages = process.mail.count(),
          .message_bytes = process.mail.bytes(),
          .is_bounded = bounds_of(process) != nullptr,
          .is_overloaded = is_overloaded(process),
          .drops = {}};
  row.drops.by_reason = drops_of(process);
  return row;
}

}  // namespace

void snapshot(System& system, const std::function<void(const Row&)>& visit) {
  snapshot(system, 0, ProcessTable::slots_max, visit);
}

std::uint32_t snapshot(System& system,
                       std::uint32_t first,
                       std::uint32_t last,
                       const std::function<void(const Row&)>& visit) {
  const Visit inside(system);
  return system.table.each(first, last, [&](const Process& process) {
    // relaxed: `each` has acquired it; it may have gone since, and then this is no pid any more.
    const std::uint64_t bits = process.pid_bits.load(std::memory_order_relaxed);
    if (!(bits & Process::free_bit)) visit(row_of(system, process, Pid::from_bits(bits)));
  });
}

std::optional<ProcessInfo> look_at(System& system, Pid pid) {
  const Process* process = system.find(pid);
  if (!process) return std::nullopt;
  Row row = row_of(system, *process, pid);
  ProcessInfo info;
  info.pid = row.pid;
  info.parent = row.parent;
  info.name = std::move(row.name);
  info.label = std::move(row.label);
  info.code = row.code;
  info.state = row.state;
  info.wait_reason = to_string(row.wait_reason);
  info.waits_for = row.waits_for;
  info.reductions = row.reductions;
  info.message_queue_len = row.messages;
  info.message_bytes = row.message_bytes;
  info.is_overloaded = row.is_overloaded;
  info.drops = row.drops;
  info.has_answered = false;
  return info;
}

std::vector<SchedulerStatistics> scheduler_statistics(System& system) {
  std::vector<SchedulerStatistics> all;
  for (unsigned id = 0; id < system.count(); ++id) {
    const scheduler::Scheduler& scheduler = system.scheduler(id);
    const scheduler::Counters& counters = scheduler.counters;
    const scheduler::Times times = scheduler.times(system.clock.now_ns());
    all.push_back({.scheduler = id + 1,
                   .queued = scheduler.queued(),
                   .turns = counters.turns.read(),
                   .reductions = counters.reductions.read(),
                   .steals = counters.steals.read(),
                   .sleeps = counters.sleeps.read(),
                   .timers = counters.timers.read(),
                   .hand_overs = counters.hand_overs.read(),
                   .busy = Duration(times.busy_ns),
                   .total = Duration(times.total_ns)});
  }
  return all;
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

std::vector<SchedulerStatistics> scheduler_statistics() {
  if (!runtime::calling_process()) return runtime::scheduler_statistics(runtime::guest_system());
  const runtime::Call call(runtime::Call::Kind::plain);
  return runtime::scheduler_statistics(call.system());
}

}  // namespace airssys::rt
