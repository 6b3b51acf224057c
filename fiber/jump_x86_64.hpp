// jump_x86_64.hpp: the jump in the middle of its caller, for x86-64.
//
// What is saved lies in the caller's frame, so the stack pointer changes once, at the jump itself:
// the red zone is left alone, and whoever walks the stack finds what the tables say.
// All registers count as changed but four: rsp, of course; rbp and rbx, which a compiler may need
// to find its frame and does not give away; and the operands'. They are saved here.
// Loading the control words is slow, so they are compared first.
#pragma once

#ifdef __x86_64__

#include <cstddef>
#include <cstdint>

#include "fiber/place.hpp"

#if defined(__ILP32__) || defined(__APX_F__)
#error "this jump knows neither x32 nor the registers of APX: configure with -Dswitch=boost"
#endif
#if defined(__CET__) && (__CET__ & 2) != 0
#error "fibers have no shadow stacks: compile with -fcf-protection=branch"
#endif

namespace airssys::rt::fiber {

namespace detail {

struct alignas(16) Saved {
  std::uint32_t sse_controls;
  std::uint16_t x87_controls;
  void* go_on;
  void* stack;
  void* frame;
  void* base;
};
static_assert(offsetof(Saved, x87_controls) == 4 && offsetof(Saved, go_on) == 8 &&
              offsetof(Saved, stack) == 16 && offsetof(Saved, frame) == 24 &&
              offsetof(Saved, base) == 32);

// A stack that has not begun: below what is saved, the return address of `first`. It is null, so
// that who walks the stack ends there.
struct Fresh {
  void* alignment;
  void* return_address;
  Saved saved;
};

}  // namespace detail

/// The Place at which first(baggage) begins, on the empty stack below `top`, a multiple of 16.
template <First first>
Place begin(void* top) noexcept {
  auto& fresh = *(static_cast<detail::Fresh*>(top) - 1);
  fresh = {.alignment = nullptr,
           .return_address = nullptr,
           .saved = {.sse_controls = 0,
                     .x87_controls = 0,
                     .go_on = reinterpret_cast<void*>(first),
                     .stack = &fresh.return_address,
                     .frame = nullptr,
                     .base = nullptr}};
  asm volatile("stmxcsr %0\n\tfnstcw %1"
               : "=m"(fresh.saved.sse_controls), "=m"(fresh.saved.x87_controls));
  return &fresh.saved;
}

/// The lowest byte in use of a stack that is off and goes on at `place`.
inline std::byte* lowest_in_use(Place place) noexcept {
  constexpr std::ptrdiff_t red_zone_bytes = 128;  // which the function that jumped may have used
  return static_cast<std::byte*>(static_cast<detail::Saved*>(place)->stack) - red_zone_bytes;
}

/// Leaves this stack for the one that goes on `there`; `here` is then where this one goes on.
/// Returns when somebody jumps back: what they have brought.
[[gnu::always_inline]] inline void* jump(Place& here, Place there, void* baggage) noexcept {
  detail::Saved saved;  // NOLINT(cppcoreguidelines-pro-type-member-init): by the assembly
  detail::Saved* ours = &saved;
  Place* told = &here;
  asm volatile(
      "stmxcsr (%1)\n\t"
      "fnstcw 4(%1)\n\t"
      "leaq 3f(%%rip), %%rax\n\t"
      "movq %%rax, 8(%1)\n\t"
      "movq %%rsp, 16(%1)\n\t"
      "movq %%rbp, 24(%1)\n\t"
      "movq %%rbx, 32(%1)\n\t"
      "movq %1, (%3)\n\t"
      "movl (%1), %%eax\n\t"
      "movzwl 4(%1), %%r8d\n\t"
      "xorl (%2), %%eax\n\t"
      "testl $0xffc0, %%eax\n\t"  // the control bits; below them the flags
      "jne 1f\n\t"
      "cmpw 4(%2), %%r8w\n\t"
      "je 2f\n"
      "1:\n\t"
      "ldmxcsr (%2)\n\t"
      "fldcw 4(%2)\n"
      "2:\n\t"
      "movq 24(%2), %%rbp\n\t"
      "movq 32(%2), %%rbx\n\t"
      "movq 16(%2), %%rsp\n\t"
      "jmpq *8(%2)\n"
      "3:\n\t"
      "endbr64"  // a target of jumps, where the processor checks such things
      : "+D"(baggage), "+S"(ours), "+d"(there), "+c"(told)  // none in rbx
      :
      // clang-format off
      : "rax", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
        "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7",
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
#ifdef __AVX512F__
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
        "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31",
        "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
        "cc", "memory");
  // clang-format on
  return baggage;
}

}  // namespace airssys::rt::fiber

#endif  // __x86_64__
