// no_unwind.hpp: verbs of the runtime from where a process cannot be unwound (Z3).
//
// A process that has to end is unwound from its next safe point, and every verb is one. A
// destructor, or a function that is noexcept, cannot be left that way: the process would be cut off
// there, and what its stack owns would be lost (Z4). What runs through here acts on no signal; the
// next verb behind it does.
//
//   ~File() {
//     rt::without_unwind([&] { rt::send(owner, Closed{}); });
//   }
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>

namespace airssys::rt {

namespace detail {
void call_without_unwind(void (*f)(void*), void* context);
}

// Calls f, whose verbs are no safe points. f is short, for its process keeps the scheduler
// meanwhile, and does not wait: in a wait it can be unwound all the same. What it throws leaves it.
// Any thread; in a process that is being unwound it is a plain call.
template <std::invocable F>
void without_unwind(F&& f) {
  using Function = std::remove_reference_t<F>;
  detail::call_without_unwind(
      [](void* context) { static_cast<void>(std::invoke(*static_cast<Function*>(context))); },
      std::addressof(f));
}

}  // namespace airssys::rt
