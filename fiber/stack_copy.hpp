// stack_copy.hpp: what a stack holds lies on the heap while the stack has no pages.
//
//   low | unused ...        | in use: frames, saved registers, the Fiber |  colour |   high end
//                             └─ copy_out ▶ StackCopy ▶ copy_back, where it was ─┘
//
// A parked fiber uses some 1500 bytes of its stack's last page; packed they are some 500. As all of
// it comes back to the addresses where it was, nothing has to be adapted, and the fiber does not
// notice. Between copy_out and copy_back it does not exist: the system has the pages
// (StackPool::drop), and what anybody reads there is zero, what he writes is lost.
// Roles    one caller at a time for each fiber, who holds it while it is off
#pragma once

#include <cstddef>
#include <cstdint>

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

/// A block of the heap: the packed words follow.
struct StackCopy {
  Fiber* fiber;  // where it was and will be: an address only
  std::size_t words;
};

/// Of a packed stack. Above that a copy saves too little to be worth the wake. Frames are larger
/// under sanitizers.
inline constexpr std::size_t packed_bytes_max =
    sanitizer::address || sanitizer::thread ? 16 << 10 : 2 << 10;

/// Copies what the stack of a fiber holds that is off, of which nothing may be used from now on.
/// Null: it holds too much, or it must stay where it is, for a canary guards it or a forced unwind
/// is under way.
[[nodiscard]] StackCopy* copy_out(Fiber& fiber) noexcept;

/// The fiber, as it was, off. Frees the copy.
Fiber& copy_back(StackCopy* copy) noexcept;

}  // namespace airssys::rt::fiber
