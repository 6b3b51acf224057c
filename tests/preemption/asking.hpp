// asking.hpp: a process asks itself to give way, as the monitor would.
//
// So a test knows at which poll it is preempted, whatever the time is.
#pragma once

#include <atomic>

#include "base/this_thread.hpp"

namespace airssys::rt::preemption {

// The next poll on this thread finds the flag set.
[[gnu::no_sanitize_coverage]] inline void ask() noexcept {
  // relaxed: this very thread polls.
  base::this_thread::give_way_flag().store(true, std::memory_order_relaxed);
}

// Whether a poll has seen it.
[[gnu::no_sanitize_coverage]] inline bool is_asked() noexcept {
  return base::this_thread::give_way_flag().load(std::memory_order_relaxed);  // relaxed: as above
}

}  // namespace airssys::rt::preemption
