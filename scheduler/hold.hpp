// hold.hpp: a thread that computes is held in a signal handler until its turn comes.
//
// Code that never calls the runtime can be stopped by nothing but a signal to its thread. The
// handler switches nothing and touches nothing: it sleeps while the word says so.
//
//            begin               hold, and a signal behind it
//     home ─────────▶ runs ───────────────────────────▶ waits: the handler sleeps
//      ▲ ▲             │ ▲                               │ │
//      │ └── give_up ──┤ └─────────── let_go ────────────┘ │
//      └──────────────── come_home ◀───────────────────────┘
//
// States      word_: home = nobody's to hold: the thread owns a scheduler, or looks for one | runs
//             = its scheduler is being taken, or was | waits = and it shall not run now
// Roles       begin, give_up: the monitor, before it tries to take the scheduler and when it could
//             not. come_home: the thread, when it has learnt of its loss. hold, let_go: the
//             rotation. wait_for_turn: the handler, on the thread.
// Invariants  H1 a thread waits in process code only, so it never holds what is the runtime's.
//             H2 no signal, however late, holds a thread that has come home. H3 who shall run
//             again wakes up.
// Orders      all relaxed, for no memory is handed over by the word: each change is one step of its
//             own, and begin is seen before the loss, which Tenure's verdict releases
// Progress    wait-free, but for the wait
// Not here    whose turn it is: rotation.hpp
// Proof       tests/model/hold_model.cpp
#pragma once

#include <climits>
#include <cstdint>

#include "base/assert.hpp"
#include "base/atomic.hpp"

#ifndef AIRSSYS_RT_MODEL
#include "base/futex.hpp"
#endif

namespace airssys::rt::scheduler {

// `Futex` is the kernel's; the model test brings one that its explorer can follow.
template <class Futex>
class BasicHold {
 public:
  BasicHold() noexcept = default;
  BasicHold(const BasicHold&) = delete;
  BasicHold& operator=(const BasicHold&) = delete;

  // Before the try to take its scheduler.
  void begin() noexcept {
    RT_CHECK(change(home, runs), "H2: a thread that is not home has a scheduler to lose");
  }
  // After a try that failed. A rotation that has not yet noticed that the thread came home from an
  // earlier loss may have held it meanwhile.
  void give_up() noexcept {
    // relaxed: see Orders.
    if (word_.exchange(home, std::memory_order_relaxed) == waits) Futex::wake(word_);
  }

  // True: it was not held, and runs in its turn, if it has turns.
  bool come_home() noexcept {
    return word_.exchange(home, std::memory_order_relaxed) == runs;  // relaxed: see Orders
  }
  // A look: who is not home may come home at any time.
  [[nodiscard]] bool is_home() const noexcept {
    return word_.load(std::memory_order_relaxed) == home;  // relaxed: see Orders
  }

  // True: the caller sends its thread the signal. False: it has come home, or is held already.
  [[nodiscard]] bool hold() noexcept { return change(runs, waits); }
  // False: it has come home, or was not held.
  bool let_go() noexcept {
    if (!change(waits, runs)) return false;
    Futex::wake(word_);
    return true;
  }
  [[nodiscard]] bool is_held() const noexcept {
    return word_.load(std::memory_order_relaxed) == waits;  // relaxed: see Orders
  }

  // In the handler. `in_process_code`: where it has interrupted its thread.
  void wait_for_turn(bool in_process_code) noexcept {
    if (!in_process_code) return;  // it is on its way home
    while (is_held()) Futex::wait(word_, waits);
  }

 private:
  enum : std::uint32_t { home, runs, waits };

  bool change(std::uint32_t from, std::uint32_t to) noexcept {
    // relaxed, twice: see Orders.
    return word_.compare_exchange_strong(
        from, to, std::memory_order_relaxed, std::memory_order_relaxed);
  }

  typename Futex::Word word_{home};
};

#ifndef AIRSSYS_RT_MODEL

struct KernelFutex {
  using Word = base::FutexWord;
  static void wait(Word& word, std::uint32_t expected) noexcept {
    base::futex_wait(word, expected, -1);
  }
  static void wake(Word& word) noexcept { base::futex_wake(word, INT_MAX); }
};

using Hold = BasicHold<KernelFutex>;

#endif

}  // namespace airssys::rt::scheduler
