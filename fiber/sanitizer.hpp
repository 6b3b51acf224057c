// sanitizer.hpp: tells ASan and TSan about switches of stacks; empty without them.
//
// ASan wants the bounds of the stack that comes next before each switch, and a hello right after
// it; what was learnt about a thread's stack is learnt anew at every resume, for fibers migrate.
// TSan wants to know which fiber comes next immediately before the jump, without its flag that
// would drop the happens-before edge: the switch itself is one. A TSan fiber is destroyed by a
// thread, never by itself. ASan's fake stack of a fiber that never runs again is lost: a leak that
// is bounded by the pool's size and exists under ASan only.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif

#ifdef RT_ASAN
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// For a function whose frame must be as it is written: no sanitizer adds to it.
#ifdef __clang__
#define RT_UNSANITIZED __attribute__((disable_sanitizer_instrumentation))
#else
#define RT_UNSANITIZED
#endif

namespace airssys::rt::fiber::sanitizer {

#ifdef RT_ASAN
inline constexpr bool address = true;
#else
inline constexpr bool address = false;
#endif
#ifdef RT_TSAN
inline constexpr bool thread = true;
#else
inline constexpr bool thread = false;
#endif

/// What the sanitizers know one stack by.
struct Stack {
#ifdef RT_ASAN
  const void* low = nullptr;
  std::size_t bytes = 0;
  void* fake = nullptr;
#endif
#ifdef RT_TSAN
  void* handle = nullptr;
#endif
};

/// A thread's own stack. Its bounds are learnt by the first fiber that is switched to.
inline void adopt_thread([[maybe_unused]] Stack& stack) noexcept {
#ifdef RT_TSAN
  stack.handle = __tsan_get_current_fiber();
#endif
}

/// A fiber's stack that begins afresh.
inline void begin([[maybe_unused]] Stack& stack,
                  [[maybe_unused]] const void* low,
                  [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef RT_ASAN
  __asan_unpoison_memory_region(low, bytes);  // a stack that was cut off leaves redzones behind
  stack = {low, bytes, nullptr};
#endif
#ifdef RT_TSAN
  if (stack.handle != nullptr) __tsan_destroy_fiber(stack.handle);
  stack.handle = __tsan_create_fiber(0);
#endif
}

/// A fiber's stack that will not run again. By a thread, not on that stack.
inline void end([[maybe_unused]] Stack& stack) noexcept {
#ifdef RT_ASAN
  __asan_unpoison_memory_region(stack.low, stack.bytes);
#endif
#ifdef RT_TSAN
  if (stack.handle != nullptr) __tsan_destroy_fiber(stack.handle);
  stack.handle = nullptr;
#endif
}

/// Immediately before the jump. Inlined even without optimisation: TSan would note its entry on one
/// stack and its exit on the other.
[[gnu::always_inline]] inline void before_switch([[maybe_unused]] Stack& from,
                                                 [[maybe_unused]] const Stack& to) noexcept {
#ifdef RT_ASAN
  __sanitizer_start_switch_fiber(&from.fake, to.low, to.bytes);
#endif
#ifdef RT_TSAN
  __tsan_switch_to_fiber(to.handle, 0);
#endif
}

/// The first thing after a jump, on the stack that runs now; learns the bounds of the one before.
inline void after_switch([[maybe_unused]] Stack& now, [[maybe_unused]] Stack& before) noexcept {
#ifdef RT_ASAN
  __sanitizer_finish_switch_fiber(now.fake, &before.low, &before.bytes);
#endif
}

/// The frames below an address of this stack have been unwound.
inline void after_unwind([[maybe_unused]] const Stack& stack,
                         [[maybe_unused]] std::uintptr_t up_to) noexcept {
#ifdef RT_ASAN
  __asan_unpoison_memory_region(stack.low, up_to - reinterpret_cast<std::uintptr_t>(stack.low));
#endif
}

/// The C++ library's function for a throw, where ASan has put one of its own in front; else null.
inline const void* throw_function() noexcept {
#ifdef RT_ASAN
  static const void* const function = ::dlsym(RTLD_NEXT, "__cxa_throw");
  return function;
#else
  return nullptr;
#endif
}

/// Before a jump over frames that will never return.
inline void before_cut([[maybe_unused]] const Stack& stack) noexcept {
#ifdef RT_ASAN
  __asan_handle_no_return();
  __asan_unpoison_memory_region(stack.low, stack.bytes);
#endif
}

}  // namespace airssys::rt::fiber::sanitizer
