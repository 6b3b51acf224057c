// priority.hpp: mail that goes ahead of all ordinary mail (S12).
//
//   front ──▶ P1 ──▶ P2 ──▶ O1 ──▶ O2 ──▶ O3
//                    ▲             ▲
//              priority_end        a receive that has left everything up to O2 behind
//
// Who makes a link, monitor or alias of priority gets a place in its mail: behind what has gone
// ahead so far. Whether mail goes there is decided as its signal is obeyed, by the relation that it
// came by, so all of it is ordinary again when the last of these is gone.
//
// A receive that waits has all of this behind its back. Before it lets signals act it notes how far
// it has seen priority mail, and afterwards it looks from there on, at nothing twice (R3). One from
// a mark (R10) has seen none of it. A call's own mark needs no such look: neither its answer nor
// its monitor's Down is of priority.
#pragma once

#include "mailbox/mail_queue.hpp"
#include "mailbox/signal.hpp"
#include "runtime/envelope.hpp"
#include "runtime/extras.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// Owner, all of these.

// From now on mail can go ahead.
void allow_priority_mail(Process& process);

// Where it goes; null: it cannot.
inline mailbox::Cursor* priority_end(const Process& process) noexcept {
  Extras* extras = process.own_extras();
  return extras && extras->priority_end ? &*extras->priority_end : nullptr;
}

// When the mail has forgotten its cursors: finds it again.
void find_priority_end(Process& process) noexcept;

// Requires: it can. The end of a process keeps it at the end: no receive will come.
void keep_ahead(Process& process, mailbox::Signal& message);

inline bool has_gone_ahead(const mailbox::Signal& message) noexcept {
  return (message.flags & with_priority) != 0;
}

}  // namespace airssys::rt::runtime
