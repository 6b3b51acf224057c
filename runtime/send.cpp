// send.cpp: messages on their way in, from processes.
#include <airssys/rt/send.hpp>

#include <airssys/rt/blocking.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/registry.hpp>
#include <string>
#include <utility>

#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/envelope.hpp"
#include "runtime/outside.hpp"
#include "runtime/signals.hpp"

namespace airssys::rt {

using runtime::AddressMode;
using runtime::Call;
using runtime::Envelope;
using runtime::Process;
using runtime::Relation;
using runtime::System;

namespace {

// For whom a plain thread speaks. Null: for a process that is gone; what its job says comes too
// late (D19, S6).
System* speaking_guest() {
  System& system = runtime::guest_system();
  return blocking_is_cancelled() ? nullptr : &system;
}

}  // namespace

namespace detail {

namespace {

SendResult send_as_guest(Pid to, Message& message, WhenFull when_full) {
  System* system = speaking_guest();
  if (!system) return SendResult::no_process;
  return runtime::send_from_outside(*system, to, message, when_full);
}

[[gnu::cold]] SendResult lose(const Call& call, Pid to, Message& message) {
  call.system().dead_letters.drop({to, call.process().pid(), DropReason::no_process}, message);
  return SendResult::no_process;
}

// `to_bounded(call, target, message)` sends to a mailbox that has bounds.
template <class ToBounded>
inline SendResult send_with(Pid to, void* payload, WhenFull when_full, ToBounded to_bounded) {
  Message message(payload);  // freed if this process ends in the doorway
  Process* caller = runtime::calling_process();
  if (!caller) [[unlikely]]
    return send_as_guest(to, message, when_full);
  Call call(*caller, 1);
  System& system = call.system();
  Process* target = system.find(to);
  if (!target) [[unlikely]]
    return lose(call, to, message);
  // A message that came through an alias and is passed on is plain mail again.
  header_of(payload).tag = 0;
  if (runtime::bounds_of(*target)) [[unlikely]]
    return to_bounded(call, *target, message);
  if (!system.deliver(*target, Envelope::of_payload(payload))) [[unlikely]]
    return lose(call, to, message);
  static_cast<void>(message.release());
  return SendResult::sent;
}

}  // namespace

SendResult send(Pid to, void* payload, WhenFull when_full) {
  return send_with(to, payload, when_full, [=](Call& call, Process& target, Message& message) {
    return runtime::send_bounded(call, target, message, when_full);
  });
}

SendResult send_by(Pid to, void* payload, Deadline deadline) {
  constexpr WhenFull policy = WhenFull::follow_policy;
  return send_with(to, payload, policy, [=](Call& call, Process& target, Message& message) {
    return runtime::send_bounded(call, target, message, policy, deadline);
  });
}

void send_named(std::string_view name, void* payload) {
  Message message(payload);
  const auto to = whereis(name);
  if (!to) throw NameError(NameError::not_registered, std::string(name));
  send(*to, message.release(), WhenFull::follow_policy);
}

SendResult try_send_named(std::string_view name, void* payload) {
  Message message(payload);
  const Pid to = whereis(name).value_or(Pid());
  return send(to, message.release(), WhenFull::answer);
}

void send_alias(const Ref& alias, void* payload, SendOptions options) {
  Message message(payload);
  if (!runtime::calling_process()) {
    if (System* system = speaking_guest())
      runtime::send_alias_from_outside(*system, alias, message, options);
    return;
  }
  if (options.priority) Envelope::of_payload(payload).flags |= runtime::with_priority;
  const Call call;
  call.charge(1);
  Process& process = call.process();
  // A reply by the callee itself ends its half of the monitor that came with the request.
  Relation* watcher = process.relations.find_watcher(alias.owner, alias.id);
  if (watcher && watcher->mode == AddressMode::until_reply) {
    process.relations.remove(*watcher);
    Envelope::of_payload(payload).flags |= runtime::ends_monitor;
  }
  runtime::send_through_alias(call.system(), process.pid(), alias, message.release());
}

}  // namespace detail

void send_exit(Pid to, ExitReason reason) {
  if (!runtime::calling_process()) {
    if (System* system = speaking_guest())
      runtime::send_exit_from_outside(*system, to, std::move(reason));
    return;
  }
  const Call call;
  call.charge(1);
  Process& process = call.process();
  runtime::send_signal(
      call.system(),
      to,
      runtime::make_signal(mailbox::SignalKind::exit, process.pid(), 0, 0, std::move(reason)));
  if (to == process.pid()) call.safe_point();  // takes effect before it returns (X7)
}

void send_exit(const Alias& to, ExitReason reason, SendOptions options) {
  if (!runtime::calling_process()) {
    if (System* system = speaking_guest())
      runtime::send_exit_from_outside(*system, to, std::move(reason), options);
    return;
  }
  const Call call;
  call.charge(1);
  Process& process = call.process();
  runtime::send_exit_through_alias(call.system(), process.pid(), to, std::move(reason), options);
  if (to.owner == process.pid()) call.safe_point();  // as above
}

}  // namespace airssys::rt
