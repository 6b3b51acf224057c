// asking.hpp: a process asks itself to give way, as the monitor would.
//
// So a test knows at which poll it is preempted, whatever the time is.
#pragma once

#include <atomic>

#include "base/this_thread.hpp"

// Keeps a function free of polls.
#ifdef __clang__
#define RT_NO_POLLS clang::no_sanitize("coverage")
#else
#define RT_NO_POLLS gnu::no_sanitize_coverage
#endif

namespace airssys::rt::preemption {

// The next poll on this thread finds the flag set.
[[RT_NO_POLLS]] inline void ask() noexcept {
  // relaxed: this very thread polls.
  base::this_thread::give_way_flag().store(true, std::memory_order_relaxed);
}

// Whether a poll has seen it.
[[RT_NO_POLLS]] inline bool is_asked() noexcept {
  return base::this_thread::give_way_flag().load(std::memory_order_relaxed);  // relaxed: as above
}

}  // namespace airssys::rt::preemption
