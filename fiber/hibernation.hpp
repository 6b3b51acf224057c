// hibernation.hpp: what a stack holds lies on the heap while the stack has no pages.
//
//   low | dead ...              | live: the saved registers, the frames, the Fiber |   high end
//                                 └── copied out, and back to the same addresses ──┘
//
// No address changes, so nothing needs to be fixed up, as long as nobody but who holds the fiber
// looks at its stack or writes to it meanwhile. Pages are dropped by StackPool::drop_pages, for
// many stacks at once. A stack that a canary guards stays where it is: the canary would be lost.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// ASan keeps shadows of what lies on a stack, and TSan takes the copy for accesses of its frames.
inline constexpr bool stacks_can_hibernate = !sanitizer::address && !sanitizer::thread;

/// The end of what must be kept. Behind it there is a signal mask that nobody saves (_setjmp). An
/// address: nothing is read.
inline std::byte* live_end(Fiber& fiber) noexcept {
  using Landing = std::remove_extent_t<std::jmp_buf>;
  return reinterpret_cast<std::byte*>(&fiber.landing) + offsetof(Landing, __saved_mask);
}

/// What must be kept of a fiber that is off.
inline std::span<const std::byte> live_part(Fiber& fiber) noexcept {
  return {static_cast<const std::byte*>(fiber.context), live_end(fiber)};
}

/// Puts it back where it was.
inline void restore_live_part(Fiber& fiber, std::span<const std::byte> kept) noexcept {
  std::memcpy(live_end(fiber) - kept.size(), kept.data(), kept.size());
}

/// Of a fiber that is off: whether it may lose its pages at all.
inline bool can_hibernate(const Fiber& fiber) noexcept {
  return fiber.guard == Guard::page && !fiber.unwinding;
}

}  // namespace airssys::rt::fiber
