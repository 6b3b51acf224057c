// behaviour.hpp: a process that rests without a stack.
//
// A behaviour is an object that is called for each message, in order, and takes everything (R16).
// Between messages its process owns no stack: a quarter of a kilobyte in all. A handler may block
// in its middle (receive, call, sleep, I/O): it then keeps the stack it runs on until it returns.
// Servers, supervisors and state machines are written on this.
//
// A handler that throws ends the process: terminate(reason) runs, then the object's destructor,
// then links and monitors hear (G15, Z2). A signal that ends the process runs the destructor only.
#pragma once

#include <airssys/rt/detail/crash_context.hpp>
#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/time.hpp>
#include <memory>
#include <string>

namespace airssys::rt {

class Behaviour : public detail::Program {
 public:
  // First of all, on the process. What it throws ends the process; terminate does not run.
  virtual void start() {}
  // Right after `start`, before any message, also one that is already there (G12).
  virtual void ready() {}
  // Each message, Exit, Down and timer message, in order. Whatever is left in it is destroyed.
  virtual void message(Message& message) = 0;
  // No message has come within the time that the last callback asked for with `idle_after` (G13).
  virtual void idle() {}
  // Whether `idle` does anything.
  virtual bool takes_idle() const noexcept { return true; }
  // A callback has failed or thrown; what this throws becomes the reason (G18).
  virtual void terminate(const ExitReason& reason) { static_cast<void>(reason); }
  // The state for people; empty: it has nothing to say. On the process, after a callback other than
  // `start` has failed, for the report of that (G19), and before terminate.
  virtual std::string format_state() { return {}; }
  // For the library: what format_state says, or how it failed; and what a report of this behaviour
  // calls its callbacks and what it had in hand.
  std::string shown_state();
  virtual void describe(detail::CrashContext& context) { static_cast<void>(context); }

  void run() final { start(); }
  Behaviour* behaviour() noexcept final { return this; }
  bool takes_requests() const noexcept final { return true; }
};

// Starts a behaviour as a process; does not wait for its start. As `spawn` otherwise.
Pid spawn_behaviour(std::unique_ptr<Behaviour> behaviour, const SpawnOptions& options = {});
Spawned spawn_behaviour_monitor(std::unique_ptr<Behaviour> behaviour,
                                const SpawnOptions& options = {});

// From a callback of a behaviour: `idle` is called when no message has come for this long, or until
// then. Holds for the wait behind this callback only; any message ends it (G13), a system request
// does not. The last call counts; rt::infinite takes it back. Throws BadArgument where nothing
// would be called: outside a behaviour, in a server without handle_idle, and in a state machine,
// whose event_timeout is this (H8).
void idle_after(Duration time);
void idle_after(Deadline at);

}  // namespace airssys::rt
