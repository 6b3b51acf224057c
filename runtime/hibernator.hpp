// hibernator.hpp: processes that wait for mail for long keep what their stacks hold on the heap.
//
//   rests ── a round: marked ── the next one: has not run since, claim ──▶ held ── copied, dropped
//     ▲                                                                              │
//     └── fetch_stack, by the thread that is about to switch to it ◀── mail ── away ◀┘ claim ends
//
// Who      A process of the runtime's own, of low priority, goes round the table as long as some
//          process may hibernate and is not away (rounds.hpp). Nobody pays at a wait or a wake:
//          that a process has run is seen by the reductions that it was charged.
// Whom     Only whose spawner allows it, while it waits for mail and no time-out: a Wait is known
//          by its address. Who else uses addresses in a stack, the runtime cannot see. Rejected: to
//          let them fault and fill the page then: system calls fail, and others see it empty.
// How      Inbox::claim holds it without waking it, and ends when the stack has gone, so nobody
//          runs on one that is about to go. If mail has come meanwhile the holder owes the wake.
//          Away: `fiber` is null, `stack_class` is scheduler::away, `stack_copy` is set.
// Orders   the inbox's word hands all of it over; the mark is a hint
// Proof    tests/model/inbox_model.cpp, for claims; rounds_model.cpp, for the last round
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "fiber/context.hpp"
#include "runtime/rounds.hpp"
#include "scheduler/task.hpp"

namespace airssys::rt::runtime {

struct Process;
class System;

// Of Process::hibernation_mark. All others are how a round has seen a process that is not away.
inline constexpr std::uint8_t stays = 0;  // its spawner has not allowed it
inline constexpr std::uint8_t unseen = 1;
inline constexpr std::uint8_t is_away = 255;

// The door of the scheduler: brings the stack back to where it was. Inside.
fiber::Fiber& fetch_stack(scheduler::Task& task) noexcept;

class Hibernator {
 public:
  // 0: nobody is ever put away.
  Hibernator(System& system, std::int64_t after_ns) noexcept
      : system_(system), after_ns_(after_ns) {}
  Hibernator(const Hibernator&) = delete;
  Hibernator& operator=(const Hibernator&) = delete;

  // A process may hibernate that is published and has not begun, or whose stack is back. Its
  // holder, inside.
  void is_up(Process& process) noexcept;

  // Figures: how often a stack was put away, and fetched. Any thread.
  std::uint64_t put_away() const noexcept {
    return put_away_.load(std::memory_order_relaxed);  // relaxed: a figure
  }
  std::uint64_t fetched() const noexcept {
    return fetched_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

 private:
  friend fiber::Fiber& fetch_stack(scheduler::Task& task) noexcept;
  class Batch;

  void start_walk() noexcept;
  void go_round(Rounds::Walk& walk);
  bool find_somebody_up();

  System& system_;
  const std::int64_t after_ns_;
  Rounds rounds_;
  base::Atomic<std::uint64_t> put_away_{0};
  base::Atomic<std::uint64_t> fetched_{0};
};

}  // namespace airssys::rt::runtime
