// readiness.hpp: one direction of one descriptor: an edge meets who waits for it.
//
// States      word_: idle | kept (an edge nobody has used) | waiting (the Waiter's address)
//
//             arm:     idle ─▶ waiting; kept ─▶ idle, and answers `ready`; waiting stays: `taken`
//             disarm:  waiting ─▶ idle
//             edge:    idle ─▶ kept; kept stays; waiting ─▶ idle, and calls Waiter::ready
//
// Roles       edge: the thread inside Poller::poll, and whoever removes the source. arm and disarm:
//             whoever waits.
// Invariants  P1 a Waiter that was armed is either disarmed or called, never both, never twice.
//             P2 an edge after a failed try is seen by the arm that follows it, or calls its
//             Waiter.
// Orders      edge releases word_, arm acquires it: the next try finds what made the edge. arm
//             releases the Waiter, edge acquires it. All moves are read-modify-writes of one word.
// Progress    lock-free; nothing here allocates or blocks
// Not here    waking a process: `ready` is the waiter's own. Deadlines: a timer disarms.
// Proof       tests/model/readiness_model.cpp
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace airssys::rt::scheduler {

// Somebody who waits. Lies where its owner waits, until it was disarmed or called.
struct alignas(8) Waiter {
  // Called by the thread that brings the edge, which holds no lock; the Waiter may be gone as soon
  // as it has told its owner. Hang-ups and errors are edges too: the next try of the call tells
  // them.
  void (*ready)(Waiter&) noexcept = nullptr;
};

enum class Armed : std::uint8_t {
  waiting,  // ready will be called, unless disarm comes first
  ready,    // an edge had come already and is used up now: try the system call again
  taken,    // another Waiter waits in this direction; only one can
};

class Readiness {
 public:
  [[nodiscard]] Armed arm(Waiter& waiter) noexcept {
    // acquire: pairs with edge's release of `kept`; what made the edge is seen by the next try.
    std::uintptr_t word = word_.load(std::memory_order_acquire);
    for (;;) {
      if (word > kept) return Armed::taken;
      const std::uintptr_t next = word == kept ? idle : address_of(waiter);
      // acq_rel: release hands the Waiter to edge, which would otherwise call through an unwritten
      // pointer; acquire as above. acquire on failure: the word found is judged anew, as above.
      if (word_.compare_exchange_weak(
              word, next, std::memory_order_acq_rel, std::memory_order_acquire))
        return word == kept ? Armed::ready : Armed::waiting;
    }
  }

  // True: the waiter will not be called. False: it has been called, or is being called right now,
  // and its owner must wait for what `ready` sends.
  [[nodiscard]] bool disarm(Waiter& waiter) noexcept {
    std::uintptr_t expected = address_of(waiter);
    // relaxed: nothing is taken over: on success nobody else has touched the Waiter, on failure the
    // owner waits for what `ready` sends, and that orders the rest.
    return word_.compare_exchange_strong(
        expected, idle, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  // Answers how many Waiters it called: one or none.
  int edge() noexcept {
    // relaxed: the exchange below acquires what it takes.
    std::uintptr_t word = word_.load(std::memory_order_relaxed);
    std::uintptr_t next = idle;
    do {
      next = word > kept ? idle : kept;
      // acq_rel: acquire pairs with arm's release, so `ready` is seen as written; release pairs
      // with the acquire of the arm that finds the edge. An edge that is kept already is written
      // again all the same: that arm must see this edge's data too. relaxed on failure: judged
      // anew.
    } while (!word_.compare_exchange_weak(
        word, next, std::memory_order_acq_rel, std::memory_order_relaxed));
    if (word <= kept) return 0;
    auto& waiter = *reinterpret_cast<Waiter*>(word);  // NOLINT(performance-no-int-to-ptr): a word
    waiter.ready(waiter);
    return 1;
  }

  // Forgets an edge that nobody used, for the next owner. Requires: nobody else has the source.
  void reset() noexcept {
    word_.store(idle, std::memory_order_relaxed);  // relaxed: Poller::mutex_ hands it over
  }

 private:
  static constexpr std::uintptr_t idle = 0;
  static constexpr std::uintptr_t kept = 1;

  static std::uintptr_t address_of(Waiter& waiter) noexcept {
    return reinterpret_cast<std::uintptr_t>(&waiter);
  }

  base::Atomic<std::uintptr_t> word_{idle};
};

}  // namespace airssys::rt::scheduler
