// mail_queue.hpp: the owner's side of a mailbox: signals that have arrived and wait to be received.
//
//   oldest_ ──▶ A ──▶ B ──▶ C ──▶ D ◀── newest_
//                     ▲
//                  Cursor: A and B have been looked at and left, C is next
//
// A first-in first-out list from which anything may be taken. A Cursor is a place in it: just
// behind one signal, or at the front. It stays right whatever is taken or appended, because the
// queue knows its cursors and moves those that stand on a signal that leaves. A receive walks with
// a cursor of its own, so that it looks at each signal once, however often it waits (R3). A cursor
// left at the end when a reference is made is that reference's mark: no earlier signal can carry
// it, and a copy of the mark is where its receive starts (R10). A signal may also be put where a
// cursor stands, ahead of others (S12).
//
// The owner alone calls all of this, except `count` and `bytes`, which anybody may read.
// Invariants: Q1 newest_ is null exactly when oldest_ is. Q2 a cursor stands on a queued signal, or
// at the front. Q3 the queue knows the cursors that stand on a signal; to one at the front nothing
// can happen. Cursors are few (one per nested receive, one per outstanding reference), so that
// looking through them costs less than it would to keep a second link in every signal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "mailbox/signal.hpp"
#include "mailbox/trail.hpp"

namespace airssys::rt::mailbox {

class Cursor;

class MailQueue {
 public:
  MailQueue() noexcept = default;
  MailQueue(const MailQueue&) = delete;
  MailQueue& operator=(const MailQueue&) = delete;

  // Puts one signal at the end. Its link is overwritten.
  void append(Signal& signal) noexcept {
    signal.next = nullptr;
    (newest_ != nullptr ? newest_->next : oldest_) = &signal;
    newest_ = &signal;
    set_figures(figures() + figures_of(signal));
  }
  bool is_empty() const noexcept { return oldest_ == nullptr; }
  Signal* oldest() const noexcept { return oldest_; }
  // Takes the oldest signal, or null. What a receive tries first: it needs no cursor for it.
  Signal* take_oldest() noexcept { return oldest_ != nullptr ? &take_after(nullptr) : nullptr; }
  // Takes all, linked oldest first, and forgets the cursors.
  Signal* take_everything() noexcept;
  // For a process whose frames may have been abandoned with cursors in them. Others of its cursors
  // that are used again must find_place first.
  void forget_cursors() noexcept { cursors_ = nullptr; }

  // Any thread: how many signals wait, and their bytes, each rounded up to a multiple of 16.
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(figures()); }
  std::uint64_t bytes() const noexcept { return (figures() >> 32) * Signal::granule_bytes; }

 private:
  friend class Cursor;

  // Takes the signal behind `before`; null: the oldest. Requires: there is one.
  Signal& take_after(Signal* before) noexcept {
    Signal*& link = before != nullptr ? before->next : oldest_;
    RT_CHECK(link != nullptr, "Q2: nothing to take behind this cursor");
    Signal& taken = *link;
    Trail::follow(taken);
    link = taken.next;
    if (newest_ == &taken) newest_ = before;
    if (cursors_ != nullptr) [[unlikely]]
      move_cursors(taken, before);
    set_figures(figures() - figures_of(taken));
    return taken;
  }
  void move_cursors(Signal& taken, Signal* before) noexcept;

  static std::uint64_t figures_of(const Signal& signal) noexcept {
    return std::uint64_t{signal.granules} << 32 | 1;
  }
  std::uint64_t figures() const noexcept {
    // relaxed: the owner's own word; for others, for show.
    return figures_.load(std::memory_order_relaxed);
  }
  void set_figures(std::uint64_t figures) noexcept {
    figures_.store(figures, std::memory_order_relaxed);  // relaxed: one writer, as above
  }

  // Owner only.
  Signal* oldest_ = nullptr;
  Signal* newest_ = nullptr;
  Cursor* cursors_ = nullptr;
  // Written by the owner, read by anybody: granules of 16 bytes (64 GiB) | signals, 32 bits each.
  base::Atomic<std::uint64_t> figures_{0};
};

class Cursor {
 public:
  enum class Start : std::uint8_t { oldest, end };

  Cursor(MailQueue& queue, Start start) noexcept : queue_(queue) {
    stand_on(start == Start::end ? queue.newest_ : nullptr);
  }
  Cursor(const Cursor& mark) noexcept : queue_(mark.queue_) { move_to(mark); }  // at the same place
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() { stand_on(nullptr); }

  // The next signal not yet looked at, or null: there is none so far.
  Signal* peek() const noexcept { return left_ != nullptr ? left_->next : queue_.oldest_; }
  // Leaves that signal where it is and goes on behind it. Requires: peek().
  void skip() noexcept {
    Signal* next = peek();
    RT_CHECK(next != nullptr, "Q2: nothing to skip behind this cursor");
    stand_on(next);
  }
  // Takes that signal out of the queue. Requires: peek().
  Signal& take() noexcept { return queue_.take_after(left_); }
  // Puts a signal in front of that one and goes on behind it. Cursors at the same place have it
  // before them, those further on do not. Its link is overwritten.
  void insert(Signal& signal) noexcept;

  // The last signal left behind, or null: none.
  const Signal* left() const noexcept { return left_; }
  // To where another cursor of the same queue stands.
  void move_to(const Cursor& other) noexcept { stand_on(other.left_); }
  // Whether the queue has forgotten this cursor, and maybe lost what it stands on.
  bool is_lost() const noexcept { return left_ != nullptr && !is_known(); }
  // If it is, to the front.
  void find_place() noexcept {
    if (is_lost()) left_ = nullptr;
  }

 private:
  friend class MailQueue;

  void stand_on(Signal* signal) noexcept {
    if ((left_ != nullptr) != (signal != nullptr)) signal != nullptr ? join() : leave();
    left_ = signal;
  }
  void join() noexcept {
    next_ = queue_.cursors_;
    queue_.cursors_ = this;
  }
  void leave() noexcept;
  bool is_known() const noexcept;

  MailQueue& queue_;
  Signal* left_ = nullptr;  // the last signal left behind; null: none, the cursor is at the front
  Cursor* next_ = nullptr;  // of those that the queue knows
};

}  // namespace airssys::rt::mailbox
