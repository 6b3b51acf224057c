// signals.hpp: what each signal does when its receiver acts on it, and when there is nobody left
// to.
//
//   inbox ──take_all──▶ obey, in order ──▶ messages, Exits and Downs: to the mail
//                          │ links, monitors: to the relations; questions: answered; wakes: noted
//                          └ a terminating exit: must_end is set and the rest stays in `pending`,
//                            unobeyed (S9); the end of the process refuses it
//
// What finds its receiver at rest is not in the inbox: who wakes it puts it into `pending`. If that
// is one plain message and nothing else has come, its reader has it from there (lone_message).
// All of it is the owner's, inside the runtime. A refused signal is one that a dead process will
// never act on: requests among them are answered as by the dead (L4, M3, P9).
#pragma once

#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>

#include "mailbox/signal.hpp"
#include "runtime/control_signal.hpp"
#include "runtime/envelope.hpp"
#include "runtime/process.hpp"
#include "runtime/suspend.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// Whether there is something to act on.
inline bool has_news(const Process& process) noexcept {
  return process.pending || !process.inbox.looks_empty();
}

// A request brings the monitor of who waits for its reply (PendingCall::ask).
inline void accept_monitor(Process& process, Envelope& request) {
  const Alias& caller = request.caller();
  process.relations.add({.kind = RelationKind::monitored_by,
                         .mode = AddressMode::until_reply,
                         .peer = caller.owner,
                         .theirs = caller.id});
  request.clear(brings_monitor);
}

// What most waits end with: one message has come, and nothing else has. It is still pending; null:
// that is not how it is. It has none but these flags.
inline mailbox::Signal* lone_signal(const Process& process, std::uint8_t flags) noexcept {
  mailbox::Signal* signal = process.pending;
  if (!signal || signal->next || !process.inbox.looks_empty()) return nullptr;
  if (process.must_end || process.own_extras() || is_suspended(process)) return nullptr;
  if (signal->kind != mailbox::SignalKind::message || (signal->flags & ~flags) != 0) return nullptr;
  return signal;
}
// A plain one, of a kind that this process takes.
inline mailbox::Signal* lone_message(const Process& process, std::uint8_t flags = 0) noexcept {
  mailbox::Signal* signal = lone_signal(process, flags);
  if (!signal) return nullptr;
  const detail::PayloadHeader& header = Envelope::of_signal(*signal).header;
  const bool is_taken = !header.type->server || process.program->takes_requests();
  return is_taken && header.tag == 0 ? signal : nullptr;
}

// Acts on everything that has come. True: the process must end, with process.reason. Costs one
// reduction for each signal; for messages, which are only moved, an eighth, and half a slice at
// most, so that who is flooded with them comes to its mail. In the middle of a flood it gives way
// after each slice's worth (S11). What comes meanwhile waits for the next time, so that a flood
// without end does not keep it here. For one without a stack: when it is suspended afterwards it
// rests on.
//
// It notes what the process is behind with: with signals, in a flood; with mail, if it has much of
// it between two messages and serves, which means that it takes all of it, in order, and sees to no
// more than a slice's in a turn. In its code a server may wait, so nothing changes there of that; a
// body may keep mail that it does not want now, and is never behind with it.
enum class When : bool { in_code, between_messages };
bool obey_all(Process& process, When when = When::in_code);
inline bool obey_at_rest(Process& process) {
  process.urgency.lower();
  return has_news(process) ? obey_all(process, When::between_messages) : process.must_end;
}
// The same for one on its stack, which stays here for as long as it is suspended (P15).
bool obey_here(Process& process);
inline bool obey(Process& process) {
  process.urgency.lower();
  return has_news(process) ? obey_here(process) : process.must_end;
}

// Acts on the wakes among the signals that hang at `place`, and on nothing else: for a process that
// waits for a wake while it may not act on the rest (Z3). Answers the end of what is left, so that
// a long wait looks at each signal once.
mailbox::Signal** obey_wakes_only(mailbox::Signal** place);
mailbox::Signal** end_of_pending(Process& process);

// Puts a message of the runtime's own (Exit, Down, a reply) into the owner's mail; destroys it when
// that is destroyed already.
void keep(Process& process, void* payload, Rank rank = Rank::ordinary);

// Sends; a signal to nobody is refused, so that whoever asked is answered.
void send_signal(System& system, Pid to, mailbox::Signal* signal);
// The same for the news of an end: a message, with no more hurry than one (S12).
void send_down(System& system, Pid to, Envelope* down, Rank rank);
// Sends; false: there is nobody, and the signal has been freed unanswered.
[[nodiscard]] bool try_send_signal(System& system, Pid to, ControlSignal* signal);

// Sends a request that its sender, a process of this level, waits for (D9). Inside.
void send_request(System& system, Pid to, ControlSignal* request, scheduler::Level asker);
// Whoever answers such a request has taken it out of this process's inbox.
void request_is_answered(System& system, Process& process, const mailbox::Signal& request);

// The Down of a monitor that finds nobody.
void tell_noproc(System& system, Pid dead, Pid watcher, std::uint64_t ref);

// Answers for the dead, and frees the signal. Runs message destructors.
void refuse(System& system, Pid dead, mailbox::Signal& signal);

// Ends our half of a monitor, and tells the other half if it is still there.
void drop_monitor(System& system, Process& process, Relation& monitor, bool tell_other_side);

// Sends a value through an alias, as a message whose tag names it (A2). `from` null: from nobody.
void send_through_alias(System& system, Pid from, const Ref& alias, void* payload);
// The same for an exit signal.
void send_exit_through_alias(
    System& system, Pid from, const Ref& alias, ExitReason reason, SendOptions options);

}  // namespace airssys::rt::runtime
