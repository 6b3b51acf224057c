// verbs.cpp: what a process does to itself: spawn, exit, yield, sleep, flags, names.
#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/schedulers.hpp>
#include <algorithm>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/exit.hpp"
#include "runtime/monitor.hpp"
#include "runtime/outside.hpp"
#include "runtime/relations.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/wait.hpp"
#include "runtime/wait_circle.hpp"

namespace airssys::rt {

using runtime::Call;
using runtime::Process;
using runtime::RelationKind;

namespace {

constexpr std::int32_t spawn_reductions = 4;

void join_by_link(Process& parent, Process& child) {
  const std::uint64_t id = parent.new_ref();
  child.follows_parent = true;
  parent.relations.add({.kind = RelationKind::link, .peer = child.pid(), .mine = id});
  child.relations.add({.kind = RelationKind::link, .peer = parent.pid(), .theirs = id});
}

}  // namespace

namespace detail {

Spawned spawn(Program* program,
              const SpawnOptions* options,
              bool link,
              Monitored monitored,
              void* tagged,
              Down* down) {
  std::unique_ptr<Program> owned(program);
  std::unique_ptr<runtime::DownNote> note;
  if (tagged) note = runtime::note_of(tagged, down);
  Process* caller = runtime::calling_process();
  if (!caller) [[unlikely]] {
    if (link || monitored != Monitored::no) runtime::refuse_plain_thread();
    return {runtime::spawn_from_outside(runtime::guest_system(), owned.release(), options), {}};
  }
  const Call call(*caller, spawn_reductions);
  Process& parent = call.process();
  Process& child = call.system().create(owned.release(), options, parent.pid());
  Spawned spawned{child.pid(), {}};
  if (link) join_by_link(parent, child);
  if (monitored != Monitored::no) {
    spawned.ref = runtime::monitor_newborn(
        parent, child, options ? options->monitor : MonitorOptions(), std::move(note));
  }
  if (monitored == Monitored::until_started)
    runtime::show_call(parent, child.pid().bits(), runtime::call_number(spawned.ref.id));
  call.thread().make_newborn_runnable(child);
  return spawned;
}

std::expected<Spawned, SpawnError> try_spawn(Program* program,
                                             const SpawnOptions& options,
                                             Monitored monitored) {
  try {
    return spawn(program, &options, options.link, monitored);
  } catch (const SpawnError& refused) {
    return std::unexpected(refused);
  } catch (const NameError& refused) {
    const bool is_taken = refused.kind() == NameError::taken;
    return std::unexpected(SpawnError(is_taken ? SpawnError::name_taken : SpawnError::already_named,
                                      refused.reason(),
                                      refused.what(),
                                      refused.holder()));
  }
}

}  // namespace detail

Pid spawn_behaviour(std::unique_ptr<Behaviour> behaviour, const SpawnOptions& options) {
  return detail::spawn(behaviour.release(), &options, options.link, detail::Monitored::no).pid;
}

Spawned spawn_behaviour_monitor(std::unique_ptr<Behaviour> behaviour, const SpawnOptions& options) {
  return detail::spawn(behaviour.release(), &options, options.link, detail::Monitored::yes);
}

// These two do not enter the runtime: what they read is the caller's own.
Pid self() {
  return runtime::current_process().pid();
}

Pid parent() {
  return runtime::current_process().parent;
}

void exit(ExitReason reason) {
  if (reason.is_orderly()) throw runtime::OrderlyExit(std::move(reason));
  throw ExitException(std::move(reason));
}

bool trap_exit(bool on) {
  const Call call;
  Process& process = call.process();
  const bool before = process.traps_exits;
  process.traps_exits = on;
  return before;
}

void detail::hear_system_requests(bool on) {
  const Call call(Call::Kind::plain);
  call.process().hears_system_requests = on;
}

Priority set_priority(Priority priority) {
  const Call call;
  if (priority > Priority::max) throw BadArgument("rt::set_priority: there is no such priority");
  const auto old = std::exchange(call.process().level, static_cast<scheduler::Level>(priority));
  return static_cast<Priority>(old);
}

unsigned schedulers() {
  return Call(Call::Kind::plain).system().count();
}

unsigned current_scheduler() {
  return Call(Call::Kind::plain).thread().scheduler().id() + 1;
}

unsigned set_scheduler(unsigned scheduler) {
  const Call call;
  Process& process = call.process();
  if (scheduler > call.system().count())
    throw BadArgument("rt::set_scheduler: there is no such scheduler");
  const unsigned before = std::exchange(process.pinned_to, static_cast<std::uint8_t>(scheduler));
  const bool is_there = scheduler == 0 || scheduler == call.thread().scheduler().id() + 1;
  if (!is_there && !runtime::is_unwinding(process)) call.give_way();
  return before;
}

void yield() {
  const Call call(Call::Kind::plain);
  Process& process = call.process();
  if (runtime::is_unwinding(process)) return;
  call.charge(scheduler::yield_reductions);
  call.give_way();
}

void sleep(Duration time) {
  const Deadline deadline = Deadline::after(time);
  Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  runtime::wait_until_over(process, runtime::WaitReason::sleep, timeout);
}

void reductions(std::uint32_t n) {
  const Call call(Call::Kind::plain);
  call.charge(static_cast<std::int32_t>(
      std::min(n, static_cast<std::uint32_t>(scheduler::slice_reductions))));
  call.safe_point();
}

std::expected<void, NameError> try_register_name(std::string_view name, Pid pid) {
  const Call call;
  return call.system().names.give(name, pid, call.system().find(pid));
}

void register_name(std::string_view name, Pid pid) {
  if (auto named = try_register_name(name, pid); !named) throw std::move(named).error();
}

std::expected<void, NameError> try_unregister_name(std::string_view name) {
  const Call call;
  runtime::System& system = call.system();
  return system.names.take_back(name, [&system](Pid pid) { return system.find(pid); });
}

void unregister_name(std::string_view name) {
  if (auto taken = try_unregister_name(name); !taken) throw std::move(taken).error();
}

std::optional<Pid> whereis(std::string_view name) {
  if (!runtime::calling_process()) return runtime::guest_system().names.find(name);
  const Call call;
  return call.system().names.find(name);
}

}  // namespace airssys::rt
