// jump.hpp: from one stack to another: registers, and nothing else.
//
//   begin           makes the Place at which a function begins on an empty stack
//   jump            leaves this stack for a Place, and notes the Place where this one goes on
//   lowest_in_use   what a stack that is off still needs lies from there upwards
//
// On x86-64 and aarch64 a jump is assembly in the middle of its caller. The compiler saves there
// what it still needs, which is less than all that a called function must keep; and the processor's
// own stack of return addresses stays right: a call that comes back on another stack leaves an
// entry behind, for which every return thereafter goes wrong. Elsewhere, and on request
// (-Dswitch=boost), it is Boost.Context's, which is called.
// The control words of floating point (rounding, masks) belong to a stack as its registers do; the
// flags that operations raise are nobody's.
#pragma once

#if defined(AIRSSYS_RT_SWITCH_BOOST) || !(defined(__x86_64__) || defined(__aarch64__))
#include "fiber/jump_boost.hpp"  // IWYU pragma: export
#elif defined(__x86_64__)
#include "fiber/jump_x86_64.hpp"  // IWYU pragma: export
#else
#include "fiber/jump_aarch64.hpp"  // IWYU pragma: export
#endif
