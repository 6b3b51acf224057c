// idler.hpp: a behaviour's idle time-out: it rests without a stack, so its timer lies on the heap.
#pragma once

#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// Owner, all of these; cheap for a behaviour that never asked.
void disarm_idler(Process& process);  // a message has come
bool idler_is_due(Process& process);  // the time has passed: true once
void drop_idler(Process& process);    // the process ends

}  // namespace airssys::rt::runtime
