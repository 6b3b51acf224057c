// throw_site.hpp: where an exception that process code does not catch was thrown.
//
// Unwinding has two phases: the first asks the personality routine of one frame after the other for
// a handler, and all frames still stand; the second runs their destructors. call_guarded's frame
// has a personality of its own. When that is asked in the first phase, no handler is left in
// process code, and it notes the stack. So what is caught costs nothing, the host's own exceptions
// meet nothing of ours, and what is noted is the throw, or the last rethrow. Who catches what other
// code throws, to tell of it, calls that by call_noting, whose frame notes alike. A noexcept
// violation is noted by the terminate handler: what stands then, for destructors may have run
// before.
#pragma once

#include <span>

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// Notes the stack of the caller, from the throw outwards to call_guarded. On the fiber's own
/// stack, in a call_guarded.
void note_throw_site(Fiber& fiber) noexcept;

/// Calls f(argument), and notes the stack of what it throws, which passes through. On the fiber's
/// own stack, in a call_guarded; may be nested.
void call_noting(void (*f)(void*), void* argument);

/// What was noted last; empty: nothing, or forgotten. The fiber's owner; valid until the next note.
[[nodiscard]] std::span<const void* const> throw_site(const Fiber& fiber) noexcept;

/// Frees what was noted. The fiber's owner.
void forget_throw_site(Fiber& fiber) noexcept;

}  // namespace airssys::rt::fiber
