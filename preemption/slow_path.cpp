// slow_path.cpp: what a safepoint of the plugin calls when its poll finds the flag set.
//
// The compiler does not know of the call, so it must change nothing: all general registers and the
// flags are kept on the stack; if the process does give way, the x87, SSE, AVX and AVX-512 state as
// well (xsave, some 2.7 KB, control words included). Not the tiles of AMX. On a processor without
// xsave nobody is preempted.
// No unwinding passes through here: `preempt` throws nothing, and an exit is acted on elsewhere.
#include <cpuid.h>

#include <algorithm>
#include <cstdint>

namespace {

constexpr std::uint32_t vector_state = 0xe7;  // x87, SSE, AVX, and three components of AVX-512

// What xsave needs for it here: where the components lie differs from processor to processor.
std::uint64_t vector_state_bytes() {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  std::uint64_t bytes = 512 + 64;  // the legacy area and the header
  for (unsigned component = 2; component < 8; ++component) {
    const bool is_saved = vector_state >> component & 1;
    if (is_saved && __get_cpuid_count(13, component, &a, &b, &c, &d))
      bytes = std::max<std::uint64_t>(bytes, a + b);  // its size and its offset
  }
  return (bytes + 63) & ~std::uint64_t{63};
}

}  // namespace

// Zero until it is initialized: then nobody is preempted.
extern "C" {
[[gnu::used, gnu::visibility("hidden")]] std::uint64_t airssys_rt_vector_state_bytes =
    vector_state_bytes();
}

// At its call the stack pointer is 128 bytes, the red zone, below the process's own.
asm(R"(
  .text
  .globl airssys_rt_safepoint
  .hidden airssys_rt_safepoint
  .type airssys_rt_safepoint, @function
airssys_rt_safepoint:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushfq
  cld
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  andq $-64, %rsp
  cmpq $0, airssys_rt_vector_state_bytes(%rip)
  je 1f
  leaq 144(%rbp), %rdi
  call _ZN7airssys2rt6detail11may_preemptEPKv@PLT
  testb %al, %al
  je 1f
  subq airssys_rt_vector_state_bytes(%rip), %rsp
  xorl %eax, %eax
  leaq 512(%rsp), %rdi
  movl $8, %ecx
  rep stosq
  movl $0xe7, %eax
  xorl %edx, %edx
  xsave64 (%rsp)
  call _ZN7airssys2rt6detail7preemptEv@PLT
  movl $0xe7, %eax
  xorl %edx, %edx
  xrstor64 (%rsp)
1:
  leaq -80(%rbp), %rsp
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rax
  popfq
  popq %rbp
  .cfi_def_cfa %rsp, 8
  .cfi_restore %rbp
  ret
  .cfi_endproc
  .size airssys_rt_safepoint, . - airssys_rt_safepoint
)");
