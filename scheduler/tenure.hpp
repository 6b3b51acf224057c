// tenure.hpp: a thread's hold on its scheduler, and how the monitor takes it away.
//
// A process that keeps its thread for too long in its own code must not keep the scheduler as well:
// the monitor gives that to a spare thread. The thread says by plain stores whether it is inside
// the runtime or in process code; only in process code can it be robbed, and then it learns so at
// its next step inside, before it touches anything of the scheduler.
//
//               try_take               place is 0
//   claim_: none ────────▶ asked ─────────────────────▶ taken
//            ▲ ▲             │ place is not 0             │
//            │ └─────────────┘                            │
//            └───────────────── rejoin ───────────────────┘
//   in a child made by fork, from any state: ──▶ orphaned, for good
//
// States      place (an Announcement): 0 = in process code or asleep, else the epoch of the entry:
//             inside. claim_: none = the thread owns its scheduler | asked = the monitor, holding
//             mutex_, is about to say | taken = it does not own one any more | orphaned = this is
//             a forked child, whose monitor is not there; the mutex may look held for ever
// Roles       enter, leave, rejoin: the thread. try_take: the monitor.
// Invariants  T1 at no moment do two threads own a scheduler. T2 who owns it and is inside cannot
//             be robbed. T3 the thread learns of a loss at the first enter after it. T4 who is
//             bound to its scheduler cannot be robbed.
// Orders      place, then light_fence, then claim_ | claim_, then heavy_fence, then place. leave
//             releases, try_take acquires: the new owner sees the scheduler as it was left.
// Progress    enter is three plain instructions, wait-free unless the monitor is just asking; then
//             it waits for the verdict, a few microseconds
// Not here    who is a hog (the monitor's clocks), who drives the scheduler next
// Proof       tests/model/tenure_model.cpp. In short: try_take sees place 0 after its fence. Either
//             the thread's last store to place comes before that fence: it is outside, and its next
//             enter reads a claim_ that is not none; or it comes after, and so does its load of
//             claim_, with the same result.
//
// The place is the same word that grace periods wait for (base/quiescence.hpp): one store at the
// door serves both. A thread that has lost its scheduler goes on announcing there as before.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/assert.hpp"
#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "base/quiescence.hpp"

namespace airssys::rt::scheduler {

enum class Held : std::uint8_t {
  kept,   // the thread is inside and owns its scheduler until it leaves
  taken,  // the thread is inside and owns none: it requeues its process and touches nothing else
};

// `Lock` is base::Mutex; the model test brings one that its explorer can follow.
template <class Lock>
class BasicTenure {
 public:
  // The thread begins outside, and owns a scheduler, or none as yet.
  enum class Begins : std::uint8_t { owning, without };
  explicit BasicTenure(Begins begins = Begins::owning) noexcept
      : claim_(begins == Begins::owning ? none : taken) {}
  BasicTenure(const BasicTenure&) = delete;
  BasicTenure& operator=(const BasicTenure&) = delete;

  // The thread, on its way into the runtime: announces itself for grace periods and says whether it
  // still owns its scheduler.
  [[nodiscard]] Held enter(base::Quiescence& quiescence) noexcept {
    quiescence.enter(place_);  // ends with the light fence that pairs with try_take's heavy one
    // acquire: for `taken`: pairs with the verdict's release. The fence does the rest.
    return claim_.load(std::memory_order_acquire) == none ? Held::kept : await_verdict();
  }

  // The thread, on its way back to process code, or before it sleeps.
  void leave() noexcept {
    // Releases what it did to its scheduler; pairs with the acquire in try_take.
    base::Quiescence::leave(place_);
  }

  // The thread, inside, after a loss or in the beginning: it drives a scheduler from now on.
  void rejoin() noexcept {
    const std::lock_guard lock(mutex_);
    // relaxed, twice: under the mutex, and the monitor reads it there.
    RT_CHECK(claim_.load(std::memory_order_relaxed) == taken, "T1: rejoined without a loss");
    claim_.store(none, std::memory_order_relaxed);
  }

  // The thread, inside: something waits in its scheduler that can go on on this thread alone. Each
  // is undone by an unbind.
  void bind() noexcept {
    // relaxed, here and below: one writer; leave releases it to the monitor.
    bonds_.store(bonds_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void unbind() noexcept {
    bonds_.store(bonds_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }

  // The monitor. True: the thread has lost its scheduler, which is now the caller's. False: it is
  // inside, bound, or owns none.
  [[nodiscard]] bool try_take() noexcept {
    const std::lock_guard lock(mutex_);
    // relaxed, twice: written under the mutex only; the fence puts the store before the look.
    if (claim_.load(std::memory_order_relaxed) == taken) return false;
    claim_.store(asked, std::memory_order_relaxed);
    base::heavy_fence();  // pairs with the light fence in enter
    // acquire: pairs with leave's release. Weaker, and the next owner could see the scheduler
    // half-changed.
    const bool outside = place_.epoch.load(std::memory_order_acquire) == 0;
    // relaxed: written inside only; the acquire above has brought what the last stay wrote.
    const bool may_take = outside && bonds_.load(std::memory_order_relaxed) == 0;
    // release: who reads the verdict without the mutex sees what led to it.
    claim_.store(may_take ? taken : none, std::memory_order_release);
    return may_take;
  }

  // The thread, also in a signal handler; a hint for others.
  [[nodiscard]] bool is_inside() const noexcept {
    return place_.epoch.load(std::memory_order_relaxed) != 0;  // relaxed: its own word, or a hint
  }

  // The thread, as the only one of a child made by fork: it owns nothing any more.
  void orphan() noexcept {
    claim_.store(orphaned, std::memory_order_relaxed);  // relaxed: nobody else is there
  }

  // For the grace periods the thread takes part in.
  base::Announcement& place() noexcept { return place_; }

 private:
  enum Claim : std::uint8_t { none, asked, taken, orphaned };

  // Somebody asks just now, or has taken: the mutex is free once that is decided.
  [[gnu::noinline]] Held await_verdict() noexcept {
    // relaxed: written by this thread, if at all.
    if (claim_.load(std::memory_order_relaxed) == orphaned) return Held::taken;
    const std::lock_guard lock(mutex_);
    // relaxed: under the mutex.
    return claim_.load(std::memory_order_relaxed) == taken ? Held::taken : Held::kept;
  }

  // Written by the thread, read by anybody.
  base::Announcement place_;
  // Written under mutex_, read by the thread at each entry.
  base::Atomic<std::uint8_t> claim_;
  // Written by the thread while it is inside, read by the monitor while it is not.
  base::Atomic<std::uint32_t> bonds_{0};
  Lock mutex_{base::LockRank::tenure};
};

using Tenure = BasicTenure<base::Mutex>;

}  // namespace airssys::rt::scheduler
