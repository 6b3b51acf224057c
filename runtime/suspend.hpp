// suspend.hpp: a process that others hold still (P15), its own half and theirs.
//
//   suspender                               suspended
//   `suspends`, mine: how often ──suspend──▶
//                               ◀──answer─── `suspended_by`
//   last resume, or its end     ──resume───▶ goes on
//
// Both are signals, so they keep their place among all others of their sender (S1). Who obeys a
// suspend answers at once, for by then it runs no code: from each place where a process on its
// stack obeys it goes on only through `hold`, which parks until nobody holds it any more or it must
// end; one that rests without a stack goes on resting (run.cpp). Whatever comes meanwhile wakes it
// as ever and is obeyed; senders look at nothing.
//
// Its time-outs are kept by a clock that stands still meanwhile: the total is added to each of its
// deadlines when it is looked at (timeout.hpp).
#pragma once

#include <cstdint>

#include "runtime/control_signal.hpp"
#include "runtime/process.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::runtime {

// Among the extras of who has ever been suspended. Owner only.
struct Suspension {
  std::uint32_t suspenders = 0;
  std::int64_t since_ns = 0;  // while it is suspended
  std::int64_t total_ns = 0;  // of the times that are over
};

// Owner. For others it is a figure.
inline bool is_suspended(const Process& process) noexcept {
  return process.is_suspended.load(std::memory_order_relaxed);  // relaxed: its own word
}

// The process that was asked, as it obeys; or who answers for the dead.
void obey_suspend(System& system, Process& process, const ControlSignal& request);
void obey_resume(Process& process, const ControlSignal& signal);
void answer_suspend(System& system, const ControlSignal& request, bool is_suspended);

// Owner, on its stack, inside: stays here, obeying, until it may go on. True: it must end.
bool hold(Process& process);

}  // namespace airssys::rt::runtime
