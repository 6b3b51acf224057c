// call.cpp: in and out of the runtime.
#include "runtime/call.hpp"

#include <airssys/rt/error.hpp>
#include <cstddef>

#include "base/memory.hpp"
#include "fiber/context.hpp"
#include "fiber/unwind.hpp"
#include "runtime/exit.hpp"
#include "runtime/signals.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;

void give_way(Process& process) {
  Thread::yield();
  if (obey(process)) end_here();
}

void pause(Process& process) {
  if (is_unwinding(process)) return;
  Thread::yield();
  if (process.urgency.is_raised() && obey(process)) end_here();
}

void refuse_plain_thread() {
  throw BadArgument("this verb is for processes; a plain thread uses those of rt::Runtime");
}

Visit::Visit(System& system, Inside::Room room) : system_(system) {
  system.refuse_forked_child();
  Thread* thread = Thread::current();
  if (thread && thread->task()) inside_.emplace(room);
  if (thread && &thread->pool() == &system) return;
  // A destructor on a stack of its own (disposal.cpp).
  fiber::ThreadContext* context = fiber::this_thread_context();
  if (room == Inside::Room::looked_at && context && context->running)
    cut_if_stack_is_short(*context->running);
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
