// exit.hpp: the end of a process.
#pragma once

#include <utility>

#include "runtime/process.hpp"
#include "scheduler/task.hpp"

namespace airssys::rt::runtime {

// Unwinds the process code on this stack, from here: its process must end. Never returns.
[[noreturn]] void end_here();

// Its code has stopped: destroys what it was of. In run_code: that is process code, too, for which
// safe points do nothing (Z3).
inline void destroy_program(Process& process) {
  process.is_ending = true;
  delete std::exchange(process.program, nullptr);
}

// Everything that happens after the process's code has stopped, in the order of P6. On a runner,
// when no frame of the process's code is left; begins anew where it stopped when a destructor of
// the user's was cut off. Answers Turn::over: the process is gone.
scheduler::Turn finish(Process& process);

}  // namespace airssys::rt::runtime
