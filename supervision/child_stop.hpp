// child_stop.hpp: how children are stopped: ask, wait, kill, wait (V13, V14).
//
// The wait is for a Down, not for the link's Exit, so a child that has unlinked itself cannot hang
// its supervisor. The link stays until the child is gone: a supervisor that is killed meanwhile
// takes the child along. Afterwards the Exit is taken out of the mailbox, and nothing else (V16);
// it tells the reason of a child that was gone, or going, when it was asked. A child that waits for
// an answer of its supervisor is told that it would wait for ever (G7); one that waits for another
// who does so is not.
// On the supervisor's process.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <functional>
#include <optional>
#include <vector>

namespace airssys::rt::supervision {

// Called every ten seconds while a child that is waited for without limit does not end, with the
// signal that it has got (V42). Without one nobody is told.
using StillThere = std::function<void(Pid child, const ExitReason& signal)>;

// The reason the child ended with after this signal, or by itself if there is none; noproc if it
// had ended before, or nothing if it has not ended in this time. Leaves its Exit where it is.
// Requires: a signal, if there is a `still_there`.
std::optional<ExitReason> end_by(Pid child,
                                 const std::optional<ExitReason>& signal,
                                 Duration time,
                                 const StillThere& still_there);

// Stops one child and answers the reason it ended with: noproc if it had ended long before and the
// link did not tell why.
ExitReason stop_child(Pid child, const Shutdown& shutdown, const StillThere& still_there);

struct Stopping {
  Pid pid;
  Shutdown shutdown;
  ExitReason reason = ExitReason::noproc();  // filled in
};

// Stops many at once: all are asked first, then they share the longest of their times (V23). The
// supervisor is about to end: all other mail is thrown away on the way, so that the work is linear.
void stop_all(std::vector<Stopping>& children, const StillThere& still_there);

}  // namespace airssys::rt::supervision
