// link.cpp: links, monitors and aliases, the asking half; signals.cpp has the answering one.
#include <airssys/rt/link.hpp>

#include <airssys/rt/error.hpp>
#include <airssys/rt/registry.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "base/block_cache.hpp"
#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/monitor.hpp"
#include "runtime/priority.hpp"
#include "runtime/signals.hpp"

namespace airssys::rt {

using mailbox::SignalKind;
using runtime::AddressMode;
using runtime::Call;
using runtime::DownNote;
using runtime::Process;
using runtime::Rank;
using runtime::Relation;
using runtime::RelationKind;
using runtime::System;

namespace {

AddressMode address_mode(AliasMode mode) noexcept {
  return static_cast<AddressMode>(mode);
}

// The rank of a relation that is made or changed now.
Rank rank_of(Process& process, bool priority) {
  if (!priority) return Rank::ordinary;
  runtime::allow_priority_mail(process);
  return Rank::priority;
}

// Whether this is the Down of that monitor, tagged or not.
bool is_down_of(const MonitorRef& ref, runtime::Envelope& message) noexcept {
  if (message.flags & runtime::tagged_down) return message.header.tag == ref.id;
  const Down* down = detail::payload_if<Down>(message.payload());
  return down && down->ref == ref;
}

// Removes the Down of this monitor from the mail, if it is there.
bool flush_down(Process& process, const MonitorRef& ref) {
  mailbox::Cursor cursor(process.mail, mailbox::Cursor::Start::oldest);
  while (mailbox::Signal* signal = cursor.peek()) {
    runtime::Envelope& message = runtime::Envelope::of_signal(*signal);
    if (is_down_of(ref, message)) {
      cursor.take();
      detail::destroy_payload(message.payload());
      return true;
    }
    cursor.skip();
  }
  return false;
}

}  // namespace

std::expected<void, ProcessError> try_link(Pid other, LinkOptions options) {
  const Call call;
  call.charge(1);
  Process& process = call.process();
  if (other == process.pid()) return {};
  const Rank rank = rank_of(process, options.priority);
  if (Relation* link = process.relations.find_link(other)) {
    link->rank = rank;
    return {};
  }
  const std::uint64_t id = process.new_ref();
  process.relations.add({.kind = RelationKind::link, .rank = rank, .peer = other, .mine = id});
  runtime::ControlSignal* request = runtime::make_signal(SignalKind::link, process.pid(), id);
  bool is_asked = true;
  if (process.traps_exits) {  // refused, it is answered by an exit, behind what came before (S1)
    runtime::send_signal(call.system(), other, request);
  } else {
    is_asked = runtime::try_send_signal(call.system(), other, request);
  }
  Relation* settled =
      is_asked ? process.relations.find_unlinked(other) : process.relations.find_link(other);
  if (settled) process.relations.remove(*settled);
  if (is_asked) return {};
  return std::unexpected(
      ProcessError(ExitReason::noproc(), "rt::link: there is no process " + other.to_string()));
}

void link(Pid other, LinkOptions options) {
  if (auto linked = try_link(other, options); !linked) throw std::move(linked).error();
}

void unlink(Pid other) {
  const Call call;
  call.charge(1);
  Process& process = call.process();
  Relation* link = process.relations.find_link(other);
  if (!link) return;
  process.relations.remove(*link);
  const std::uint64_t id = process.new_ref();
  process.relations.add({.kind = RelationKind::unlinked, .peer = other, .mine = id});
  // Also to one that is gone: its link and exit may be on their way, and the answer is behind them.
  runtime::send_signal(
      call.system(), other, runtime::make_signal(SignalKind::unlink, process.pid(), id));
}

namespace runtime {

Envelope* make_down(Pid watcher, std::uint64_t ref, Pid ended, const ExitReason& reason) {
  constexpr std::size_t bytes = sizeof(Envelope) + sizeof(Down);
  auto* signal = ::new (base::allocate_small(bytes)) Envelope;
  signal->kind = SignalKind::down;
  signal->granules = mailbox::Signal::granules_in(bytes);
  signal->header = {&detail::message_type<Down>, 0};
  ::new (signal->payload()) Down{{{watcher, ref}}, ended, {}, reason};
  return signal;
}

MonitorRef add_monitor(
    Process& process, Pid target, AddressMode mode, Rank rank, std::unique_ptr<DownNote> note) {
  const std::uint64_t id = process.new_ref();
  process.relations.add({.kind = RelationKind::monitor,
                         .mode = mode,
                         .rank = rank,
                         .peer = target,
                         .mine = id,
                         .theirs = reinterpret_cast<std::uint64_t>(note.release())});
  return {{process.pid(), id}};
}

MonitorRef monitor(
    Process& process, Pid target, AddressMode mode, Rank rank, std::unique_ptr<DownNote> note) {
  System& system = current_system();
  const MonitorRef ref = add_monitor(process, target, mode, rank, std::move(note));
  ControlSignal* request = make_signal(SignalKind::monitor, process.pid(), ref.id);
  if (rank == Rank::priority) request->flags = wants_priority;
  if (!try_send_signal(system, target, request)) tell_noproc(system, target, process.pid(), ref.id);
  return ref;
}

MonitorRef monitor_newborn(Process& parent,
                           Process& child,
                           const MonitorOptions& options,
                           std::unique_ptr<DownNote>&& note) {
  const MonitorRef ref = add_monitor(parent,
                                     child.pid(),
                                     address_mode(options.alias),
                                     rank_of(parent, options.priority),
                                     std::move(note));
  child.relations.add({.kind = RelationKind::monitored_by,
                       .rank = options.priority ? Rank::priority : Rank::ordinary,
                       .peer = parent.pid(),
                       .theirs = ref.id});
  return ref;
}

std::unique_ptr<DownNote> note_of(void* tagged, Down* down) {
  auto note = std::make_unique<DownNote>();
  note->tagged = Message(tagged);
  note->down = down;
  return note;
}

}  // namespace runtime

namespace {

MonitorRef monitor(const Call& call,
                   Pid target,
                   const MonitorOptions& options,
                   std::unique_ptr<DownNote> note) {
  call.charge(2);
  Process& process = call.process();
  // A monitor of oneself never fires (M4).
  if (target == process.pid()) return {{target, process.new_ref()}};
  return runtime::monitor(process,
                          target,
                          address_mode(options.alias),
                          rank_of(process, options.priority),
                          std::move(note));
}

MonitorRef monitor(std::string_view name,
                   const MonitorOptions& options,
                   std::unique_ptr<DownNote> note) {
  const Call call;
  note->name = name;
  return monitor(call, call.system().names.find(name).value_or(Pid()), options, std::move(note));
}

}  // namespace

MonitorRef monitor(Pid target, const MonitorOptions& options) {
  return monitor(Call(), target, options, nullptr);
}

MonitorRef monitor(Pid target, AliasMode alias) {
  return monitor(Call(), target, {.alias = alias}, nullptr);
}

MonitorRef monitor(std::string_view name, const MonitorOptions& options) {
  return monitor(name, options, std::make_unique<DownNote>());
}

MonitorRef monitor(std::string_view name, AliasMode alias) {
  return monitor(name, {.alias = alias}, std::make_unique<DownNote>());
}

namespace detail {

MonitorRef monitor_tagged(Pid target, const MonitorOptions& options, void* payload, Down* down) {
  std::unique_ptr<DownNote> note =
      runtime::note_of(payload, down);  // gone if this process ends here
  return monitor(Call(), target, options, std::move(note));
}

MonitorRef monitor_tagged(std::string_view name,
                          const MonitorOptions& options,
                          void* payload,
                          Down* down) {
  return monitor(name, options, runtime::note_of(payload, down));
}

}  // namespace detail

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

Alias alias(const AliasOptions& options) {
  const Call call;
  Process& process = call.process();
  const std::uint64_t id = process.new_ref();
  const bool is_once = options.use == AliasUse::once;
  process.relations.add({.kind = RelationKind::alias,
                         .mode = is_once ? AddressMode::until_reply : AddressMode::until_unalias,
                         .rank = rank_of(process, options.priority),
                         .mine = id});
  return {{process.pid(), id}};
}

Alias alias(AliasUse use) {
  return alias({.use = use});
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
