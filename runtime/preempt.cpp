// preempt.cpp: giving way in the middle of process code, where its compiler sees no call.
//
//   poll: flag is set ──▶ may_preempt ──▶ preempt: yield, bound to this thread ──▶ on as before
//                             │ no: forbidden just now
//                             └──▶ owed; paid by the allow_preemption that undoes the last
//
// Nobody can be unwound from there, for the frame has no landing pads at that place; so signals are
// not obeyed and a kill waits for the next safe point.
// g++ compiles this file without floating-point and vector registers: may_preempt runs before those
// of the process are saved, so that an answer of no costs no stack.
#include <airssys/rt/detail/preemption.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/this_thread.hpp"
#include "fiber/context.hpp"
#include "runtime/call.hpp"
#include "runtime/process.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt {

namespace {

using runtime::Process;
using scheduler::Thread;

// What saved registers and the runtime's own frames may take of the stack.
constexpr std::ptrdiff_t stack_needed = fiber::sanitizer::address ? 24 << 10 : 12 << 10;

// The process in whose own code this thread is, or null.
Process* process_in_its_code() noexcept {
  const Thread* thread = Thread::current();
  if (!thread || !thread->is_in_process_code()) return nullptr;
  return static_cast<Process*>(thread->task());
}

// How many locks and sections forbid it to the process. What another one has left behind on this
// stack, by ending with a lock that it never gave back, forbids nothing.
std::uint32_t& sections_of(const Process& process, fiber::Fiber& fiber) noexcept {
  const std::uint64_t pid = process.pid().bits();
  if (fiber.forbidden_by != pid) {
    fiber.forbidden_by = pid;
    fiber.must_not_yield = 0;
    fiber.is_owed_a_yield = false;
  }
  return fiber.must_not_yield;
}

bool has_room(const fiber::Fiber& fiber, const void* stack) noexcept {
  return fiber::contains(fiber, stack) &&
         static_cast<const std::byte*>(stack) - fiber.low >= stack_needed;
}

}  // namespace

namespace detail {

bool may_preempt(const void* stack) noexcept {
  // relaxed: a request that comes just now is one too many, or is seen at the next poll.
  base::this_thread::give_way_flag().store(false, std::memory_order_relaxed);
  const Process* process = process_in_its_code();
  if (!process || runtime::is_unwinding(*process)) return false;
  fiber::Fiber& fiber = Thread::current()->fiber();
  if (!has_room(fiber, stack)) return false;
  if (sections_of(*process, fiber) == 0) return true;
  fiber.is_owed_a_yield = true;
  return false;
}

void preempt() noexcept {
  const int error = errno;
  Thread& thread = *Thread::current();
  if (thread.try_enter()) {
    Thread::yield_bound();
    thread.leave();
  }
  errno = error;
}

void forbid_preemption() noexcept {
  if (const Process* process = process_in_its_code())
    ++sections_of(*process, Thread::current()->fiber());
}

// A lock may be given back by another process than took it, so the number may be zero already.
void allow_preemption() noexcept {
  const Process* process = process_in_its_code();
  if (!process) return;
  fiber::Fiber& fiber = Thread::current()->fiber();
  std::uint32_t& sections = sections_of(*process, fiber);
  if (sections == 0 || --sections != 0 || !fiber.is_owed_a_yield) return;
  fiber.is_owed_a_yield = false;
  if (may_preempt(__builtin_frame_address(0))) preempt();
}

}  // namespace detail

}  // namespace airssys::rt
