// signals.cpp: obeying, one kind after the other.
#include "runtime/signals.hpp"

#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/link.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "runtime/bounds.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/extras.hpp"
#include "runtime/info.hpp"
#include "runtime/monitor.hpp"
#include "runtime/priority.hpp"
#include "runtime/run.hpp"
#include "runtime/suspend.hpp"
#include "runtime/wait.hpp"
#include "scheduler/asked.hpp"

namespace airssys::rt::runtime {

using mailbox::Signal;
using mailbox::SignalKind;

namespace {

void must_end(Process& process, Pid from, ExitReason reason) {
  process.must_end = true;
  process.reason = std::move(reason);
  if (process.is_main && is_crash_reported(process.reason))
    report_main_ended(process, from, process.reason);  // last, for the host's sink may throw
}

// What makes this id an address of the process: an alias, or a monitor; null: nothing does any more
// (A2).
Relation* find_address(Process& process, std::uint64_t id) {
  Relation* relation = process.relations.find_own(id);
  return relation && relation->mode != AddressMode::none ? relation : nullptr;
}

// A message has come through it: the first may be the last (A6).
void use(Process& process, Relation& address, const Envelope& message) {
  if (address.mode != AddressMode::until_reply) return;
  if (address.kind == RelationKind::monitor) {
    const bool other_side_knows = message.flags & ends_monitor;
    drop_monitor(current_system(), process, address, !other_side_knows);
  } else {
    process.relations.remove(address);
  }
}

// What comes through a monitor is ordinary: its rank is that of its Down.
Rank rank_of_mail_by(const Relation& address) noexcept {
  return address.kind == RelationKind::alias ? address.rank : Rank::ordinary;
}

// A request to a server has reached a process that is none: its type knows what to answer (G5).
void refuse_request(Process& process, Envelope& request) {
  if (request.flags & counted_in_bounds) room_freed(process, request);
  run_small_code([&process, &request] {
    Message owned(request.payload());
    request.header.type->dispatch(nullptr, request.payload());
    if (!request.header.type->is_call)
      drop_message(process, request.sender(), DropReason::wrong_type, owned);
  });
}

void drop_late(Process& process, Envelope& message) {
  run_small_code([&process, &message] {
    Message late(message.payload());
    drop_message(process, Pid(), DropReason::inactive_alias, late);
  });
}

bool takes_request(const Process& process, const detail::MessageType& type) {
  // It has no program while it changes its body (hibernate.cpp).
  return (process.program && process.program->takes_requests()) ||
         (process.hears_system_requests && type.server == &detail::system_identity);
}

void obey_message(Process& process, Envelope& message) {
  bool goes_ahead = false;
  if (message.has_alias()) {
    Relation* address = find_address(process, message.header.tag);
    if (!address) return drop_late(process, message);
    goes_ahead = has_gone_ahead(message) && rank_of_mail_by(*address) == Rank::priority;
    if (!goes_ahead) message.clear(with_priority);
    use(process, *address, message);
    message.clear(ends_monitor);
  }
  if (message.flags & brings_monitor) accept_monitor(process, message);
  if (message.header.type->server && !takes_request(process, *message.header.type))
    return refuse_request(process, message);
  if (goes_ahead) [[unlikely]]
    return keep_ahead(process, message);
  process.mail.append(message);
}

// Whether it is about this incarnation of the link (relations.hpp).
bool is_exit_of(const Relation& link, const ControlSignal& exit) noexcept {
  const bool ends_what_peer_asked_for = link.mine == 0 && (exit.flags & exit_refuses_link) == 0;
  return ends_what_peer_asked_for || (exit.mine != 0 && link.theirs == exit.mine) ||
         (exit.theirs != 0 && link.mine == exit.theirs);
}

// The table of X3, from its link half on.
void obey_exit_of_link(Process& process, ControlSignal& exit) {
  Relation* link = process.relations.find_link(exit.from);
  if (!link || !is_exit_of(*link, exit)) return;
  const Rank rank = link->rank;
  process.relations.remove(*link);
  if (process.traps_exits) {
    keep(process, detail::make_payload(Exit{exit.from, std::move(exit.reason)}), rank);
  } else if (exit.reason.kind() != ExitReason::Kind::normal) {
    must_end(process, exit.from, std::move(exit.reason));
  }
}

void obey_exit(Process& process, ControlSignal& exit) {
  if (exit.flags & exit_of_link) return obey_exit_of_link(process, exit);
  Rank rank = Rank::ordinary;
  if (exit.flags & exit_by_alias) {
    const Relation* address = find_address(process, exit.theirs);
    if (!address) return;
    if (exit.flags & exit_with_priority) rank = rank_of_mail_by(*address);
  }
  const ExitReason::Kind kind = exit.reason.kind();
  if (kind == ExitReason::Kind::kill) {
    must_end(process, exit.from, ExitReason::killed());
  } else if (process.traps_exits) {
    keep(process, detail::make_payload(Exit{exit.from, std::move(exit.reason)}), rank);
  } else if (kind != ExitReason::Kind::normal || exit.from == process.pid()) {
    must_end(process, exit.from, std::move(exit.reason));
  }
}

void obey_link(Process& process, const ControlSignal& request) {
  if (Relation* link = process.relations.find_link(request.from)) {
    link->theirs = request.mine;
  } else if (!process.relations.find_unlinked(request.from)) {
    process.relations.add(
        {.kind = RelationKind::link, .peer = request.from, .theirs = request.mine});
  }
}

void acknowledge_unlink(System& system, Pid who, const ControlSignal& request) {
  send_signal(system, request.from, make_signal(SignalKind::unlink_ack, who, 0, request.mine));
}

// The link goes whoever has made it (relations.hpp).
void obey_unlink(Process& process, const ControlSignal& request) {
  if (Relation* link = process.relations.find_link(request.from)) process.relations.remove(*link);
  acknowledge_unlink(current_system(), process.pid(), request);
}

void obey_unlink_ack(Process& process, const ControlSignal& answer) {
  Relation* unlinked = process.relations.find_unlinked(answer.from);
  if (unlinked && unlinked->mine == answer.theirs) process.relations.remove(*unlinked);
}

// The message that a tagged monitor has ready for its Down (M12).
void* tagged(Down&& down, DownNote& note) {
  void* payload = note.tagged.release();
  detail::header_of(payload).tag = down.ref.id;
  Envelope::of_payload(payload).flags = tagged_down;
  *note.down = std::move(down);
  return payload;
}

void obey_down(Process& process, Envelope& message) {
  message.kind = SignalKind::message;
  Down& down = *static_cast<Down*>(message.payload());
  Relation* monitor = process.relations.find_monitor(down.ref.id);
  if (!monitor) return run_small_code([&down] { detail::destroy_payload(&down); });
  const std::unique_ptr<DownNote> note = take_note(*monitor);
  const Rank rank = monitor->rank;
  const bool stays_alias = monitor->mode == AddressMode::until_unalias;
  process.relations.remove(*monitor);
  if (stays_alias) {
    process.relations.add(
        {.kind = RelationKind::alias, .mode = AddressMode::until_unalias, .mine = down.ref.id});
  }
  if (note) down.name = std::move(note->name);
  if (!note || !note->tagged) return keep(process, &down, rank);
  keep(process, tagged(std::move(down), *note), rank);
  detail::destroy_payload(&down);
}

void obey_control(Process& process, ControlSignal& signal) {
  switch (signal.kind) {
    case SignalKind::exit:
      return obey_exit(process, signal);
    case SignalKind::link:
      return obey_link(process, signal);
    case SignalKind::unlink:
      return obey_unlink(process, signal);
    case SignalKind::unlink_ack:
      return obey_unlink_ack(process, signal);
    case SignalKind::monitor:
      return process.relations.add(
          {.kind = RelationKind::monitored_by,
           .rank = signal.flags & wants_priority ? Rank::priority : Rank::ordinary,
           .peer = signal.from,
           .theirs = signal.mine});
    case SignalKind::demonitor:
      if (Relation* watcher = process.relations.find_watcher(signal.from, signal.mine))
        process.relations.remove(*watcher);
      return;
    case SignalKind::alive_request:
      request_is_answered(current_system(), process, signal);
      return answer_alive(current_system(), signal, true);
    case SignalKind::info_request:
      request_is_answered(current_system(), process, signal);
      return answer_info(current_system(), process, signal);
    case SignalKind::suspend:
      request_is_answered(current_system(), process, signal);
      return obey_suspend(current_system(), process, signal);
    case SignalKind::resume:
      return obey_resume(process, signal);
    default:
      RT_UNREACHABLE("a signal of a kind that nobody sends");
  }
}

// P18.
void obey_limit(Process& process) {
  if (process.own_extras()->mail_limit.ends(process)) must_end(process, {}, ExitReason::killed());
}

void obey_other(Process& process, Signal& signal) {
  if (signal.kind == SignalKind::down) return obey_down(process, Envelope::of_signal(signal));
  if (signal.kind == SignalKind::wake) return static_cast<Waker&>(signal).arrive();
  const std::unique_ptr<ControlSignal> control(&ControlSignal::of(signal));
  obey_control(process, *control);
  if (holds_value(control->reason)) [[unlikely]]
    run_small_code([&control] { control->reason = {}; });
}

// `was`: before it obeyed.
bool is_behind_with_mail(const Process& process, When when, Behind was) noexcept {
  constexpr std::uint32_t much = 2 * scheduler::slice_reductions;
  if (is_suspended(process)) return false;
  if (when == When::in_code) return was == Behind::with_mail;
  return process.mail.count() >= much && process.program && process.program->behaviour();
}

}  // namespace

bool obey_here(Process& process) {
  const bool must_end = obey_all(process);
  return is_suspended(process) ? hold(process) : must_end;
}

bool obey_all(Process& process, When when) {
  if (process.must_end) return true;
  if (Signal* fresh = unpacked(process, process.inbox.take_all())) *end_of_pending(process) = fresh;
  constexpr std::int32_t slice = scheduler::slice_reductions;
  constexpr std::int32_t messages_as_one = 8;
  constexpr int turns_of_a_flood = 4;  // some 100 000 messages
  int turns = 0;
  const Behind was = process.behind.load(std::memory_order_relaxed);  // relaxed: its own
  // Since it last gave way.
  std::int32_t acted_on = 0;
  std::int32_t moved = 0;  // messages
  const auto charge = [&] {
    const std::int32_t of_messages = std::min(std::exchange(moved, 0) / messages_as_one, slice / 2);
    scheduler::Thread::current()->charge(std::exchange(acted_on, 0) + of_messages);
  };
  while (process.pending && !process.must_end) {
    Signal& signal = *process.pending;
    mailbox::Trail::follow(signal);
    process.pending = signal.next;
    if (signal.kind == SignalKind::message) {
      obey_message(process, Envelope::of_signal(signal));
      ++moved;
    } else {
      obey_other(process, signal);
      ++acted_on;
    }
    if (moved + messages_as_one * acted_on < messages_as_one * slice || !process.pending) continue;
    charge();
    ++turns;
    process.note(Behind::with_signals);
    scheduler::Thread::yield();
  }
  charge();
  if (bounds_of(process)) drop_oldest(process);
  process.note(turns >= turns_of_a_flood                 ? Behind::with_signals
               : is_behind_with_mail(process, when, was) ? Behind::with_mail
                                                         : Behind::with_nothing);
  if (process.own_extras() && !process.must_end) [[unlikely]]
    obey_limit(process);
  return process.must_end;
}

Signal** obey_wakes_only(Signal** place) {
  while (*place) {
    Signal& signal = **place;
    if (signal.kind == SignalKind::wake) {
      *place = signal.next;
      static_cast<Waker&>(signal).arrive();
    } else {
      place = &signal.next;
    }
  }
  return place;
}

Signal** end_of_pending(Process& process) {
  Signal** end = &process.pending;
  while (*end) end = &(*end)->next;
  return end;
}

void keep(Process& process, void* payload, Rank rank) {
  if (process.is_closed) [[unlikely]]
    return detail::destroy_payload(payload);
  Envelope& message = Envelope::of_payload(payload);
  if (rank == Rank::priority) return keep_ahead(process, message);
  process.mail.append(message);
}

namespace {

bool deliver(System& system, Pid to, Signal& signal, System::Urgent urgent = System::Urgent::yes) {
  Process* target = system.find(to);
  return target && system.deliver(*target, signal, urgent);
}

}  // namespace

bool try_send_signal(System& system, Pid to, ControlSignal* signal) {
  if (deliver(system, to, *signal)) return true;
  delete signal;
  return false;
}

void send_signal(System& system, Pid to, Signal* signal) {
  if (!deliver(system, to, *signal)) refuse(system, to, *signal);
}

void send_down(System& system, Pid to, Envelope* down, Rank rank) {
  const System::Urgent urgent{rank == Rank::priority};
  if (!deliver(system, to, *down, urgent)) refuse(system, to, *down);
}

void send_request(System& system, Pid to, ControlSignal* request, scheduler::Level asker) {
  Process* target = system.find(to);
  if (!target) return refuse(system, to, *request);
  scheduler::ask(system.asked, *target, asker);
  request->flags |= raises_level;
  if (system.deliver(*target, *request, System::Urgent::yes)) return;
  request_is_answered(system, *target, *request);
  refuse(system, to, *request);
}

void request_is_answered(System& system, Process& process, const Signal& request) {
  const bool is_request = request.kind == SignalKind::alive_request ||
                          request.kind == SignalKind::info_request ||
                          request.kind == SignalKind::suspend;
  if (is_request && (request.flags & raises_level) != 0) scheduler::answered(system.asked, process);
}

void tell_noproc(System& system, Pid dead, Pid watcher, std::uint64_t ref) {
  send_signal(system, watcher, make_down(watcher, ref, dead, ExitReason::noproc()));
}

void refuse_message(System& system, Pid dead, Envelope& message) {
  const bool is_watched = message.flags & brings_monitor;
  const Alias caller = is_watched ? message.caller() : Alias();
  detail::destroy_payload(message.payload());
  if (is_watched) tell_noproc(system, dead, caller.owner, caller.id);
}

void refuse(System& system, Pid dead, Signal& signal) {
  if (signal.kind == SignalKind::message)
    return refuse_message(system, dead, Envelope::of_signal(signal));
  if (signal.kind == SignalKind::down)
    return detail::destroy_payload(Envelope::of_signal(signal).payload());
  if (signal.kind == SignalKind::wake) return static_cast<Waker&>(signal).arrive();
  const std::unique_ptr<ControlSignal> request(&ControlSignal::of(signal));
  switch (request->kind) {
    case SignalKind::link: {
      ControlSignal* exit =
          make_signal(SignalKind::exit, dead, 0, request->mine, ExitReason::noproc());
      exit->flags = exit_of_link | exit_refuses_link;
      return send_signal(system, request->from, exit);
    }
    case SignalKind::unlink:
      return acknowledge_unlink(system, dead, *request);
    case SignalKind::monitor:
      return tell_noproc(system, dead, request->from, request->mine);
    case SignalKind::alive_request:
      return answer_alive(system, *request, false);
    case SignalKind::info_request:
      return answer_info_of_dead(system, *request);
    case SignalKind::suspend:
      return answer_suspend(system, *request, false);
    default:
      return;
  }
}

void drop_monitor(System& system, Process& process, Relation& monitor, bool tell_other_side) {
  const Pid target = monitor.peer;
  const std::uint64_t id = monitor.mine;
  std::unique_ptr<DownNote> note = take_note(monitor);
  process.relations.remove(monitor);
  if (tell_other_side) {
    send_signal(system, target, make_signal(SignalKind::demonitor, process.pid(), id));
  }
  if (note) [[unlikely]]
    run_small_code([&note] { note.reset(); });  // when nothing refers to it any more
}

void send_through_alias(System& system, Pid from, const Ref& alias, void* payload) {
  Envelope& message = Envelope::of_payload(payload);
  message.header.tag = alias.id;
  Process* target = system.find(alias.owner);
  const System::Urgent urgent{has_gone_ahead(message)};
  if (target && system.deliver(*target, message, urgent)) return;
  Message lost(payload);
  system.dead_letters.drop({alias.owner, from, DropReason::no_process}, lost);
}

void send_exit_through_alias(
    System& system, Pid from, const Ref& alias, ExitReason reason, SendOptions options) {
  ControlSignal* exit = make_signal(SignalKind::exit, from, 0, alias.id, std::move(reason));
  exit->flags = exit_by_alias;
  if (options.priority) exit->flags |= exit_with_priority;
  send_signal(system, alias.owner, exit);
}

}  // namespace airssys::rt::runtime
