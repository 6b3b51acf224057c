// link.cpp: links, monitors and aliases, the asking half; signals.cpp has the answering one.
#include <airssys/rt/link.hpp>

#include <airssys/rt/error.hpp>
#include <airssys/rt/registry.hpp>
#include <memory>
#include <string>
#include <utility>

#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/monitor.hpp"
#include "runtime/signals.hpp"

namespace airssys::rt {

using mailbox::SignalKind;
using runtime::AddressMode;
using runtime::Call;
using runtime::Process;
using runtime::Relation;
using runtime::RelationKind;
using runtime::System;

namespace {

AddressMode address_mode(AliasMode mode) noexcept {
  return static_cast<AddressMode>(mode);
}

// Removes the Down of this monitor from the mail, if it is there.
bool flush_down(Process& process, const MonitorRef& ref) {
  mailbox::Cursor cursor(process.mail, mailbox::Cursor::Start::oldest);
  while (mailbox::Signal* signal = cursor.peek()) {
    void* payload = runtime::Envelope::of_signal(*signal).payload();
    const Down* down = detail::payload_if<Down>(payload);
    if (down && down->ref == ref) {
      cursor.take();
      detail::destroy_payload(payload);
      return true;
    }
    cursor.skip();
  }
  return false;
}

}  // namespace

void link(Pid other) {
  const Call call;
  call.charge(1);
  Process& process = call.process();
  if (other == process.pid() || process.relations.find_link(other)) return;
  const std::uint64_t id = process.new_ref();
  process.relations.add({.kind = RelationKind::link, .peer = other, .mine = id});
  if (runtime::try_send_signal(
          call.system(), other, runtime::make_signal(SignalKind::link, process.pid(), id)))
    return;
  process.relations.remove(*process.relations.find_link(other));
  if (!process.traps_exits)
    throw ProcessError(ExitReason::noproc(), "rt::link: there is no process " + other.to_string());
  runtime::keep(process, detail::make_payload(Exit{other, ExitReason::noproc()}));
}

void unlink(Pid other) {
  const Call call;
  call.charge(1);
  Process& process = call.process();
  Relation* link = process.relations.find_link(other);
  if (!link) return;
  const Relation ended = *link;
  process.relations.remove(*link);
  runtime::send_signal(
      call.system(),
      other,
      runtime::make_signal(SignalKind::unlink, process.pid(), ended.mine, ended.theirs));
}

namespace runtime {

MonitorRef monitor(Process& process, Pid target, AddressMode mode, const std::string* name) {
  System& system = current_system();
  const std::uint64_t id = process.new_ref();
  const MonitorRef ref{{process.pid(), id}};
  process.relations.add(
      {.kind = RelationKind::monitor,
       .mode = mode,
       .peer = target,
       .mine = id,
       .theirs = name ? reinterpret_cast<std::uint64_t>(new std::string(*name)) : 0});
  if (!try_send_signal(system, target, make_signal(SignalKind::monitor, process.pid(), id))) {
    send_signal(
        system, process.pid(), make_signal(SignalKind::down, target, 0, id, ExitReason::noproc()));
  }
  return ref;
}

}  // namespace runtime

MonitorRef monitor(Pid target, AliasMode alias) {
  const Call call;
  call.charge(2);
  Process& process = call.process();
  // A monitor of oneself never fires (M4).
  if (target == process.pid()) return {{target, process.new_ref()}};
  return runtime::monitor(process, target, address_mode(alias), nullptr);
}

MonitorRef monitor(std::string_view name, AliasMode alias) {
  const Call call;
  call.charge(2);
  Process& process = call.process();
  const auto target = call.system().names.find(name);
  if (target == process.pid()) return {{process.pid(), process.new_ref()}};
  const std::string given(name);
  return runtime::monitor(process, target.value_or(Pid()), address_mode(alias), &given);
}

bool demonitor(const MonitorRef& ref, Flush flush) {
  const Call call;
  call.charge(1);
  Process& process = call.process();
  if (ref.owner != process.pid()) return false;
  Relation* monitor = process.relations.find_monitor(ref.id);
  if (monitor) {
    const bool stays_alias = monitor->mode == AddressMode::until_unalias;
    runtime::drop_monitor(call.system(), process, *monitor, true);
    if (stays_alias) {
      process.relations.add(
          {.kind = RelationKind::alias, .mode = AddressMode::until_unalias, .mine = ref.id});
    }
    return true;
  }
  if (flush == Flush::yes) flush_down(process, ref);
  return false;
}

Alias alias(AliasUse use) {
  const Call call;
  Process& process = call.process();
  const std::uint64_t id = process.new_ref();
  process.relations.add(
      {.kind = RelationKind::alias,
       .mode = use == AliasUse::once ? AddressMode::until_reply : AddressMode::until_unalias,
       .mine = id});
  return {{process.pid(), id}};
}

bool unalias(const Ref& ref) {
  const Call call(Call::Kind::plain);  // no safe point: what is on its way is dropped (A4)
  Process& process = call.process();
  if (ref.owner != process.pid()) return false;
  if (Relation* alias = process.relations.find_alias(ref.id)) {
    process.relations.remove(*alias);
    return true;
  }
  Relation* monitor = process.relations.find_monitor(ref.id);
  if (!monitor || monitor->mode == AddressMode::none) return false;
  monitor->mode = AddressMode::none;
  return true;
}

namespace detail {

// Reads what is the caller's own and one word of the runtime's: it does not enter.
bool is_order_to_end(const Exit& exit) {
  const Process& process = runtime::current_process();
  if (exit.from != process.parent) return false;
  return process.follows_parent || runtime::current_system().refuses_spawns();
}

}  // namespace detail

}  // namespace airssys::rt
