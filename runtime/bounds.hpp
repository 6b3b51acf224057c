// bounds.hpp: the room of a bounded mailbox, and the line of those who wait for some (B1–B8).
//
// A mailbox is full when it holds `capacity` messages or `bytes` bytes; one that is not full takes
// a message of any size. Counted is what was sent and not yet received, wherever it lies meanwhile.
// System messages (MessageType::is_system) are not counted: a full process can be stopped.
//
//   room, nobody waits ──▶ counted, then pushed by its sender
//   full ──▶ reject, drop_newest, try_send: refused
//        ──▶ drop_oldest: counted and pushed all the same; the owner drops, when it takes its inbox
//                         in. From twice the bound on the sender drops for it, in the inbox: there
//                         the newest stay that fill the mailbox, so what the owner has goes. An
//                         owner that waits for a job before it can end keeps what it has: from
//                         64 times the bound on, refused
//        ──▶ block: in line ── the owner frees room ──▶ counted and pushed by the owner, for the
//                              first in line; so nobody overtakes, and a place is never lost
//
// States      word_ is: in line (1 bit) | messages (31) | granules of 16 bytes (32)
// Roles       try_count, count_beyond, shorten, join, step_out: any thread that holds an owner's
//             share. unpack, free, serve, close: the owner of the mailbox, running.
//             Whoever has counted in looks for the soft mark; the owner takes the flag back when
//             half of it is left. Flag and word may disagree for a moment: it is for show.
// Invariants  B1 the first bit is set exactly while the line is not empty; mutex_ guards both.
//             B2 while it is set, only the owner counts in, so the line cannot be overtaken.
//             B3 a message has the flag counted_in_bounds exactly while it is counted.
// Orders      relaxed: the word only counts; messages are handed over by the inbox, the line and
//             what is in a batch by mutex_. One word, so room and line are never seen apart.
// Progress    with room: one compare-and-swap, one subtraction; the mutex only when somebody waits,
//             or from twice the bound on
// Lifetime    owners_: the process's block holds one share until it is used again, so whoever has
//             found the process may look; who waits holds another and needs no process any more.
#pragma once

#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/intrusive_list.hpp"
#include "base/mutex.hpp"
#include "runtime/drop_counts.hpp"
#include "runtime/envelope.hpp"
#include "runtime/extras.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class Call;
class System;

// Somebody in line, with the message that is to go in.
struct Sender : base::ListHook {
  enum class Outcome : std::uint8_t { none, sent, no_process };

  Envelope* envelope = nullptr;
  // Called once, with the outcome, by the owner and under the line's mutex: it must be short.
  void (*settled)(Sender&) noexcept = nullptr;
  Outcome outcome = Outcome::none;
};

class Bounds {
 public:
  explicit Bounds(const MailboxOptions& options) noexcept;
  Bounds(const Bounds&) = delete;
  Bounds& operator=(const Bounds&) = delete;

  Overflow overflow() const noexcept { return overflow_; }

  // Counts a message in. False: the mailbox is full, or others are in line.
  [[nodiscard]] bool try_count(Envelope& message) noexcept;
  // Counts a message in beyond the bound. True: there had been twice the bound already.
  [[nodiscard]] bool count_beyond(Envelope& message) noexcept;
  // Takes all but the newest that fill a mailbox out of this one's inbox, which is of the process
  // with these bounds. Answers what it has taken, oldest first, not counted any more.
  [[nodiscard]] mailbox::Signal* shorten(mailbox::Inbox& inbox) noexcept;
  // A message that was counted has found the inbox closed: nobody counts there any more.
  static void uncount(Envelope& message) noexcept { message.clear(counted_in_bounds); }

  enum class Joined : std::uint8_t {
    counted,  // there was room: the caller pushes
    waits,    // in line: `settled` will be called, unless step_out comes first
    closed,   // the process has ended
  };
  Joined join(Sender& sender) noexcept;
  // True: out of the line again, nothing was sent. False: settled, or being settled right now; with
  // the return of this call `settled` has returned.
  bool step_out(Sender& sender) noexcept;

  // Owner: what a sender has left in place of what it has found in the inbox, and what came later.
  mailbox::Signal* unpack(mailbox::Signal& batch) noexcept;
  // Owner: a counted message has left the mailbox.
  void free(Process& owner, Envelope& message) noexcept;
  // Whether it is full, so many times over.
  bool is_full(unsigned times = 1) const noexcept {
    // relaxed: see Orders.
    return bound_.is_reached(word_.load(std::memory_order_relaxed), times);
  }
  // Owner: whether the mailbox would be full without this message as well.
  bool is_full_without(const Envelope& message) const noexcept;
  // Owner, when it ends: whoever is in line, or comes, hears that there is no process.
  void close() noexcept;

  // Whoever has counted in: true once when a soft mark is reached, until half of it is left.
  bool has_reached_soft_mark() noexcept;
  bool is_overloaded() const noexcept {
    return is_overloaded_.load(std::memory_order_relaxed);  // relaxed: for show
  }
  // What is counted now.
  struct Counted {
    std::uint64_t messages;
    std::uint64_t bytes;
  };
  Counted counted() const noexcept;

  DropCounts drops;

  // Another share, and the end of one.
  Bounds& share() noexcept;
  void release() noexcept;

 private:
  // A bound, or a soft mark.
  struct Mark {
    const std::uint64_t messages;
    const std::uint64_t granules;

    Mark(std::size_t messages_asked, std::size_t bytes_asked) noexcept;
    bool is_reached(std::uint64_t word, std::uint64_t times = 1) const noexcept;
    bool is_more_than_half_reached(std::uint64_t word) const noexcept;
  };

  struct Batch;

  static std::uint64_t cost_of(const Envelope& message) noexcept;
  static std::uint64_t cost_if_counted(mailbox::Signal& signal) noexcept;
  // Under mutex_.
  void serve(Process& owner) noexcept;
  void note_line_end() noexcept;

  // Fixed after construction.
  const Mark bound_;
  const Mark soft_mark_;
  const Overflow overflow_;

  // Any thread, atomic: see Orders.
  base::Atomic<std::uint64_t> word_{0};
  base::Atomic<std::uint32_t> owners_{1};
  base::Atomic<bool> is_overloaded_{false};

  base::Mutex mutex_{base::LockRank::table};  // `settled` wakes under it
  // Under mutex_.
  base::List<Sender> line_;
  bool is_closed_ = false;
};

// Null when the options ask for no bound and no mark. What its extras are given at spawn.
BoundsShare make_bounds(const MailboxOptions& options);

// Sends to a process with bounds, by its policy. On `sent` the message is gone, else it is still
// the caller's, also when this throws: BadArgument when it would wait for room in its own mailbox.
// Inside; may suspend, returns inside, maybe on another thread. A process that ends while it waits
// is unwound from here, and its message is sent or not, never both (B2). At the deadline: full.
SendResult send_bounded(Call& call,
                        Process& to,
                        Message& message,
                        detail::WhenFull when_full,
                        Deadline deadline = Deadline::never());
// The same from a plain thread that is outside: it waits at most System::send_timeout_ns, then
// full.
SendResult send_bounded_from_outside(System& system,
                                     Pid to,
                                     Message& message,
                                     detail::WhenFull when_full);

// Any thread, for show.
inline bool is_overloaded(const Process& process) noexcept {
  const Bounds* bounds = bounds_of(process);
  return bounds && bounds->is_overloaded();
}

// Owner, for a process with bounds. It has taken a message with the flag counted_in_bounds out of
// its mail:
void room_freed(Process& self, Envelope& message);
// it takes this list, oldest first, out of its inbox:
inline mailbox::Signal* unpacked(Process& self, mailbox::Signal* fresh) noexcept {
  const bool is_packed = fresh && fresh->kind == mailbox::SignalKind::batch;
  return is_packed ? bounds_of(self)->unpack(*fresh) : fresh;
}
// it has taken its inbox in, so what is too much is known (B5):
void drop_oldest(Process& self);
// its inbox is closed:
void wake_all_senders(Process& self);

}  // namespace airssys::rt::runtime
