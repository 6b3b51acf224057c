// idler.hpp: a behaviour's idle time-out: it rests without a stack, so its timer lies among the
// extras.
#pragma once

#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// Owner; cheap for a behaviour that never asked.
void disarm_idler(Process& process);  // a message has come
bool idler_is_due(Process& process);  // the time has passed: true once

}  // namespace airssys::rt::runtime
