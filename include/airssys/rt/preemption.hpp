// preemption.hpp: keeping a process from being preempted in the middle of its own code.
//
// Only code that is compiled for it is ever preempted: docs/preemption.md says how, and what that
// means for locks and thread-locals. In all other code this changes nothing.
#pragma once

#include <airssys/rt/detail/preemption.hpp>

namespace airssys::rt {

// While one stands, the calling process is not preempted between two calls of the runtime; those
// are safe points as ever. At the end of the outermost it gives way if its slice is over. May be
// used on any thread; never throws.
class NoPreemption {
 public:
  NoPreemption() noexcept { detail::forbid_preemption(); }
  NoPreemption(const NoPreemption&) = delete;
  NoPreemption& operator=(const NoPreemption&) = delete;
  ~NoPreemption() { detail::allow_preemption(); }
};

}  // namespace airssys::rt
