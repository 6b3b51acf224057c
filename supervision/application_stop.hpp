// application_stop.hpp: a phase of the shutdown: one tree is asked to stop, and has its time.
#pragma once

#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <string_view>

namespace airssys::rt::supervision {

// Asks the keeper of an application, which the caller is linked to, to shut down, and waits until
// it has ended. At the deadline each process of its tree is reported, what it waits for and whom,
// and all are killed: whoever descends from the keeper, linked or not, and has not lost a parent in
// between. The keeper itself is reported only while it starts the root, so that it has none yet.
// Answers whether none had to be killed. Waits at most a second for those that it has killed.
// Leaves no Exit of the keeper in the mailbox.
bool stop_application(std::string_view name, Pid keeper, bool has_root, Deadline deadline);

}  // namespace airssys::rt::supervision
