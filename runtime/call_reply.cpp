// call_reply.cpp: pending calls and requests: an address, a mark in the mail, a wait for one
// message.
#include "runtime/call_reply.hpp"

#include <airssys/rt/call.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/extras.hpp"
#include "runtime/monitor.hpp"
#include "runtime/receive.hpp"
#include "runtime/relations.hpp"
#include "runtime/signals.hpp"
#include "runtime/timeout.hpp"
#include "runtime/wait_circle.hpp"
#include "runtime/waiting_for.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

bool came_through(void* alias_id, void* payload) {
  return detail::header_of(payload).tag == *static_cast<std::uint64_t*>(alias_id);
}

}  // namespace

Message ask(Process& process,
            Pid target,
            mailbox::SignalKind question,
            std::uint8_t flags,
            Deadline deadline) {
  const Timeout timeout(process, deadline);
  std::uint64_t id = process.new_ref();
  process.relations.add(
      {.kind = RelationKind::alias, .mode = AddressMode::until_reply, .mine = id});
  mailbox::Cursor mark(process.mail, mailbox::Cursor::Start::end);
  const WaitingFor edge(process, target);
  ControlSignal* request = make_signal(question, process.pid(), id);
  request->flags = flags;
  send_request(current_system(), target, request, process.level);
  Message reply(take_reply(process, mark, id, &came_through, &id, timeout));
  if (!reply) {
    if (Relation* alias = process.relations.find_alias(id)) process.relations.remove(*alias);
  }
  return reply;
}

}  // namespace runtime

namespace detail {

using runtime::Call;
using runtime::call_number;
using runtime::Process;
using runtime::Relation;

namespace {

// The mail up to the making of the call cannot hold its reply: the scan starts behind it (R10).
using Mark = mailbox::Cursor;
static_assert(sizeof(Mark) <= PendingCall::mark_bytes && alignof(Mark) <= alignof(void*));

Mark& mark_at(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<Mark*>(storage));
}

std::string shown(runtime::System& system, Pid pid) {
  const std::string name = system.names.name_of(pid);
  return name.empty() ? pid.to_string() : pid.to_string() + " \"" + name + "\"";
}

// "<0.2.1> waits for <0.3.1> waits for <0.1.1>"
std::string circle_of(runtime::System& system, Pid self, const runtime::RoundTrip& trip) {
  std::string text;
  for (const runtime::RoundTrip::Step& step : trip.steps())
    text += shown(system, Pid::from_bits(step.process)) + " waits for ";
  return text + shown(system, self);
}

bool waits_in_call(const Process& process) noexcept {
  // relaxed: a look that finds something reads it again.
  return process.waits_in_call.load(std::memory_order_relaxed) != 0;
}

// How long until a call that may be in a circle looks again, if others were awake.
constexpr Duration first_pause = std::chrono::microseconds(100);
constexpr Duration longest_pause = std::chrono::milliseconds(10);
constexpr int looks_to_make_sure = 11;

struct Wanted {
  std::uint64_t address;
  std::uint64_t monitor;
  // The reply, or the news that none will come.
  static bool accepts(void* context, void* payload) {
    const Wanted& wanted = *static_cast<Wanted*>(context);
    if (header_of(payload).tag == wanted.address) return true;
    const Down* down = payload_if<Down>(payload);
    return down != nullptr && down->ref.id == wanted.monitor;
  }
};

}  // namespace

CallError error_of(const Down& down) {
  const bool was_dead = down.reason.kind() == ExitReason::Kind::noproc;
  if (!down.pid) return {CallError::noproc, down.reason, "nobody has this name"};
  return {was_dead ? CallError::noproc : CallError::exited,
          down.reason,
          "call to " + down.pid.to_string() +
              (was_dead ? ": no such process"
                        : ": it ended before it answered: " + down.reason.to_string())};
}

PendingCall::PendingCall(Pid server, CallUse use) : server_(server) {
  const Call call(runtime::current_process(), 2);
  Process& process = call.process();
  call.take_in_mail();  // which the mark is to stand behind
  begin(process, use, call.system().find(server), [&] { watch(process); });
}

PendingCall::PendingCall(
    Pid server, CallUse use, Message& request, Alias& caller, Deadline deadline)
    : server_(server) {
  const Call call(runtime::current_process(), 3);
  Process& process = call.process();
  call.take_in_mail();  // as above
  Process* callee = call.system().find(server);
  if (!callee || !bounds_of(*callee)) [[likely]] {
    begin(process, use, callee, [&] { ask(process, callee, request, caller); });
    return;
  }
  // The send may wait for room, so the monitor goes ahead.
  begin(process, use, callee, [&] { watch(process); });
  if (circle_) return;
  caller = alias();
  is_refused_ = send_by(server, request.release(), deadline) == SendResult::full;
}

// `reach` sends the first thing that the callee gets.
template <class Reach>
inline void PendingCall::begin(Process& process, CallUse use, Process* callee, Reach reach) {
  ::new (static_cast<void*>(mark_)) Mark(process.mail, Mark::Start::end);
  if (use == CallUse::request || runtime::is_unwinding(process)) return reach();
  // Before anything is sent: a callee that has the request may call on, and it is for that call to
  // see the circle then.
  show(process, process.refs_given + 1);
  if (use != CallUse::call || !callee) return reach();
  base::atomic_fence(std::memory_order_seq_cst);  // between showing and looking: wait_circle.hpp
  if (waits_in_call(*callee)) [[unlikely]] {
    look(process);
    if (circle_) {
      is_open_ = false;
      process.new_ref();  // no other call has this number
      return;
    }
  }
  reach();
}

PendingCall::PendingCall(std::unique_ptr<Program> program,
                         const SpawnOptions& options,
                         bool is_linked,
                         const Alias& answer_to)
    : address_(answer_to.id) {
  const Call call;
  Process& process = call.process();
  is_shown_ = !runtime::is_unwinding(process);
  // relaxed: its own word.
  outer_waits_for_ = process.waits_for.load(std::memory_order_relaxed);
  const Spawned child = spawn(program.release(),
                              &options,
                              is_linked,
                              is_shown_ ? Monitored::until_started : Monitored::yes);
  server_ = child.pid;
  monitor_ = child.ref;
  // Nothing was obeyed since the spawn: what the child says comes behind this.
  ::new (static_cast<void*>(mark_)) Mark(process.mail, Mark::Start::end);
}

void PendingCall::watch(Process& process) {
  monitor_ = runtime::monitor(process, server_, runtime::AddressMode::until_reply);
  address_ = monitor_.id;
}

// The request brings the monitor along, and the callee's own reply takes it away again: a call is
// two signals, not four.
void PendingCall::ask(Process& process, Process* callee, Message& request, Alias& caller) {
  runtime::System& system = runtime::current_system();
  monitor_ = {{process.pid(), process.new_ref()}};
  address_ = monitor_.id;
  process.relations.add({.kind = runtime::RelationKind::monitor,
                         .mode = runtime::AddressMode::until_reply,
                         .peer = server_,
                         .mine = address_});
  caller = alias();
  runtime::Envelope& envelope = runtime::Envelope::of_payload(request.payload());
  envelope.header.tag = 0;  // it may have come through an alias itself
  envelope.flags = runtime::brings_monitor;
  if (callee && system.deliver(*callee, envelope)) [[likely]] {
    static_cast<void>(request.release());
    return;
  }
  envelope.flags = 0;
  runtime::tell_noproc(system, server_, process.pid(), monitor_.id);
  system.dead_letters.drop({server_, process.pid(), DropReason::no_process}, request);
}

void PendingCall::show(Process& process, std::uint64_t ref) noexcept {
  // relaxed: its own word.
  outer_waits_for_ = process.waits_for.load(std::memory_order_relaxed);
  number_ = call_number(ref);
  is_shown_ = true;
  runtime::show_call(process, server_.bits(), number_);
}

void PendingCall::hide(Process& process) noexcept {
  if (!std::exchange(is_shown_, false)) return;
  runtime::show_call(process, outer_waits_for_, 0);
}

void PendingCall::look(Process& process) {
  runtime::System& system = runtime::current_system();
  const auto find = [&system](std::uint64_t bits) { return system.find(Pid::from_bits(bits)); };
  const runtime::RoundTrip::Step own{process.pid().bits(), number_};
  runtime::RoundTrip trip;
  const auto round = runtime::look_round(process, own, server_.bits(), find, trip);
  must_look_again_ = round == runtime::Round::unsure;
  if (round == runtime::Round::closed)
    circle_ = std::make_unique<const std::string>(circle_of(system, process.pid(), trip));
}

void PendingCall::make_sure() {
  Duration pause = first_pause;
  for (int i = 0; must_look_again_ && i < looks_to_make_sure; ++i) {
    rt::sleep(pause);
    const Call call(runtime::current_process());
    look(call.process());
    pause = std::min<Duration>(pause * 2, longest_pause);
  }
}

Message PendingCall::take_answer(Process& process, const runtime::Timeout& timeout) {
  Wanted wanted{address_, monitor_.id};
  return Message(
      runtime::take_reply(process, mark_at(mark_), address_, &Wanted::accepts, &wanted, timeout));
}

// Looks again from time to time while it is not known whether this waits in a circle.
Message PendingCall::wait_and_look(Process& process, const runtime::Timeout& timeout) {
  Duration pause = first_pause;
  while (must_look_again_) {
    const runtime::Timeout next(process, Deadline::after(pause));
    if (next.due_ns() >= timeout.due_ns()) break;
    if (Message answer = take_answer(process, next)) return answer;
    if (runtime::is_unwinding(process)) return {};
    look(process);
    if (circle_) {
      // An answer that came meanwhile was sent before its sender called on: it is here by now.
      if (process.inbox.looks_empty()) return {};
      circle_.reset();
      must_look_again_ = true;
    }
    pause = std::min<Duration>(pause * 2, longest_pause);
  }
  return take_answer(process, timeout);
}

inline Message PendingCall::wait_for_answer(Process& process, const runtime::Timeout& timeout) {
  if (!is_shown_) {
    const runtime::WaitingFor edge(process, server_);
    return take_answer(process, timeout);
  }
  if (must_look_again_) [[unlikely]]
    return wait_and_look(process, timeout);
  return take_answer(process, timeout);
}

std::expected<Message, CallError> PendingCall::wait(Deadline deadline) {
  Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  const bool was_unwinding = runtime::is_unwinding(process);
  if (was_unwinding) mark_at(mark_).find_place();  // part of the stack may have been cut off
  Message message;
  if (!circle_ && (!was_unwinding || (!deadline.is_never() && !process.is_ending)))
    message = wait_for_answer(process, timeout);
  if (message) {
    is_open_ = false;
    hide(process);
    if (Down* down = message.get_if<Down>()) return std::unexpected(error_of(*down));
    return message;
  }
  if (circle_) {
    const std::string what =
        "call to " + server_.to_string() + " would wait in a circle: " + *circle_;
    return std::unexpected(
        CallError(CallError::circle, ExitReason::error("airssys::rt::CallError", what), what));
  }
  if (was_unwinding)
    return std::unexpected(CallError(
        CallError::unwinding, ExitReason::normal(), "a destructor called while its process ended"));
  return std::unexpected(CallError(CallError::timeout,
                                   ExitReason::timeout(),
                                   "call to " + server_.to_string() + ": no answer in time"));
}

PendingCall::~PendingCall() {
  if (is_open_ || is_shown_) give_up();
  std::destroy_at(&mark_at(mark_));
}

void PendingCall::give_up() {
  const Call call(Call::Kind::plain);
  Process& process = call.process();
  hide(process);
  if (!is_open_) return;
  if (Relation* monitor = process.relations.find_monitor(monitor_.id))
    runtime::drop_monitor(call.system(), process, *monitor, true);
  // A Down or a reply that had come already is nobody's business any more. At the end of the
  // process all its mail is, and the queue has forgotten its cursors.
  Wanted wanted{address_, monitor_.id};
  Mark& mark = mark_at(mark_);
  mark.find_place();
  while (mailbox::Signal* signal = process.is_ending ? nullptr : mark.peek()) {
    void* payload = runtime::Envelope::of_signal(*signal).payload();
    if (Wanted::accepts(&wanted, payload)) {
      mark.take();
      destroy_payload(payload);
    } else {
      mark.skip();
    }
  }
}

void let_others_answer(const Alias& caller) {
  if (!caller) return;
  const Call call(Call::Kind::plain);
  if (Process* process = call.system().find(caller.owner))
    runtime::take_out_of_circles(*process, call_number(caller.id));
}

}  // namespace detail

}  // namespace airssys::rt
