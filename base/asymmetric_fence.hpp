// asymmetric_fence.hpp: a pair of fences of which the frequent one costs nothing.
//
// The pattern (Dekker's): A stores x and then reads y; B stores y and then reads x; not both may
// miss the other's store. Normally each side needs a full fence between its two steps. Here the
// frequent side calls light_fence() (a compiler barrier) and the seldom side heavy_fence(), which
// makes every thread pass a full barrier (membarrier): if A's light fence comes before that
// barrier, B sees x; if it comes after, A sees y.
// Where the kernel has no membarrier, both sides use a real fence. The flag that says so starts at
// "needed" and is cleared once, after the registration: a light side that reads either value is
// right, for from then on the heavy side always runs the membarrier.
// In model builds the explorer's store buffers and its membarrier stand in.
#pragma once

#include "base/atomic.hpp"

#ifndef AIRSSYS_RT_MODEL
#include "base/os.hpp"
#endif

namespace airssys::rt::base {

#ifdef AIRSSYS_RT_MODEL

inline void light_fence() noexcept {}
inline void heavy_fence() noexcept {
  model::membarrier();
}

#else

namespace detail {
extern Atomic<bool> light_fence_must_be_real;  // in asymmetric_fence.cpp
}

inline void light_fence() noexcept {
  // relaxed: see above, both values are right at any time.
  if (detail::light_fence_must_be_real.load(std::memory_order_relaxed)) [[unlikely]]
    atomic_fence(std::memory_order_seq_cst);  // pairs with the same fence in heavy_fence
  else
    asm volatile("" ::: "memory");  // the order of the instructions; heavy_fence does the rest
}

void heavy_fence() noexcept;

/// Clears the flag if the kernel has membarrier. Called when a runtime starts; harmless if not.
void enable_asymmetric_fences() noexcept;

#endif

}  // namespace airssys::rt::base
