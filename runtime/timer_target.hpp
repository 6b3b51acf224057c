// timer_target.hpp: who takes back a timer that is aimed at a process which ends: its maker or the
// end (T9).
//
//   maker   makes the timer ▶ marks the target  ▶ looks whether it exits: takes its timer back
//   end     says that it exits ▶ looks at the mark: takes all timers back
//
// Roles       aims_too_late: any process, inside, with its timer in a table. is_aimed_at: the end
//             of the target, after is_exiting is set.
// Invariants  A1 not both miss the other, so no timer outlives its target. A2 a process that was
//             never aimed at pays one load.
// Orders      all seq_cst, as the store of is_exiting is (name_registry.cpp). Of a mark and a look
//             at it by the end one is first: the mark, and the end sees it; the look, and whoever
//             marks, or finds the mark, sees that it exits. Whether the end's search finds the
//             timer, the mutex of its table tells: if not, the maker comes behind is_exiting.
// Progress    wait-free
// Proof       tests/model/timer_target_model.cpp
#pragma once

#include "base/atomic.hpp"

namespace airssys::rt::runtime {

// True: the end of the target may have missed the timer.
template <class Target>
[[nodiscard]] bool aims_too_late(Target& target) noexcept {
  // seq_cst, three times: see Orders.
  if (!target.is_timer_target.load(std::memory_order_seq_cst))
    target.is_timer_target.store(true, std::memory_order_seq_cst);
  return target.is_exiting.load(std::memory_order_seq_cst);
}

template <class Target>
[[nodiscard]] bool is_aimed_at(const Target& target) noexcept {
  return target.is_timer_target.load(std::memory_order_seq_cst);  // seq_cst: see Orders
}

}  // namespace airssys::rt::runtime
