// urgency.hpp: a mark beside an inbox: among what has come is something that may not wait.
//
// A process that has mail need not look at what comes meanwhile: if it did at each step, whoever is
// sent messages faster than it reads them would only ever take in (S11). But an exit, a question or
// what goes ahead of other mail must not stand behind that mail. So who sends one of these raises a
// mark behind its push, and the owner looks at that mark, not at the inbox, until its mail is used
// up.
//
//   sender:  push ─▶ raise              owner:  is_raised? ─▶ lower ─▶ take_all
//
// States      word_: 0 | raised | kept_up (for an owner who acts on all mail at once, P18), or both
// Roles       raise: any thread, behind its push. The others: the owner.
// Invariants  U1 when a push and its raise are over, the signal is taken, or the mark is raised.
// Orders      raise releases, lower acquires; all changes are read-modify-writes, so a lower that
//             comes behind a raise has its push before it, whatever others have raised in between
// Progress    wait-free; is_raised is a load
// Not here    the inbox; the wake: who finds its receiver at rest need not raise anything
// Proof       tests/model/urgency_model.cpp
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace airssys::rt::mailbox {

class Urgency {
 public:
  Urgency() noexcept = default;
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;

  void raise() noexcept {
    // release: the push comes first. A plain store would end the release sequence of who has raised
    // before, and what that one has pushed could be missed.
    word_.fetch_or(raised, std::memory_order_release);
  }

  [[nodiscard]] bool is_raised() const noexcept {
    return word_.load(std::memory_order_relaxed) != 0;  // relaxed: lower orders what follows
  }

  // Before the look into the inbox. Writes nothing when it is not raised.
  void lower() noexcept {
    // relaxed: only a guess. acquire: pairs with raise. A plain store could come out behind that
    // look, and hide what was raised in between.
    if (word_.load(std::memory_order_relaxed) & raised) [[unlikely]]
      word_.fetch_and(static_cast<std::uint8_t>(~raised), std::memory_order_acquire);
  }

  // From now on, until renew. Before the process runs.
  void keep_up() noexcept {
    word_.store(kept_up, std::memory_order_relaxed);  // relaxed: nobody sends to it as yet
  }
  void renew() noexcept {
    word_.store(0, std::memory_order_relaxed);  // relaxed: as above
  }

 private:
  static constexpr std::uint8_t raised = 1;
  static constexpr std::uint8_t kept_up = 2;

  // Written by all, see Roles.
  base::Atomic<std::uint8_t> word_{0};
};

}  // namespace airssys::rt::mailbox
