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
// at the front. Cursors are few (one per nested receive, one per outstanding reference), so that
// looking through them costs less than it would to keep a second link in every signal.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "mailbox/signal.hpp"

namespace airssys::rt::mailbox {

class Cursor;

class MailQueue {
 public:
  MailQueue() noexcept = default;
  MailQueue(const MailQueue&) = delete;
  MailQueue& operator=(const MailQueue&) = delete;

  // Puts one signal at the end. Its link is overwritten.
  void append(Signal& signal) noexcept;
  Signal* oldest() const noexcept { return oldest_; }
  // Takes the oldest signal, or null. What a receive tries first: it needs no cursor for it.
  Signal* take_oldest() noexcept;
  // Takes all, linked oldest first, and forgets the cursors.
  Signal* take_everything() noexcept;
  // For a process whose frames may have been abandoned with cursors in them.
  void forget_cursors() noexcept { cursors_ = nullptr; }

  // Any thread: how many signals wait, and their bytes, each rounded up to a multiple of 16.
  std::uint32_t count() const noexcept {
    // relaxed: a figure for show; nobody decides by it.
    return count_.load(std::memory_order_relaxed);
  }
  std::uint64_t bytes() const noexcept {
    // relaxed: as above.
    return std::uint64_t{granules_.load(std::memory_order_relaxed)} * granule_bytes;
  }

 private:
  friend class Cursor;

  // Takes the signal behind `before`; null: the oldest. Requires: there is one.
  Signal& take_after(Signal* before) noexcept;
  static std::uint32_t granules_of(const Signal& signal) noexcept;
  void add_to_figures(const Signal& signal) noexcept;
  void subtract_from_figures(const Signal& signal) noexcept;

  static constexpr std::uint32_t granule_bytes = 16;

  // Owner only.
  Signal* oldest_ = nullptr;
  Signal* newest_ = nullptr;
  Cursor* cursors_ = nullptr;
  // Written by the owner, read by anybody.
  base::Atomic<std::uint32_t> count_{0};
  base::Atomic<std::uint32_t> granules_{0};  // of 16 bytes: 64 GiB
};

class Cursor {
 public:
  enum class Start : std::uint8_t { oldest, end };

  Cursor(MailQueue& queue, Start start) noexcept;
  Cursor(const Cursor& mark) noexcept;  // at the same place
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  // The next signal not yet looked at, or null: there is none so far.
  Signal* peek() const noexcept { return behind_ != nullptr ? behind_->next : queue_.oldest_; }
  // Leaves that signal where it is and goes on behind it. Requires: peek().
  void skip() noexcept;
  // Takes that signal out of the queue. Requires: peek().
  Signal& take() noexcept;
  // Puts a signal in front of that one and goes on behind it. Cursors at the same place have it
  // before them, those further on do not. Its link is overwritten.
  void insert(Signal& signal) noexcept;

  // The last signal left behind, or null: none.
  const Signal* left() const noexcept { return behind_; }
  // To where another cursor of the same queue stands.
  void move_to(const Cursor& other) noexcept { behind_ = other.behind_; }

 private:
  friend class MailQueue;

  MailQueue& queue_;
  Signal* behind_;  // the last signal left behind; null: none, the cursor is at the front
  Cursor* next_;    // of the queue's cursors
};

}  // namespace airssys::rt::mailbox
