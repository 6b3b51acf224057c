// call.cpp: in and out of the runtime.
#include "runtime/call.hpp"

#include <airssys/rt/error.hpp>
#include <cstddef>

#include "base/memory.hpp"
#include "fiber/unwind.hpp"
#include "runtime/exit.hpp"
#include "runtime/signals.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;

bool is_unwinding(const Process& process) noexcept {
  return process.must_end || process.is_ending;
}

void safe_point(Process& process) {
  if (is_unwinding(process)) return;
  if (obey(process)) end_here(process);
  if (!Thread::current()->charge(0)) return;
  Thread::yield();
  if (obey(process)) end_here(process);
}

Process* calling_process() noexcept {
  Thread* thread = Thread::current();
  if (!thread) return nullptr;
  if (!thread->task()) thread->pool().refuse_forked_child();
  return static_cast<Process*>(thread->task());
}

Process& current_process() {
  Process* process = calling_process();
  if (!process)
    throw BadArgument("this verb is for processes; a plain thread uses those of rt::Runtime");
  return *process;
}

void cut_if_stack_is_short() noexcept {
  constexpr std::ptrdiff_t needed = fiber::sanitizer::address ? 16 << 10 : 8 << 10;
  fiber::Fiber& fiber = Thread::current()->fiber();
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  if (here - fiber.low < needed) [[unlikely]]
    fiber::abandon(fiber, fiber::Ended::overflowed);
}

Visit::Visit(System& system) : system_(system) {
  system.refuse_forked_child();
  Thread* thread = Thread::current();
  if (thread && &thread->pool() == &system) {
    if (thread->task()) inside_.emplace(static_cast<Process&>(*thread->task()));
    return;
  }
  announcement_ = ::new (base::allocate(sizeof(base::Announcement), alignof(base::Announcement)))
      base::Announcement;
  system_.quiescence.add(*announcement_);
  system_.quiescence.enter(*announcement_);
}

Visit::~Visit() {
  if (!announcement_) return;
  base::Quiescence::leave(*announcement_);
  system_.quiescence.remove(*announcement_);
  base::free(announcement_);
}

}  // namespace airssys::rt::runtime
