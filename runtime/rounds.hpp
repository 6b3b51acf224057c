// rounds.hpp: somebody goes round as long as there is somebody to look after, and no longer.
//
//   nobody goes round ── is_up: first ──▶ a Walk ── a round with nobody up ──▶ its last one
//          ▲                               ▲                                     │ nobody is up
//          └───────────────────────────────┼─────────────────────────────────────┤
//                                          └──────────── somebody is ────────────┘
//
// States      is_over_: nobody goes round, or a Walk is in its last one
// Roles       is_up: any thread that has made somebody visible as up. Walk: one, but for the rest
//             of a last round beside the first of the next Walk.
// Invariants  Whoever is up is found by a round that begins later, or somebody has got true from
//             is_up and owes a Walk.
// Orders      two seq_cst fences: "is up" is written before is_over_ is read, is_over_ before all
//             are looked at; so one of both sees the other (store buffering)
// Progress    wait-free; nothing here allocates or blocks
// Proof       tests/model/rounds_model.cpp
#pragma once

#include "base/atomic.hpp"

namespace airssys::rt::runtime {

class Rounds {
 public:
  class Walk;

  // After somebody has been made visible as up. True: the caller owes a Walk.
  [[nodiscard]] bool is_up() noexcept {
    base::atomic_fence(std::memory_order_seq_cst);  // pairs with Walk::begin_round
    // relaxed, twice: the fences decide; a Walk reads nothing that comes by this word.
    return is_over_.load(std::memory_order_relaxed) &&
           is_over_.exchange(false, std::memory_order_relaxed);
  }

 private:
  void end() noexcept {
    is_over_.store(true, std::memory_order_relaxed);  // relaxed: see begin_round
  }

  base::Atomic<bool> is_over_{true};
};

// All rounds of one who goes round.
class Rounds::Walk {
 public:
  explicit Walk(Rounds& rounds) noexcept : rounds_(rounds) {}
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  // In the middle, or before it began: the next who is up owes another one.
  ~Walk() {
    if (!is_last_ && !is_replaced_) rounds_.end();
  }

  // Before it looks at anybody.
  void begin_round() noexcept {
    if (!was_quiet_) return;
    is_last_ = true;
    rounds_.end();
    base::atomic_fence(std::memory_order_seq_cst);  // pairs with is_up
  }
  // Having looked at all. False: it is over.
  [[nodiscard]] bool goes_on(bool found_somebody_up) noexcept {
    was_quiet_ = !found_somebody_up;
    if (!is_last_) return true;
    if (was_quiet_) return false;
    is_last_ = false;
    // relaxed: as in is_up; who has set it to false owes a Walk in our place.
    is_replaced_ = !rounds_.is_over_.exchange(false, std::memory_order_relaxed);
    return !is_replaced_;
  }

 private:
  Rounds& rounds_;
  bool was_quiet_ = false;    // the last round
  bool is_last_ = false;      // this round, unless somebody is up
  bool is_replaced_ = false;  // by another Walk
};

}  // namespace airssys::rt::runtime
