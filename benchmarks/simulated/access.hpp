// access.hpp: what code that runs on the simulated machine tells it: each access to shared memory.
//
// Called before the access. Returns when no other core is behind in time, so that accesses happen
// in the order of the simulated clock; the caller's clock has moved on by what the access costs.
#pragma once

namespace airssys::rt::simulated {

void reads(const void* word) noexcept;
void writes(const void* word) noexcept;
void updates(const void* word) noexcept;  // a locked instruction
void fences() noexcept;
void pauses() noexcept;

}  // namespace airssys::rt::simulated
