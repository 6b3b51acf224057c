// asymmetric_fence.cpp: the seldom side of the pair.
//
// asymmetric_fence.hpp has the protocol and why the flag may change at any time.
#include "base/asymmetric_fence.hpp"

namespace airssys::rt::base {

namespace detail {
constinit Atomic<bool> light_fence_must_be_real{true};
}

void heavy_fence() noexcept {
  if (membarrier_available())
    membarrier();
  else
    atomic_fence(std::memory_order_seq_cst);  // pairs with the same fence in light_fence
}

void enable_asymmetric_fences() noexcept {
  // relaxed: both values are right for the light side from now on; see the header.
  if (membarrier_available())
    detail::light_fence_must_be_real.store(false, std::memory_order_relaxed);
}

}  // namespace airssys::rt::base
