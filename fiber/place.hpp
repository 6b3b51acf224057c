// place.hpp: what the ways to jump have in common. See jump.hpp.
#pragma once

namespace airssys::rt::fiber {

/// Where a stack that is off goes on.
using Place = void*;

/// What a stack begins with; it must not return. `baggage` is that of the first jump to it.
using First = void (*)(void* baggage);

}  // namespace airssys::rt::fiber
