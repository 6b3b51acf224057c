// containment.cpp: deciding whose fault it was, and going on without that process.
//
// handle_fault does not leave its handler by a jump: it changes where the kernel resumes the
// thread, so the signal mask comes back and a second overflow is contained as the first was. The
// thread goes on a kilobyte below the landing, in frames that the cut throws away anyway.
#include "fiber/containment.hpp"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>

#include "base/assert.hpp"
#include "fiber/throw_site.hpp"
#include "fiber/unwind.hpp"

namespace airssys::rt::fiber {

namespace {

constexpr std::size_t room_below_landing = 1024;

[[noreturn]] void go_on_after_overflow(Fiber* fiber) noexcept {
  // This frame lies among those that are cut off, in the middle of what ASan keeps off there.
  sanitizer::after_unwind(fiber->sanitizer_stack,
                          reinterpret_cast<std::uintptr_t>(fiber->landing_frame));
  forget_throw_site(*fiber);
  abandon(*fiber, Ended::overflowed);
}

// The fiber on this thread, if it runs process code.
Fiber* suspect() noexcept {
  const ThreadContext* const thread = this_thread_context();
  if (thread == nullptr || thread->running == nullptr) return nullptr;
  return thread->running->entry_frame == nullptr ? nullptr : thread->running;
}

void redirect(ucontext_t& interrupted, Fiber& fiber) noexcept {
  const auto landing = reinterpret_cast<std::uintptr_t>(fiber.landing_frame);
  const std::uintptr_t stack = (landing - room_below_landing) & ~std::uintptr_t{15};
  const auto target = reinterpret_cast<std::uintptr_t>(&go_on_after_overflow);
  const auto argument = reinterpret_cast<std::uintptr_t>(&fiber);
#if defined(__x86_64__)
  auto& registers = interrupted.uc_mcontext.gregs;
  registers[REG_RSP] = static_cast<greg_t>(stack - 8);  // as if a call had pushed its return
  registers[REG_RIP] = static_cast<greg_t>(target);
  registers[REG_RDI] = static_cast<greg_t>(argument);
  registers[REG_EFL] &= ~greg_t{0x400};  // the ABI wants the direction flag clear
#elif defined(__aarch64__)
  interrupted.uc_mcontext.sp = stack;
  interrupted.uc_mcontext.pc = target;
  interrupted.uc_mcontext.regs[0] = argument;
  interrupted.uc_mcontext.regs[30] = 0;
#else
#error "say which registers hold stack, program counter and first argument"
#endif
}

}  // namespace

AlternateStack::AlternateStack() noexcept
    : bytes_(std::max(std::size_t{64} << 10,
                      static_cast<std::size_t>(::getauxval(AT_MINSIGSTKSZ)) * 2)) {
  memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RT_CHECK(memory_ != MAP_FAILED, "the system has memory for a signal stack");
  stack_t stack{};
  stack.ss_sp = memory_;
  stack.ss_size = bytes_;
  const int result = ::sigaltstack(&stack, &previous_);
  RT_CHECK(result == 0, "a thread's signal stack changes outside of handlers");
}

AlternateStack::~AlternateStack() {
  ::sigaltstack(&previous_, nullptr);
  ::munmap(memory_, bytes_);
}

void on_terminate() noexcept {
  Fiber* const fiber = suspect();
  if (fiber == nullptr || !contains(*fiber, __builtin_frame_address(0))) return;
  note_throw_site(*fiber);
  abandon(*fiber, Ended::abandoned_noexcept);
}

bool handle_fault(int signal, siginfo_t* info, void* ucontext) noexcept {
  Fiber* const fiber = suspect();
  const bool is_of_kernel = info->si_code > 0;  // not sent by a program
  if (signal != SIGSEGV || fiber == nullptr || !is_of_kernel) return false;
  const auto* const address = static_cast<const std::byte*>(info->si_addr);
  const bool in_guard = address < fiber->low && address >= fiber->low - guard_bytes;
  if (fiber->guard != Guard::page || !in_guard) return false;
  redirect(*static_cast<ucontext_t*>(ucontext), *fiber);
  return true;
}

}  // namespace airssys::rt::fiber
