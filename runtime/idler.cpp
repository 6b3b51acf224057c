// idler.cpp: one timer and one wake per behaviour that asks for it, reused.
#include "runtime/idler.hpp"

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/error.hpp>
#include <optional>
#include <utility>

#include "base/memory.hpp"
#include "runtime/call.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt::runtime {

struct Idler {
  static void* operator new(std::size_t bytes) { return base::allocate(bytes); }
  static void operator delete(void* block) noexcept { base::free(block); }

  std::optional<TimedWait> timer;  // armed from `idle_after` to the next message
};

void disarm_idler(Process& process) {
  if (process.idler) process.idler->timer.reset();
}

bool idler_is_due(Process& process) {
  if (!process.idler || !process.idler->timer || !process.idler->timer->waker.has_arrived())
    return false;
  process.idler->timer.reset();
  return true;
}

void drop_idler(Process& process) {
  delete std::exchange(process.idler, nullptr);
}

}  // namespace airssys::rt::runtime

namespace airssys::rt {

void idle_after(Duration time) {
  const runtime::Call call(runtime::Call::Kind::plain);
  runtime::Process& process = call.process();
  if (!process.program || !process.program->behaviour())
    throw BadArgument("rt::idle_after is for behaviours");
  const Deadline deadline = Deadline::after(time);
  if (!process.idler) process.idler = new runtime::Idler;
  process.idler->timer.emplace(process);
  process.idler->timer->arm(deadline.ns());
}

}  // namespace airssys::rt
