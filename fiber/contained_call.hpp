// contained_call.hpp: a call out of the middle of other calls that can be cut off by itself.
//
//   land ─▶ call_guarded ─▶ ... ─▶ call_contained ─▶ code that meets noexcept, or overflows
//    ▲                                  ▲                     │
//    └── where a cut goes otherwise ──  └─────── cut ─────────┘
//
// The frames around it go on, and can be unwound as if nothing had been. An unwind passes through.
#pragma once

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// Calls f(argument). Answers `returned`, or why what it called was cut off; what f throws passes
/// through. On the fiber's own stack, inside a call_guarded; may be nested.
[[nodiscard]] Ended call_contained(Fiber& fiber, void (*f)(void*), void* argument);

}  // namespace airssys::rt::fiber
