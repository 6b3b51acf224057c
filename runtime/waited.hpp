// waited.hpp: since when a process waits, for show.
//
// A wait rests as often as something else than what it waits for wakes its process. It counts from
// its first rest, by the thread's last look at the clock: none of its own.
#pragma once

#include <cstdint>

#include "scheduler/coarse_time.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

// One wait of the process that runs. On its stack, inside.
class OneWait {
 public:
  // It is about to rest, maybe once more. What it has been woken by may have waited, too.
  void rests() noexcept {
    const scheduler::Thread& thread = *scheduler::Thread::current();
    if (since_ == 0) since_ = scheduler::coarse_time(thread.looked_at_ns());
    thread.fiber().waits_since = since_;
  }

 private:
  std::uint32_t since_ = 0;  // before it rests, and for a millisecond in 52 days
};

}  // namespace airssys::rt::runtime
