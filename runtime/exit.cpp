// exit.cpp: the end of a process, told in order (P6, Z5):
//
//   code has stopped ▶ its object and local values are destroyed ▶ name and timers are released
//   ▶ the inbox is closed ▶ mail is destroyed ▶ its room is free ▶ links get exits, watchers
//   get downs ▶ requests are refused ▶ its reason goes ▶ slot retired
//
// Refused last: who has asked for a link that was there already, from the other side, hears the
// real reason first, and the refusal finds no link any more (L4). Destructors are process code: one
// that never returns delays the downs, one that throws is cut off and the rest goes on. Each step
// leaves nothing behind that would make it run twice; what a later destructor has put where an
// earlier step was makes all begin anew, for who is born in this slot inherits nothing (P3).
#include "runtime/exit.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/memory.hpp"
#include "fiber/unwind.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/extras.hpp"
#include "runtime/monitor.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/timers.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt::runtime {

using mailbox::Signal;
using mailbox::SignalKind;

namespace {

void append(Signal*& list, Signal* more) {
  Signal** end = &list;
  while (*end) end = &(*end)->next;
  *end = more;
}

// Nothing comes any more; all that has come and was not received becomes one list.
void close_mailbox(System& system, Process& process) {
  if (process.is_closed) return;
  process.is_closed = true;
  system.places.give_back();
  append(process.pending, unpacked(process, process.inbox.close()));
  if (process.mail.is_empty()) return;
  Signal* received = process.mail.take_everything();
  append(received, process.pending);
  process.pending = received;
}

// Messages, and the news of ends with what their reasons hold: nobody waits for an answer to them.
bool is_mail(const Signal& signal) noexcept {
  return signal.kind == SignalKind::message || signal.kind == SignalKind::exit ||
         signal.kind == SignalKind::down;
}

// The first mail behind *place, which is moved over what is none; null: there is no more.
Signal* take_mail(Signal**& place) {
  while (*place && !is_mail(**place)) place = &(*place)->next;
  Signal* mail = *place;
  if (mail) *place = mail->next;
  return mail;
}

// A monitor that nobody obeyed stays behind its request, to be refused as others are.
void destroy_mail(Process& process) {
  if (!process.pending) return;
  run_code([&process] {
    Signal** place = &process.pending;
    while (Signal* signal = take_mail(place)) {
      if (signal->kind == SignalKind::exit) {
        delete &ControlSignal::of(*signal);
        continue;
      }
      Envelope& message = Envelope::of_signal(*signal);
      if (message.kind == SignalKind::message && (message.flags & brings_monitor)) {
        const Alias& caller = message.caller();
        Signal* monitor = make_signal(SignalKind::monitor, caller.owner, caller.id);
        monitor->next = std::exchange(*place, monitor);
        place = &monitor->next;
      }
      detail::destroy_payload(message.payload());
    }
  });
}

// The tags of monitors that will not fire (M12). A destructor may add relations.
void destroy_notes(Process& process) {
  auto all = process.relations.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind != RelationKind::monitor || all[i].theirs == 0) continue;
    std::unique_ptr<DownNote> note = take_note(all[i]);
    run_code([&note] { note.reset(); });
    all = process.relations.all();
  }
}

// Lets others run in the middle of an end with very many links (L11).
void give_way_if_due() {
  scheduler::Thread& thread = *scheduler::Thread::current();
  if (thread.charge(1)) scheduler::Thread::yield();
}

void refuse_requests(System& system, Process& process) {
  const Pid pid = process.pid();
  while (Signal* request = process.pending) {
    process.pending = request->next;
    request_is_answered(system, process, *request);
    refuse(system, pid, *request);
    give_way_if_due();
  }
}

void tell_link(System& system, Process& process, const Relation& link) {
  ControlSignal* exit =
      make_signal(SignalKind::exit, process.pid(), link.mine, link.theirs, process.reason);
  exit->flags = exit_of_link;
  send_signal(system, link.peer, exit);
}

void tell_watcher(System& system, Process& process, const Relation& watcher) {
  Envelope* down = make_down(watcher.peer, watcher.theirs, process.pid(), process.reason);
  send_down(system, watcher.peer, down, watcher.rank);
}

void tell(System& system, Process& process, const Relation& relation) {
  switch (relation.kind) {
    case RelationKind::link:
      return tell_link(system, process, relation);
    case RelationKind::monitored_by:
      return tell_watcher(system, process, relation);
    case RelationKind::monitor:
      return send_signal(
          system, relation.peer, make_signal(SignalKind::demonitor, process.pid(), relation.mine));
    case RelationKind::suspends:
      return send_signal(system, relation.peer, make_signal(SignalKind::resume, process.pid()));
    case RelationKind::unlinked:
    case RelationKind::alias:
    case RelationKind::suspended_by:
      return;
  }
}

// Exits first, then downs, one watcher's in the order in which it set them up (P8).
[[gnu::noinline]] void tell_many(System& system, Process& process) {
  const auto all = process.relations.all();
  std::vector<Relation, base::Allocator<Relation>> told(all.begin(), all.end());
  process.relations.clear();
  const auto rank = [](const Relation& r) { return r.kind == RelationKind::link ? 0 : 1; };
  std::sort(told.begin(), told.end(), [&](const Relation& a, const Relation& b) {
    return std::pair(rank(a), a.theirs) < std::pair(rank(b), b.theirs);
  });
  for (const Relation& relation : told) {
    tell(system, process, relation);
    give_way_if_due();
  }
}

void tell_relations(System& system, Process& process) {
  const auto all = process.relations.all();
  if (all.empty()) return;
  if (all.size() > 1) return tell_many(system, process);
  const Relation only = all.front();
  process.relations.clear();
  tell(system, process, only);
}

// Nobody else may have its value any more. Who is linked to by that one's destructor hears what
// the dead would answer.
void let_reason_go(Process& process) {
  if (holds_value(process.reason)) [[unlikely]]
    run_code([&process] { process.reason = ExitReason::noproc(); });
}

// Whether destructors have made something that an earlier step is there for.
bool is_to_end_anew(Process& process) {
  const Extras* extras = process.own_extras();
  return !process.relations.all().empty() || (extras && !extras->dictionary.values().empty());
}

// All that comes when its code is gone, once.
void take_steps(System& system, Process& process) {
  if (process.own_extras()) empty_extras(process);
  RT_CHECK(process.waits == 0, "Z4: no stack is cut off with a record of a wait on it");
  system.names.release(process);
  cancel_timers_of(system, process);
  close_mailbox(system, process);
  if (bounds_of(process)) wake_all_senders(process);
  destroy_mail(process);
  destroy_notes(process);
  tell_relations(system, process);
  refuse_requests(system, process);
  let_reason_go(process);
}

}  // namespace

void end_here() {
  scheduler::Thread& thread = *scheduler::Thread::current();
  fiber::Fiber& fiber = thread.fiber();
  // What is unwound is process code, and it may be a hog: it runs outside.
  thread.leave();
  fiber::unwind(fiber);
}

scheduler::Turn finish(Process& process) {
  System& system = current_system();
  process.is_ending = true;
  if (process.program) run_code([&process] { destroy_program(process); });
  process.note(Behind::with_nothing);
  do {
    take_steps(system, process);
  } while (is_to_end_anew(process));
  scheduler::Thread& thread = *scheduler::Thread::current();
  thread.settle_account();
  system.retire(process, thread);
  return scheduler::Turn::over;
}

}  // namespace airssys::rt::runtime
