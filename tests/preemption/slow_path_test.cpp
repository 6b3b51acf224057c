// slow_path_test.cpp: the call that a compiler does not know of changes no register.
//
// Method: processes that share a scheduler each fill all registers, and the ends of the red zone,
// with a pattern of their own, pass a safepoint that gives way, and look. Others run in between, so
// what is not preserved is another's pattern.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::preemption {
namespace {

// The asm below knows the offsets.
struct Registers {
  std::array<std::uint64_t, 14> general;  // rax rbx rcx rdx rsi rbp, r8 to r15
  std::uint64_t flags;
  std::uint32_t mxcsr;
  std::uint32_t x87_control;
  std::array<std::uint64_t, 2> red_zone;
  std::array<std::array<std::uint64_t, 8>, 32>
      vectors;                         // those that there are, as wide as they are
  std::array<std::uint64_t, 8> masks;  // k0 to k7, with AVX-512

  bool operator==(const Registers&) const = default;
};
static_assert(offsetof(Registers, flags) == 112 && offsetof(Registers, red_zone) == 128 &&
              offsetof(Registers, vectors) == 144 && offsetof(Registers, masks) == 2192 &&
              sizeof(Registers) == 2256);

struct BeforeAndAfter {
  Registers before, after;
};

extern "C" void pass_safepoint_sse(BeforeAndAfter* registers);
extern "C" void pass_safepoint_avx(BeforeAndAfter* registers);
extern "C" void pass_safepoint_avx512(BeforeAndAfter* registers);

// rdi holds the address: if it is not preserved, what is written lands elsewhere. The flag is set
// by a move, which leaves the processor's flags.
asm(R"(
.macro vectors move, name, offset, direction
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  transfer \move, %\name\n, (\offset + 64 * \n)(%rdi), \direction
  .endr
.endm
.macro vectors_of_avx512 offset, direction
  .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  transfer vmovdqu64, %zmm\n, (\offset + 64 * \n)(%rdi), \direction
  .endr
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
  transfer kmovq, %k\n, (\offset + 2048 + 8 * \n)(%rdi), \direction
  .endr
.endm
.macro general offset, direction
  transfer movq, %rax, (\offset)(%rdi), \direction
  transfer movq, %rbx, (\offset + 8)(%rdi), \direction
  transfer movq, %rcx, (\offset + 16)(%rdi), \direction
  transfer movq, %rdx, (\offset + 24)(%rdi), \direction
  transfer movq, %rsi, (\offset + 32)(%rdi), \direction
  transfer movq, %rbp, (\offset + 40)(%rdi), \direction
  .irp n, 8, 9, 10, 11, 12, 13, 14, 15
  transfer movq, %r\n, (\offset + 8 * \n - 16)(%rdi), \direction
  .endr
.endm
.macro transfer move, register, memory:req, direction
  .ifc \direction, in
  \move \memory, \register
  .else
  \move \register, \memory
  .endif
.endm
.macro pass_safepoint suffix, move, name, is_avx512
  .globl pass_safepoint_\suffix
  .type pass_safepoint_\suffix, @function
pass_safepoint_\suffix:
  .irp kept, rbx, rbp, r12, r13, r14, r15
  pushq %\kept
  .endr
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  ldmxcsr 120(%rdi)
  fldcw 124(%rdi)
  vectors \move, \name, 144, in
  .if \is_avx512
  vectors_of_avx512 144, in
  .endif
  movq 128(%rdi), %rax
  movq %rax, -8(%rsp)
  movq 136(%rdi), %rax
  movq %rax, -128(%rsp)
  leaq -128(%rsp), %rsp
  pushq 112(%rdi)
  popfq
  general 0, in
  movb $1, %fs:_ZN7airssys2rt4base11this_thread13must_give_wayE@tpoff
  call airssys_rt_safepoint
  pushfq
  popq 2256+112(%rdi)
  leaq 128(%rsp), %rsp
  general 2256, out
  movq -128(%rsp), %rax
  movq %rax, 2256+136(%rdi)
  movq -8(%rsp), %rax
  movq %rax, 2256+128(%rdi)
  stmxcsr 2256+120(%rdi)
  fnstcw 2256+124(%rdi)
  vectors \move, \name, 2256+144, out
  .if \is_avx512
  vectors_of_avx512 2256+144, out
  .endif
  cld
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  .irp kept, r15, r14, r13, r12, rbp, rbx
  popq %\kept
  .endr
  ret
.endm
  .text
  pass_safepoint sse, movdqu, xmm, 0
  pass_safepoint avx, vmovdqu, ymm, 0
  pass_safepoint avx512, vmovdqu64, zmm, 1
)");

enum class Vectors { sse, avx, avx512 };

Vectors widest() {
  if (__builtin_cpu_supports("avx512bw")) return Vectors::avx512;
  return __builtin_cpu_supports("avx2") ? Vectors::avx : Vectors::sse;
}

// All bits differ from one seed to the next; what cannot hold any value gets one that it can.
Registers pattern(std::uint64_t seed, Vectors vectors) {
  const auto word = [state = seed]() mutable {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return state;
  };
  Registers made{};
  auto next = word;
  for (auto& each : made.general) each = next();
  made.flags = 0x202 | (seed % 2 ? 0x8d5 : 0);  // overflow, sign, zero, adjust, parity, carry
  made.flags |= seed % 3 ? 0x400 : 0;           // direction
  made.mxcsr = static_cast<std::uint32_t>(0x1f80 | seed % 4 << 13);  // the rounding mode
  made.x87_control = static_cast<std::uint32_t>(0x7f | (seed % 2 ? 0x300 : 0) | seed % 4 << 10);
  for (auto& each : made.red_zone) each = next();
  const std::size_t count = vectors == Vectors::avx512 ? 32 : 16;
  const std::size_t words = vectors == Vectors::avx512 ? 8 : vectors == Vectors::avx ? 4 : 2;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < words; ++j) made.vectors[i][j] = next();
  if (vectors == Vectors::avx512)
    for (auto& each : made.masks) each = next();
  return made;
}

void pass(BeforeAndAfter& registers, Vectors vectors) {
  switch (vectors) {
    case Vectors::sse:
      return pass_safepoint_sse(&registers);
    case Vectors::avx:
      return pass_safepoint_avx(&registers);
    case Vectors::avx512:
      return pass_safepoint_avx512(&registers);
  }
}

class SlowPath : public support::InRuntime {};
RT_WITH_SCHEDULERS(SlowPath);

TEST_P(SlowPath, all_registers_flags_and_the_red_zone_survive_a_preemption) {
  with_runtime([](Runtime& runtime) {
    runtime.run([] {
      constexpr unsigned count = 8;
      for (unsigned who = 1; who <= count; ++who) {
        spawn_monitor([who] {
          for (std::uint64_t i = 0; i < 300; ++i) {
            for (auto vectors = Vectors::sse; vectors <= widest();
                 vectors = static_cast<Vectors>(static_cast<int>(vectors) + 1)) {
              BeforeAndAfter registers{};
              registers.before = pattern(who + 16 * i, vectors);
              pass(registers, vectors);
              EXPECT_EQ(registers.before, registers.after);
            }
          }
        });
      }
      for (unsigned i = 0; i < count; ++i) EXPECT_EQ(receive<Down>().reason, ExitReason::normal());
    });
    std::uint64_t preempted = 0;
    for (unsigned id = 0; id < runtime.impl().system().count(); ++id)
      preempted += runtime.impl().system().scheduler(id).counters.preempted.read();
    EXPECT_GE(preempted, 1000U) << "hardly anybody gave way";
  });
}

}  // namespace
}  // namespace airssys::rt::preemption
