// info.cpp: process_info, is_alive, processes: asked and answered.
#include "runtime/info.hpp"

#include <airssys/rt/info.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <utility>

#include "base/symbol.hpp"
#include "fiber/call_stack.hpp"
#include "fiber/context.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/call_reply.hpp"
#include "runtime/extras.hpp"
#include "runtime/receive.hpp"
#include "runtime/relations.hpp"
#include "runtime/signals.hpp"
#include "runtime/snapshot.hpp"
#include "runtime/suspend.hpp"
#include "runtime/wait.hpp"
#include "scheduler/coarse_time.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

struct InfoAnswer {
  std::optional<ProcessInfo> info;
  std::vector<const void*> calls;  // to be named by who has asked
};
struct AliveAnswer {
  bool is_alive;
};

// Of a stack with process code on it; a process that rests without one has none.
std::size_t stack_bytes(const Process& process) noexcept {
  if (!process.fiber) return 0;
  const fiber::Fiber& fiber = *process.fiber;
  return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&fiber) - fiber.low) +
         sizeof(fiber);
}

void add_relations(ProcessInfo& info, Process& process) {
  for (const Relation& relation : process.relations.all()) {
    switch (relation.kind) {
      case RelationKind::link:
        info.links.push_back(relation.peer);
        break;
      case RelationKind::monitor:
        info.monitors.push_back(relation.peer);
        break;
      case RelationKind::monitored_by:
        info.monitored_by.push_back(relation.peer);
        break;
      case RelationKind::suspended_by:
        info.suspended_by.push_back(relation.peer);
        break;
      case RelationKind::unlinked:
      case RelationKind::alias:
      case RelationKind::suspends:
        break;
    }
  }
}

void add_messages(ProcessInfo& info, Process& process) {
  info.messages.reserve(info.message_queue_len);
  for (mailbox::Signal* signal = process.mail.oldest(); signal; signal = signal->next)
    info.messages.push_back(Envelope::of_signal(*signal).header.type->name);
}

// It is made by code of the user's, which may throw.
std::string text_of(const detail::LocalValue& value) {
  try {
    return value.text();
  } catch (...) {
    return {'?'};
  }
}

void add_dictionary(ProcessInfo& info, const Extras& extras) {
  for (const auto& value : extras.dictionary.values())
    info.dictionary.push_back({std::string(value->name), text_of(*value)});
}

std::size_t memory_of(Process& process) {
  return sizeof(Process) + stack_bytes(process) + process.mail.bytes() +
         process.relations.heap_bytes() + (process.own_extras() ? sizeof(Extras) : 0);
}

void add_drops(ProcessInfo& info, const Process& process) {
  info.drops.by_reason = drops_of(process);
  if (const Bounds* bounds = bounds_of(process)) bounds->drops.add_senders(info.drops);
}

// In which a process obeys, on its way to whatever it waits for.
bool leads_here(const void* function) {
  const auto is = [function](auto* of_runtime) {
    return function == reinterpret_cast<const void*>(of_runtime);
  };
  return is(&obey_here) || is(&hold) || is(&detail::take_mail) || is(&take_reply) ||
         is(&take_mail_behind) || is(&wait_until_over) || is(&hibernate_until_something_comes) ||
         is(static_cast<bool (*)(Process&, Waker&, WaitReason, const Timeout&)>(&wait_for));
}

// By the owner, which walks its own stack: nobody else knows that it stands still.
std::vector<const void*> calls_of_process() {
  fiber::CallStack stack;
  fiber::note_calls(scheduler::Thread::current()->fiber(), stack, &leads_here);
  return {stack.calls().begin(), stack.calls().end()};
}

// By the owner.
ProcessInfo info_of(System& system, Process& process, std::uint8_t wanted) {
  scheduler::Thread::current()->settle_account();
  // relaxed, twice: its own words.
  const WaitReason reason = process.wait_reason.load(std::memory_order_relaxed);
  const auto waits_for = Pid::from_bits(process.waits_for.load(std::memory_order_relaxed));
  ProcessInfo info{.pid = process.pid(),
                   .parent = process.parent,
                   .name = system.names.name_of(process.pid()),
                   .label = label_of(process),
                   .code = process.code ? *process.code : std::string_view(),
                   .state = state_of(process, reason),
                   .wait_reason = to_string(reason),
                   .waits_for = waits_for,
                   .waited = {},
                   .priority = static_cast<Priority>(process.level),
                   .traps_exits = process.traps_exits,
                   .reductions = process.reductions.read(),
                   .message_queue_len = process.mail.count(),
                   .message_bytes = process.mail.bytes(),
                   .is_overloaded = is_overloaded(process),
                   .memory_bytes = memory_of(process),
                   .drops = {},
                   .links = {},
                   .monitors = {},
                   .monitored_by = {},
                   .suspended_by = {},
                   .messages = {},
                   .dictionary = {},
                   .stack = {},
                   .has_answered = true};
  const scheduler::Thread& thread = *scheduler::Thread::current();
  if (reason != WaitReason::none && thread.fiber().entry_frame)
    info.waited =
        Duration(scheduler::ns_since(thread.fiber().waits_since, thread.pool().clock.now_ns()));
  if (info.state == ProcessState::runnable) info.state = ProcessState::running;  // to answer
  add_relations(info, process);
  if (wanted & wants_messages) add_messages(info, process);
  const Extras* extras = process.own_extras();
  if (extras && (wanted & wants_dictionary)) add_dictionary(info, *extras);
  add_drops(info, process);
  return info;
}

// By the owner.
InfoAnswer own_answer(System& system, Process& process, std::uint8_t wanted) {
  InfoAnswer answer{info_of(system, process, wanted), {}};
  if (wanted & wants_stack) answer.calls = calls_of_process();
  return answer;
}

std::uint8_t flags_of(const InfoOptions& options) noexcept {
  return (options.messages ? wants_messages : 0) | (options.dictionary ? wants_dictionary : 0) |
         (options.stack ? wants_stack : 0);
}

template <class Answer>
void reply(System& system, const ControlSignal& request, Answer answer) {
  send_through_alias(
      system, Pid(), {request.from, request.mine}, detail::make_payload(std::move(answer)));
}

}  // namespace

ProcessState state_of(const Process& process, WaitReason reason) noexcept {
  // relaxed: for show.
  if (process.is_exiting.load(std::memory_order_relaxed)) return ProcessState::exiting;
  if (is_suspended(process)) return ProcessState::suspended;
  switch (reason) {
    case WaitReason::none:
      return ProcessState::runnable;
    case WaitReason::blocking_job:
      return ProcessState::blocking;
    default:
      return ProcessState::waiting;
  }
}

void answer_alive(System& system, const ControlSignal& request, bool is_alive) {
  reply(system, request, AliveAnswer{is_alive});
}

void answer_info(System& system, Process& process, const ControlSignal& request) {
  reply(system, request, own_answer(system, process, request.flags));
}

void answer_info_of_dead(System& system, const ControlSignal& request) {
  reply(system, request, InfoAnswer());
}

}  // namespace runtime

using runtime::Call;
using runtime::Process;

const char* to_string(ProcessState state) noexcept {
  switch (state) {
    case ProcessState::runnable:
      return "runnable";
    case ProcessState::running:
      return "running";
    case ProcessState::waiting:
      return "waiting";
    case ProcessState::suspended:
      return "suspended";
    case ProcessState::blocking:
      return "blocking";
    case ProcessState::exiting:
      return "exiting";
  }
  return "?";
}

bool is_alive(Pid pid) {
  const Call call;
  Process& process = call.process();
  if (pid == process.pid()) return true;
  Message answer =
      runtime::ask(process, pid, mailbox::SignalKind::alive_request, 0, Deadline::never());
  return answer.get_if<runtime::AliveAnswer>()->is_alive;
}

namespace {

using runtime::InfoAnswer;

InfoAnswer ask_info(Pid pid, const InfoOptions& options) {
  const Deadline deadline = Deadline::after(options.timeout);
  const Call call;
  Process& process = call.process();
  const std::uint8_t flags = runtime::flags_of(options);
  if (pid == process.pid()) {
    call.take_in_mail();
    return runtime::own_answer(call.system(), process, flags);
  }
  if (options.timeout > Duration::zero() && !runtime::is_unwinding(process)) {
    Message answer = runtime::ask(process, pid, mailbox::SignalKind::info_request, flags, deadline);
    if (auto* answered = answer.get_if<InfoAnswer>()) return std::move(*answered);
    if (deadline.is_never()) return {};
  }
  return {runtime::look_at(call.system(), pid), {}};
}

}  // namespace

std::optional<ProcessInfo> process_info(Pid pid, const InfoOptions& options) {
  InfoAnswer answer = ask_info(pid, options);
  // Outside of the runtime: names may take more of the stack than a call of it has for certain.
  for (const void* call : answer.calls)
    answer.info->stack.push_back(to_string(base::symbol_at(call)));
  return std::move(answer.info);
}

std::vector<Pid> processes() {
  const Call call;
  std::vector<Pid> pids;
  call.system().table.each([&pids](const Process& process) {
    // acquire: pairs with the store in NameRegistry::release: whoever was told that it is gone does
    // not find it here.
    if (process.is_exiting.load(std::memory_order_acquire)) return;
    // relaxed: it may have gone since; then this is no pid any more.
    const std::uint64_t bits = process.pid_bits.load(std::memory_order_relaxed);
    if (!(bits & Process::free_bit)) pids.push_back(Pid::from_bits(bits));
  });
  return pids;
}

}  // namespace airssys::rt
