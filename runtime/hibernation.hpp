// hibernation.hpp: bodies that wait for long give the pages of their stacks back.
//
//   waits ── a round: marked ── next round, still marked: claim ──▶ held ── copy, drop ──▶ asleep
//     ▲       (any turn of its own clears the mark)                  │                       │
//     │                        mail or its time-out came meanwhile   ▼                       │ woken
//     └───── thaw: copy back, to the same addresses ◀── thread resumes ◀─────────────────────┘
//
// Roles       Hibernator: the monitor, which is no scheduler's thread, a few processes at a time.
//             thaw: the thread that resumes the process.
// Invariants  H1 who changes a stack that nobody runs on holds its process: by Inbox::claim, or by
//             having taken it from a run queue. Pages are dropped before the claim ends, so nobody
//             resumes a stack that is about to be dropped. H2 what wakes a process while it is held
//             finds no one at rest; ending the claim fails then, and the Hibernator owes the wake.
//             H3 no list that others change runs through a hibernated stack: its only Wait may be a
//             time-out, and that lends its place in the wheel to a stand-in on the heap. One that
//             fires while the process is held is remembered.
// Orders      the inbox's word hands the process over; the stand-in is under the wheel's mutex
// Proof       tests/model/inbox_model.cpp (claims), tests/model/hibernation_model.cpp (time-outs)
//
// Only processes whose spawner says so (SpawnOptions::hibernates): an address of the stack that
// process code has given away is nothing that the runtime could find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/atomic.hpp"
#include "base/memory.hpp"
#include "fiber/context.hpp"
#include "fiber/hibernation.hpp"
#include "runtime/process.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::runtime {

class System;

// A hibernated process's stack, on the heap: the live bytes follow. Its time-out, if it has one,
// is the entry: under its wheel's mutex.
struct Hibernation : scheduler::TimerEntry {
  Process* process;
  fiber::Fiber* fiber;
  Wait* waits;
  std::uint32_t live_bytes;
  fiber::SizeClass stack_class;
  bool is_held;    // by the Hibernator
  bool has_fired;  // meanwhile
};

// By who holds it: the process is as it was when it went to rest. Inside, on a scheduler's thread.
fiber::Fiber& thaw(Process& process) noexcept;

class Hibernator {
 public:
  // 0: nobody hibernates.
  Hibernator(System& system, std::int64_t after_ns) noexcept;
  Hibernator(const Hibernator&) = delete;
  Hibernator& operator=(const Hibernator&) = delete;

  // Somebody may hibernate, from now on. Any thread.
  void expect() noexcept {
    is_expected_.store(true, std::memory_order_relaxed);  // relaxed: seen at some later step
  }

  // The next step of a round; rounds begin `after_ns` apart. Answers when there is something to do
  // again, TimerWheel::never_ns once all have slept for a whole round in which nothing was left to
  // do. The monitor.
  std::int64_t step(std::int64_t now_ns, bool all_sleep) noexcept;

  // Figures. Any thread.
  std::uint64_t put_away() const noexcept {
    return put_away_.load(std::memory_order_relaxed);  // relaxed: a figure
  }

 private:
  static constexpr std::uint32_t slots_at_once = 128;
  static constexpr std::uint32_t slots_per_step = 2048;
  static constexpr std::size_t batch_max = 128;      // stacks whose pages go in one call
  static constexpr std::size_t live_bytes_max = 4096;  // beyond it a page is not worth the copy

  void begin_round(std::int64_t now_ns) noexcept;
  void consider(Process& process) noexcept;
  bool put_away(Process& process) noexcept;
  void drop_and_release() noexcept;

  System& system_;
  const std::int64_t after_ns_;
  base::Atomic<bool> is_expected_{false};
  base::Atomic<std::uint64_t> put_away_{0};

  // The monitor only.
  std::uint32_t next_slot_ = 0;  // 0: between two rounds
  std::int64_t next_round_ns_ = 0;
  bool round_is_quiet_ = false;  // all have slept since it began
  bool found_some_ = false;      // who was marked or put away in this round
  bool is_settled_ = false;
  std::vector<Hibernation*, base::Allocator<Hibernation*>> held_;
};

}  // namespace airssys::rt::runtime
