// no_safe_point.hpp: verbs of the runtime from where a process cannot be unwound.
//
// A process that has to end is unwound from its next safe point, and every verb is one. In a
// destructor C++ forbids that, and in a handler it is no good place for it either (Z4). What runs
// through here acts on no signal; the next verb after it does.
#pragma once

#include <functional>
#include <type_traits>

namespace airssys::rt::detail {

void call_without_safe_points(void (*f)(void*), void* context);

// Calls f, whose verbs are no safe points. f is short and must not wait. Any thread.
template <class F>
void without_safe_points(F&& f) {
  using Function = std::remove_reference_t<F>;
  call_without_safe_points([](void* context) { std::invoke(*static_cast<Function*>(context)); },
                           &f);
}

}  // namespace airssys::rt::detail
