// jump_boost.hpp: the jump of Boost.Context, for the processors that it knows and we do not.
//
// Its jump tells who arrives where the other stack goes on, not who leaves. So who leaves sends a
// letter along, which lies on the stack that it leaves, and who arrives acts on it first.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>

#include "fiber/place.hpp"

namespace airssys::rt::fiber {

namespace detail {

struct Letter {
  Place& here;
  void* baggage;
};

inline void* open(boost::context::detail::transfer_t from) noexcept {
  const auto& letter = *static_cast<const Letter*>(from.data);
  letter.here = from.fctx;
  return letter.baggage;
}

template <First first>
void begin_with(boost::context::detail::transfer_t from) {
  first(open(from));
}

}  // namespace detail

/// The Place at which first(baggage) begins, on the empty stack below `top`, a multiple of 16.
template <First first>
Place begin(void* top) noexcept {
  // The size is for systems that keep a stack's bounds in its context: none that we run on.
  return boost::context::detail::make_fcontext(top, 0, &detail::begin_with<first>);
}

/// The lowest byte in use of a stack that is off and goes on at `place`.
inline std::byte* lowest_in_use(Place place) noexcept {
  return static_cast<std::byte*>(place);  // what is saved lies lowest, pushed by a called function
}

/// Leaves this stack for the one that goes on `there`; `here` is then where this one goes on.
/// Returns when somebody jumps back: what they have brought.
[[gnu::always_inline]] inline void* jump(Place& here, Place there, void* baggage) noexcept {
  detail::Letter letter{here, baggage};
  return detail::open(boost::context::detail::jump_fcontext(there, &letter));
}

}  // namespace airssys::rt::fiber
