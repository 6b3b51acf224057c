// unwind.hpp: ends the process code on a fiber: by a forced unwind, or by cutting it off.
//
//   call_guarded ─▶ process code ─▶ ... ─▶ unwind: runs destructors frame by frame, up to and
//        │                                  without the caller of call_guarded, then cuts to the
//        │                                  landing, which calls the entry with `unwound`
//        └─ abandon: cuts at once, no destructor runs
//
// No catch (...) survives an unwind. The exception object is ours; when a handler ends without
// rethrowing, the ABI asks the object's cleanup to dispose of it, from within the handler's own
// frame, and the cleanup begins the forced unwind again from there. Handlers of typed exceptions do
// not see it at all; abi::__forced_unwind does. The object lies in the Fiber, nothing allocates.
// While it goes on, fiber.unwinding is set (std::uncaught_exceptions() stays 0). A runtime's own
// catch (...) around process code asks that flag, and rethrows.
// Limit: a forced unwind that enters a catch (...) while an outer handler is still handling an
// exception meets std::terminate, by the ABI's rule for foreign exceptions; so does one that meets
// noexcept. Containment then abandons the process: it dies too, but without the rest of its
// destructors.
#pragma once

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// Calls f(argument), which is process code or leads to it, and remembers this frame as the one
/// where unwinds end. On the fiber's own stack; not nested. What f throws passes through, and
/// leaves its throw_site.
void call_guarded(Fiber& fiber, void (*f)(void*), void* argument);

/// Unwinds from here to call_guarded, running all destructors. On the fiber's own stack, inside a
/// call_guarded, and only where the compiler expects an exception: in functions that may throw.
[[noreturn]] void unwind(Fiber& fiber);

/// Cuts the process code off without destructors; what its frames own is lost. `why` says whether
/// noexcept or an overflow was the reason. On the fiber's own stack.
[[noreturn]] void abandon(Fiber& fiber, Ended why) noexcept;

}  // namespace airssys::rt::fiber
