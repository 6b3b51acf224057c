// run.hpp: a process's turns on a runner: the doors that the scheduler calls.
//
//   body:       start ──▶ the function ──▶ finish
//   behaviour:  start ──▶ ( message )* ──▶ finish          no stack between messages
//
// Process code runs in run_code: outside the runtime, with an answer for every way in which it can
// end: returned, threw, was unwound or was cut off. In the last two cases the frames above run_code
// are gone, too: the runner begins anew and calls `ended` (scheduler/task.hpp).
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/from.hpp>
#include <optional>
#include <type_traits>

#include "fiber/context.hpp"
#include "fiber/unwind.hpp"
#include "runtime/failure.hpp"
#include "runtime/process.hpp"
#include "scheduler/task.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

scheduler::Turn run_process(scheduler::Task& task);
scheduler::Turn process_was_cut(scheduler::Task& task, fiber::Ended why);
bool process_may_rest(scheduler::Task& task);

// Process code, or what of it runs in the middle of a wait, was cut off: what its frames have left
// behind is undone as far as it is the runtime's. By the owner, inside.
void forget_cut_frames(Process& process) noexcept;
// That is counted and told, and is why the process ends, unless it ends already.
void note_cut(Process& process, fiber::Ended why);

// What rt::exit throws for a reason of which no report tells (X16). Whatever else the code leaves
// with passes call_guarded, which notes the stack for the report; that costs more than the throw.
class OrderlyExit : public ExitException {
 public:
  using ExitException::ExitException;
};

// Runs process code on this stack: why it failed, or nothing when it returned. Inside before and
// after, maybe on another thread. Inline, for it stands around every message.
template <class F>
[[gnu::always_inline]] inline std::optional<Failure> run_code(F code) {
  std::optional<Failure> failure;
  auto run = [&code, &failure] {
    try {
      code();
    } catch (const OrderlyExit& exit) {
      failure = Failure{.reason = exit.reason()};
    }
  };
  try {
    scheduler::Thread& thread = *scheduler::Thread::current();
    thread.leave();
    fiber::call_guarded(
        thread.fiber(), [](void* it) { (*static_cast<decltype(run)*>(it))(); }, &run);
  } catch (detail::ExitWithReply& exit) {
    failure = Failure{.reason = exit.reason(), .reply = exit.take_reply()};
  } catch (...) {
    failure = failure_of_current_exception();
  }
  scheduler::Thread::enter();
  return failure;
}

// Calls code of the user's that is small and runs inside, as a message's destructor, where maybe no
// code of its process does: if it fails there (Z13), its process is cut off all the same.
template <class F>
void run_small_code(F code) {
  fiber::Fiber& fiber = scheduler::Thread::current()->fiber();
  if (fiber.entry_frame) return code();
  fiber::call_guarded(fiber, [](void* f) { (*static_cast<F*>(f))(); }, &code);
}

}  // namespace airssys::rt::runtime
