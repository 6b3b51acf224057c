// inbox.hpp: the front door of a mailbox, and the one word that says who is owed a wake.
//
//                    push: queued
//            ┌───────────────────────────────┐
//            │                               ▼
//          empty ◀────── take_all ───────── mail ◀─┐ push: queued
//           │ ▲                                └───┘
//  try_idle │ │ push: first, claim
//           ▼ │
//           idle                              close: empty or mail → closed, for ever
//
// States      word_ is: empty (the owner runs, or is queued, or somebody has claimed it) | idle (it
//             is parked and its context is saved) | mail (as empty, with mail) | closed
// Roles       push, replace, claim: any thread. take_all, close: the owner, running. try_idle: who
//             holds the owner while it does not run: who runs next on its thread, or a claimer.
// Invariants  M1 a signal is reachable from word_ until it is taken: by the owner, or by who leaves
//             one of its own in the place of all. M2 closed is final.
//             M3 each change away from idle has one author, who owes exactly one wake, or after a
//             claim one try_idle. M4 take_all gives signals in the order of their pushes, so one
//             sender's stay in the order it sent them, on whatever threads it ran. Who gets `first`
//             puts the signal into the owner's own hands, before it can be older than another of
//             its sender's.
// Orders      push releases, take_all and close acquire: what the sender wrote, the owner sees. (A
//             `first` signal goes the way of the wake.) replace does both.
//             try_idle releases, `first` and claim acquire: who wakes sees the saved context.
//             close releases, `closed` acquires: who is refused sees what was undone before.
// Progress    push and replace are lock-free, all others wait-free; nothing allocates or blocks
// Not here    waking: the caller who got `first` does it. The order of reading: mail_queue.hpp.
//             trail_, which decides nothing: trail.hpp
// Proof       tests/model/inbox_model.cpp
//
// Every wake is a push, also that of a time-out or a finished job, so that no second word can race
// with this one. Rejected: a queue with two ends that its producers link in two steps. A producer
// that stops between them hides everything behind it; here a push is there whole, or not at all.
// That a `first` signal stays with its pusher, who holds the owner anyway, spares a message that
// finds its receiver at rest one of three locked instructions.
#pragma once

#include <cstdint>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "mailbox/signal.hpp"
#include "mailbox/trail.hpp"

namespace airssys::rt::mailbox {

enum class Pushed : std::uint8_t {
  queued,  // the owner will find it: nothing owed
  first,   // the owner was parked; it is the caller's now, to be given the signal and woken, once
  closed,  // the owner is gone: the signal is still the caller's
};

// `Node` is Signal; the model test brings a node whose link it watches, and no trail.
template <class Node, class Trail = mailbox::Trail>
class BasicInbox {
 public:
  BasicInbox() noexcept = default;  // empty: the owner is about to be queued for its first run
  BasicInbox(const BasicInbox&) = delete;
  BasicInbox& operator=(const BasicInbox&) = delete;

  // Any thread. Requires: the signal is in no queue.
  [[nodiscard]] Pushed push(Node& signal) noexcept {
    // acquire, here and on failure: for `closed`, pairs with close's release; weaker, and who was
    // told that this process is gone could still find its name taken (N8).
    std::uintptr_t word = word_.load(std::memory_order_acquire);
    if (word == empty || is_mail(word)) {
      // Not between the load and the exchange: the longer that takes, the more of them fail.
      trail_.leave(signal, is_mail(word));
      word = word_.load(std::memory_order_acquire);  // acquire: as above
    }
    for (;;) {
      if (word == closed) return Pushed::closed;
      if (word == idle) {
        // acquire: pairs with try_idle's release; weaker, and the thread that runs the owner next
        // switches to a half-saved context. acquire on failure: as the load.
        if (word_.compare_exchange_weak(
                word, empty, std::memory_order_acquire, std::memory_order_acquire))
          return Pushed::first;
        continue;
      }
      signal.next = as_node(word);
      // release: hands over the signal, pairs with take_all's acquire; weaker, and the owner reads
      // a half-written message. acquire on failure: as the load.
      if (word_.compare_exchange_weak(
              word, as_word(signal), std::memory_order_release, std::memory_order_acquire))
        return Pushed::queued;
    }
  }

  // Any thread: takes what lies here, oldest first, and leaves this signal in its place, as old as
  // all of that. Null: nothing does, and the signal is the caller's.
  [[nodiscard]] Node* replace(Node& signal) noexcept {
    signal.next = nullptr;
    // relaxed: a guess.
    std::uintptr_t word = word_.load(std::memory_order_relaxed);
    while (is_mail(word)) {
      // acq_rel: as take_all for what it takes, as push for what it leaves. relaxed on failure: as
      // the load.
      if (word_.compare_exchange_weak(
              word, as_word(signal), std::memory_order_acq_rel, std::memory_order_relaxed))
        return reversed(word);
    }
    return nullptr;
  }

  // The owner: everything pushed so far, oldest first, or null. Writes nothing when there is none.
  [[nodiscard]] Node* take_all() noexcept {
    // relaxed: what happened before this call is seen, for a thread never sees an older value than
    // one it has synchronised with; what comes later will make try_idle fail.
    if (word_.load(std::memory_order_relaxed) == empty) return nullptr;
    // acquire: pairs with push's release, whose read-modify-writes form one release sequence, so
    // that the newest push brings all older ones along. Weaker: see push.
    return reversed(word_.exchange(empty, std::memory_order_acquire));
  }

  // The owner: whether take_all would answer null now.
  [[nodiscard]] bool looks_empty() const noexcept {
    // relaxed: as in take_all.
    return word_.load(std::memory_order_relaxed) == empty;
  }

  // Parks the owner, whose context is saved. False: mail has come; the caller still holds the owner
  // and queues it again.
  [[nodiscard]] bool try_idle() noexcept {
    std::uintptr_t expected = empty;
    // release: hands the saved context to who replaces idle. Weaker: see push.
    // relaxed on failure: the owner will acquire when it takes the mail.
    const bool parked = word_.compare_exchange_strong(
        expected, idle, std::memory_order_release, std::memory_order_relaxed);
    RT_CHECK(parked || is_mail(expected), "M3: parked twice, or parked when closed");
    return parked;
  }

  // Any thread: takes hold of a parked owner without waking it, to look at its stack or to move it.
  // False: it is not parked. True: the caller ends the claim with try_idle, or wakes the owner.
  [[nodiscard]] bool claim() noexcept {
    std::uintptr_t expected = idle;
    // acquire: pairs with try_idle's release, as `first` does. relaxed on failure: nothing is used.
    return word_.compare_exchange_strong(
        expected, empty, std::memory_order_acquire, std::memory_order_relaxed);
  }

  // Any thread: whether the owner is parked and nothing has come since. A look that may be out of
  // date at once.
  [[nodiscard]] bool is_idle() const noexcept {
    // acquire: pairs with try_idle's release: what the owner has published before is seen. Weaker,
    // and what is read next could be older than the park (wait_circle.hpp).
    return word_.load(std::memory_order_acquire) == idle;
  }

  // The owner, when it ends: refuses all mail from now on and gives what was left, oldest first.
  [[nodiscard]] Node* close() noexcept {
    // acquire: as take_all. release: pairs with the acquires of a push that is refused: see there.
    const std::uintptr_t word = word_.exchange(closed, std::memory_order_acq_rel);
    return word == empty ? nullptr : reversed(word);
  }

 private:
  static constexpr std::uintptr_t empty = 0;
  static constexpr std::uintptr_t idle = 1;
  static constexpr std::uintptr_t closed = 2;

  static bool is_mail(std::uintptr_t word) noexcept { return word > closed; }
  static std::uintptr_t as_word(Node& signal) noexcept {
    return reinterpret_cast<std::uintptr_t>(&signal);
  }
  static Node* as_node(std::uintptr_t word) noexcept { return reinterpret_cast<Node*>(word); }

  // Newest-first becomes oldest-first.
  static Node* reversed(std::uintptr_t newest) noexcept {
    RT_CHECK(is_mail(newest), "M3: taken from an inbox whose owner is parked or gone");
    Node* oldest = nullptr;
    typename Trail::Back back(*as_node(newest));
    for (Node* signal = as_node(newest); signal != nullptr;) {
      Trail::follow(*signal);
      back.leave(*signal);
      Node* older = signal->next;
      signal->next = oldest;
      oldest = signal;
      signal = older;
    }
    return oldest;
  }

  // Any thread, atomic: see Orders. One of the three constants, or the newest signal's address.
  base::Atomic<std::uintptr_t> word_{empty};
  Trail trail_;
};

using Inbox = BasicInbox<Signal>;

}  // namespace airssys::rt::mailbox
