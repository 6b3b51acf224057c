// application_stop.hpp: a phase of the shutdown: one tree is asked to stop, and has its time.
#pragma once

#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <string_view>

namespace airssys::rt::supervision {

// Asks the tree's root, which the caller has started, to shut down, and waits until it has ended.
// At the deadline the log is told of all who are still there, and they are killed; who has not gone
// a second later is told of once more and left behind. Suspends.
void stop_application(std::string_view name, Pid root, Deadline deadline);

}  // namespace airssys::rt::supervision
