// jump_aarch64.hpp: the jump in the middle of its caller, for aarch64.
//
// What is saved lies in the caller's frame, so the stack pointer changes once, at the jump itself,
// and whoever walks the stack finds what the tables say. All registers count as changed but x19,
// x29 and x30, which a compiler may need to find its frame, and the operands'. They are saved here.
// Loading the control word is slow, so it is compared first.
#pragma once

#ifdef __aarch64__

#include <cstddef>
#include <cstdint>

#include "fiber/place.hpp"

#ifdef __ARM_FEATURE_GCS_DEFAULT
#error "fibers have no guarded control stacks: compile without, or with -Dswitch=boost"
#endif

namespace airssys::rt::fiber {

namespace detail {

struct alignas(16) Saved {
  std::uint64_t controls;
  void* go_on;
  void* stack;
  void* frame;
  void* return_address;  // of a stack that begins: null, so that who walks it up ends there
  void* base;
};
static_assert(offsetof(Saved, go_on) == 8 && offsetof(Saved, stack) == 16 &&
              offsetof(Saved, frame) == 24 && offsetof(Saved, return_address) == 32 &&
              offsetof(Saved, base) == 40);

}  // namespace detail

/// The Place at which first(baggage) begins, on the empty stack below `top`, a multiple of 16.
template <First first>
Place begin(void* top) noexcept {
  auto& saved = *(static_cast<detail::Saved*>(top) - 1);
  saved = {.controls = 0,
           .go_on = reinterpret_cast<void*>(first),
           .stack = &saved,
           .frame = nullptr,
           .return_address = nullptr,
           .base = nullptr};
  asm volatile("mrs %0, fpcr" : "=r"(saved.controls));
  return &saved;
}

/// The lowest byte in use of a stack that is off and goes on at `place`.
inline std::byte* lowest_in_use(Place place) noexcept {
  return static_cast<std::byte*>(static_cast<detail::Saved*>(place)->stack);
}

/// Leaves this stack for the one that goes on `there`; `here` is then where this one goes on.
/// Returns when somebody jumps back: what they have brought.
[[gnu::always_inline]] inline void* jump(Place& here, Place there, void* baggage) noexcept {
  detail::Saved saved;  // NOLINT(cppcoreguidelines-pro-type-member-init): by the assembly
  Place* const told_to = &here;
  register void* brought asm("x0") = baggage;
  register detail::Saved* ours asm("x1") = &saved;
  register Place theirs asm("x2") = there;
  register Place* told asm("x3") = told_to;
  asm volatile(
      "mrs x10, fpcr\n\t"
      "adr x16, 2f\n\t"
      "mov x12, sp\n\t"
      "stp x10, x16, [x1]\n\t"
      "stp x12, x29, [x1, #16]\n\t"
      "stp x30, x19, [x1, #32]\n\t"
      "str x1, [x3]\n\t"
      "ldp x11, x16, [x2]\n\t"
      "ldp x12, x29, [x2, #16]\n\t"
      "ldp x30, x19, [x2, #32]\n\t"
      "cmp x10, x11\n\t"
      "b.eq 1f\n\t"
      "msr fpcr, x11\n"
      "1:\n\t"
      "mov sp, x12\n\t"
      "br x16\n"
      "2:\n\t"
      "hint #36"  // bti j: a target of jumps, where the processor checks such things
      : "+r"(brought), "+r"(ours), "+r"(theirs), "+r"(told)
      :
      // clang-format off
      : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
        "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
        "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
        "v27", "v28", "v29", "v30", "v31",
#ifdef __ARM_FEATURE_SVE
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",
        "p14", "p15", "ffr",
#endif
        "cc", "memory");
  // clang-format on
  return brought;
}

}  // namespace airssys::rt::fiber

#endif  // __aarch64__
