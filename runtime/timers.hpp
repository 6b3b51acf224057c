// timers.hpp: messages that are sent later, as the rest of the runtime sees them.
//
// An order lies in the timer table of the scheduler on which it was made
// (scheduler/timer_table.hpp). Aimed at a pid, it ends with that process (timer_target.hpp).
#pragma once

#include <airssys/rt/message.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <optional>

#include "runtime/process.hpp"
#include "runtime/system.hpp"
#include "runtime/timer_target.hpp"

namespace airssys::rt::runtime {

// The end of a process, after it is marked as exiting: takes back what is aimed at it. Lets others
// run when there is much (T12). By the owner, inside.
void take_back_timers_of(System& system, Process& process);
inline void cancel_timers_of(System& system, Process& process) {
  if (is_aimed_at(process)) [[unlikely]]
    take_back_timers_of(system, process);
}

// The same of one that was never born: their messages are laid aside. Any thread, inside.
void dispose_of_timers_of(System& system, Process& process);

// rt::cancel_timer and rt::read_timer, inside, by any thread. The message of a timer that was taken
// back is the caller's, who destroys it outside.
std::optional<Duration> cancel_timer_in(System& system, TimerRef timer, Message& message);
std::optional<Duration> read_timer_in(System& system, TimerRef timer);

// The end of a runtime, when its threads have ended: takes everything back.
void cancel_all_timers(System& system);

}  // namespace airssys::rt::runtime
