// jump.hpp: from one stack to another: registers, and nothing else.
//
// A jump is assembly in the middle of its caller. The compiler saves there what it still needs,
// which is less than all that a called function must keep; and the processor's own stack of return
// addresses stays right: a call that comes back on another stack leaves an entry behind, for which
// every return thereafter goes wrong. Two processes on two stacks that answer each other take 150
// ns a round; with Boost.Context's jump_fcontext, which is called, 210.
// The control words of floating point (rounding, masks) belong to a stack as its registers do. They
// are loaded only where they differ, for loading them is slow.
//
//   what is saved:  | control words | where to go on | frame pointer | return address |
//   lower addresses ▲ a Place points here
#pragma once

#include <cstdint>

namespace airssys::rt::fiber {

/// Where a stack that is off goes on.
using Place = void*;

/// What a stack begins with; it must not return. `baggage` is that of the first jump to it.
using First = void (*)(void* baggage);

namespace detail {

struct Saved {
  std::uint64_t controls;
  First go_on;
  void* frame;
  void* return_address;  // of a stack that begins: none, so that who walks it up ends there
};

inline std::uint64_t floating_point_controls() noexcept {
#if defined(__x86_64__)
  std::uint32_t sse = 0;
  std::uint16_t x87 = 0;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(sse), "=m"(x87));
  return sse | std::uint64_t{x87} << 32;
#elif defined(__aarch64__)
  std::uint64_t controls = 0;
  asm volatile("mrs %0, fpcr" : "=r"(controls));
  return controls;
#endif
}

}  // namespace detail

/// The Place at which first(baggage) begins, on the empty stack below `top`, which is aligned to 16.
inline Place begin(void* top, First first) noexcept {
  auto* saved = static_cast<detail::Saved*>(top) - 1;
  *saved = {detail::floating_point_controls(), first, nullptr, nullptr};
  return saved;
}

/// Leaves this stack for the one that goes on `there`; `here` is then where this one goes on.
/// Returns when somebody jumps back: what they have brought.
[[gnu::always_inline]] inline void* jump(Place& here, Place there, void* baggage) noexcept {
#if defined(__x86_64__)
  Place* left = &here;
  asm volatile(
      "leaq -136(%%rsp), %%rsp\n\t"  // 128 bytes may be in use; 8 for the return address
      "pushq %%rbp\n\t"
      "leaq 3f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "leaq -8(%%rsp), %%rsp\n\t"
      "stmxcsr (%%rsp)\n\t"
      "fnstcw 4(%%rsp)\n\t"
      "movl (%%rsp), %%eax\n\t"
      "movw 4(%%rsp), %%cx\n\t"
      "movq %%rsp, (%1)\n\t"
      "movq %2, %%rsp\n\t"
      "xorl (%%rsp), %%eax\n\t"
      "testl $0xffc0, %%eax\n\t"  // its control bits; the others are flags, which are nobody's
      "jne 1f\n\t"
      "cmpw 4(%%rsp), %%cx\n\t"
      "je 2f\n"
      "1:\n\t"
      "ldmxcsr (%%rsp)\n\t"
      "fldcw 4(%%rsp)\n"
      "2:\n\t"
      "leaq 8(%%rsp), %%rsp\n\t"
      "popq %%rax\n\t"
      "popq %%rbp\n\t"
      "jmp *%%rax\n"
      "3:\n\t"
      "leaq 136(%%rsp), %%rsp"
      : "+D"(baggage), "+S"(left), "+d"(there)
      :
      : "rax",
        "rbx",
        "rcx",
        "r8",
        "r9",
        "r10",
        "r11",
        "r12",
        "r13",
        "r14",
        "r15",
#ifdef __AVX512F__
        "xmm16",
        "xmm17",
        "xmm18",
        "xmm19",
        "xmm20",
        "xmm21",
        "xmm22",
        "xmm23",
        "xmm24",
        "xmm25",
        "xmm26",
        "xmm27",
        "xmm28",
        "xmm29",
        "xmm30",
        "xmm31",
        "k1",
        "k2",
        "k3",
        "k4",
        "k5",
        "k6",
        "k7",
#endif
        "xmm0",
        "xmm1",
        "xmm2",
        "xmm3",
        "xmm4",
        "xmm5",
        "xmm6",
        "xmm7",
        "xmm8",
        "xmm9",
        "xmm10",
        "xmm11",
        "xmm12",
        "xmm13",
        "xmm14",
        "xmm15",
        "cc",
        "memory");
  return baggage;
#elif defined(__aarch64__)
  register void* brought asm("x0") = baggage;
  register Place* left asm("x1") = &here;
  register Place to asm("x2") = there;
  asm volatile(
      "adr x16, 2f\n\t"
      "mrs x10, fpcr\n\t"
      "stp x10, x16, [sp, #-32]!\n\t"
      "stp x29, x30, [sp, #16]\n\t"
      "mov x11, sp\n\t"
      "str x11, [x1]\n\t"
      "mov sp, x2\n\t"
      "ldp x11, x16, [sp]\n\t"
      "ldp x29, x30, [sp, #16]\n\t"
      "cmp x10, x11\n\t"
      "b.eq 1f\n\t"
      "msr fpcr, x11\n"
      "1:\n\t"
      "add sp, sp, #32\n\t"
      "br x16\n"
      "2:\n\t"
      "hint #36"  // bti j: a target of jumps, where the processor checks such things
      : "+r"(brought), "+r"(left), "+r"(to)
      :
      : "x3",
        "x4",
        "x5",
        "x6",
        "x7",
        "x8",
        "x9",
        "x10",
        "x11",
        "x12",
        "x13",
        "x14",
        "x15",
        "x16",
        "x17",
        "x18",
        "x19",
        "x20",
        "x21",
        "x22",
        "x23",
        "x24",
        "x25",
        "x26",
        "x27",
        "x28",
        "x30",
        "v0",
        "v1",
        "v2",
        "v3",
        "v4",
        "v5",
        "v6",
        "v7",
        "v8",
        "v9",
        "v10",
        "v11",
        "v12",
        "v13",
        "v14",
        "v15",
        "v16",
        "v17",
        "v18",
        "v19",
        "v20",
        "v21",
        "v22",
        "v23",
        "v24",
        "v25",
        "v26",
        "v27",
        "v28",
        "v29",
        "v30",
        "v31",
        "cc",
        "memory");
  return brought;
#else
#error "say how this processor saves and loads its registers"
#endif
}

}  // namespace airssys::rt::fiber
