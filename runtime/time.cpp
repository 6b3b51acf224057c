// time.cpp: deadlines, counted on the clock of the runtime that the caller runs in.
#include <airssys/rt/error.hpp>
#include <airssys/rt/time.hpp>

#include "base/clock.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt {

Deadline Deadline::after(Duration timeout) {
  if (timeout.count() < 0) throw BadArgument("a time-out is negative; zero does not wait");
  scheduler::Thread* const thread = scheduler::Thread::current();
  base::Clock& clock = thread ? thread->pool().clock : base::steady_clock();
  const std::int64_t now_ns = clock.now_ns();
  if (thread) thread->note_time(now_ns);
  if (timeout.count() >= never_ns - now_ns) return never();
  return at_ns(now_ns + timeout.count());
}

}  // namespace airssys::rt
