// suspend.hpp: holding another process still, to look at it (P15).
//
// Between `suspend` and `resume` the other process runs none of its code. It still takes signals:
// messages queue, links and monitors are made, questions are answered, an exit ends it. The
// time-out of its wait stands still; that of a call runs until the call waits. Each process counts
// its own suspends; another's do not matter to it, and the end of a process takes back all of its
// own.
//
// For debugging. A process is held at a safe point, which may be anywhere in its work: who waits
// for it waits, and two that suspend one another are both held until somebody ends one of them.
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <expected>

namespace airssys::rt {

// Returns when the process has stopped: one that waits at once, a busy one at its next safe point.
// Once more for each resume that is to come. Throws BadArgument for oneself, ProcessError (noproc)
// when there is no such process. For processes; suspends the caller meanwhile.
void suspend(Pid pid);
// The same; answers the ProcessError.
[[nodiscard]] std::expected<void, ProcessError> try_suspend(Pid pid);

// Takes one suspend of the caller's back; with its last one the process goes on, unless somebody
// else holds it too. Throws BadArgument when the caller has not suspended it. That it is dead is no
// error. For processes; a safe point.
void resume(Pid pid);

}  // namespace airssys::rt
