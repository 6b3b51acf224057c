// context.hpp: a fiber, and the switch between a thread's own stack and a fiber's.
//
//   thread's loop ──switch_to(thread, fiber)──▶ fiber ──switch_back(fiber, thread)──▶ thread's loop
//
// Only a thread's loop, on the thread's own stack, resumes fibers; fibers never switch to each
// other. So there is one place, after switch_to, where a fiber is known to be off its stack: there
// the loop says "parked", and from then on another thread may resume the fiber.
// A Fiber lies at the top of the stack that it describes (fiber/stack.hpp puts it there), and so
// does all that only a running or blocked process needs. Its entry is called on the stack with
// `returned` first, and again each time that its last call ended or was cut off: by a forced unwind
// (fiber/unwind.hpp), a noexcept violation, a stack overflow (fiber/containment.hpp). All of these
// end in one place, the landing, which is a frame at the top of the stack.
// The switch is Boost.Context's jump_fcontext, inline: a frame that is entered before a switch and
// left after it costs a mispredicted return (24 ns in and out became 11). Nothing here allocates,
// locks or throws.
#pragma once

#include <unwind.h>
#include <boost/context/detail/fcontext.hpp>

#include <csetjmp>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "base/cache_line.hpp"
#include "fiber/canary.hpp"
#include "fiber/exception_state.hpp"
#include "fiber/sanitizer.hpp"

namespace airssys::rt::fiber {

struct Fiber;
struct ThrowSite;

/// Why the entry of a fiber is called again.
enum class Ended : std::uint8_t {
  returned,            // it returned; also: first call
  unwound,             // unwind() has run all destructors of process code
  abandoned_noexcept,  // std::terminate was met: the stack was cut off without destructors
  overflowed,          // the stack's guard was met: likewise
};

/// What a fiber does: the runner's loop, which seldom returns. Must not throw.
using Entry = void (*)(Fiber& fiber, Ended last);

/// How the low end of a stack is protected.
enum class Guard : std::uint8_t {
  page,    // touching it faults
  canary,  // nothing faults: bytes that are compared at each switch out
};

/// One per OS thread that resumes fibers; made on that thread and gone before it ends.
struct ThreadContext {
  ThreadContext() noexcept;
  ThreadContext(const ThreadContext&) = delete;
  ThreadContext& operator=(const ThreadContext&) = delete;
  ~ThreadContext();

  // Owner thread only, by the loop or by the fiber that it has resumed.
  Fiber* running = nullptr;           // the fiber that is on this thread now
  void* context = nullptr;            // the loop's registers, while a fiber runs
  ExceptionState* exception_globals;  // the thread's two words, where the ABI keeps them
  ExceptionState exceptions;          // the loop's own, while a fiber runs
  sanitizer::Stack sanitizer_stack;
};

/// A stack and what lives on it. 64-byte aligned; all its fields belong to who runs or resumes it.
struct alignas(base::cache_line_bytes) Fiber {
  // Touched by each switch.
  void* context = nullptr;           // its registers while it is off; null: never prepared
  ThreadContext* resumer = nullptr;  // the thread it is on; stale while it is off
  ExceptionState exceptions;         // while it is off
  void* user = nullptr;              // whose: for the owner of the fiber, never read here
  std::byte* low = nullptr;          // the lowest byte that may be used, just above the guard
  /// Where call_guarded runs process code on this stack, else null.
  void* entry_frame = nullptr;
  Guard guard = Guard::page;
  std::uint8_t size_class = 0;  // of fiber/stack.hpp
  bool unwinding = false;       // a forced unwind is under way: see unwind.hpp

  Entry entry = nullptr;
  void* landing_frame = nullptr;   // of the frame that cuts go back to
  ThrowSite* thrown_at = nullptr;  // what is noted of the last failure: throw_site.hpp
  [[no_unique_address]] sanitizer::Stack sanitizer_stack;
  _Unwind_Exception unwind_record{};
  std::jmp_buf landing{};
};

/// A fiber that begins: its next resumption calls entry(fiber, Ended::returned). Whatever was on
/// the stack is forgotten without destructors. Requires: the fiber is off, on no thread.
void prepare(Fiber& fiber, Entry entry) noexcept;

namespace detail {

/// The first thing on a fiber's stack after each jump to it. It knows nothing of the thread that it
/// left: the new one comes with the jump.
inline ThreadContext& arrive(Fiber& fiber, boost::context::detail::transfer_t from) noexcept {
  auto& thread = *static_cast<ThreadContext*>(from.data);
  thread.context = from.fctx;
  sanitizer::after_switch(fiber.sanitizer_stack, thread.sanitizer_stack);
  return thread;
}

}  // namespace detail

/// Resumes the fiber on the calling thread, from the thread's own stack; returns when the fiber
/// calls switch_back. Requires: the fiber is off and nobody else resumes it.
inline void switch_to(ThreadContext& thread, Fiber& fiber) noexcept {
  RT_CHECK(fiber.context != nullptr && thread.running == nullptr,
           "a thread's loop resumes fibers that are off, one at a time");
  void* const context = fiber.context;
  fiber.context = nullptr;
  fiber.resumer = &thread;
  thread.running = &fiber;
  // This side exchanges the exception state: it is on the same thread before and after.
  thread.exceptions = *thread.exception_globals;
  *thread.exception_globals = fiber.exceptions;

  sanitizer::before_switch(thread.sanitizer_stack, fiber.sanitizer_stack);
  const auto from = boost::context::detail::jump_fcontext(context, &thread);
  sanitizer::after_switch(thread.sanitizer_stack, fiber.sanitizer_stack);

  fiber.context = from.fctx;
  fiber.exceptions = *thread.exception_globals;
  *thread.exception_globals = thread.exceptions;
  thread.running = nullptr;
  if (fiber.guard == Guard::canary) check_canary(fiber.low);
}

/// From a fiber back to its thread's loop; returns when somebody resumes the fiber, maybe another
/// thread, which is the answer. The caller knows nothing of the thread any more: it reads all anew.
inline ThreadContext& switch_back(Fiber& fiber, ThreadContext& thread) noexcept {
  RT_CHECK(thread.running == &fiber, "a fiber goes back to the thread that it is on");
  sanitizer::before_switch(fiber.sanitizer_stack, thread.sanitizer_stack);
  return detail::arrive(fiber, boost::context::detail::jump_fcontext(thread.context, &thread));
}

/// The context of the thread that runs now, or null on a thread that has none. Read anew after
/// every switch. Safe in a signal handler.
[[nodiscard]] ThreadContext* this_thread_context() noexcept;

/// Whether an address lies in the part of the stack that frames may use.
[[nodiscard]] inline bool contains(const Fiber& fiber, const void* address) noexcept {
  return address >= fiber.low && address < static_cast<const void*>(&fiber);
}

/// Cuts the fiber that runs back to its landing, which calls the entry with `why`. No destructor of
/// the frames in between runs. The caller is on this fiber.
[[noreturn]] void cut(Fiber& fiber, Ended why) noexcept;

}  // namespace airssys::rt::fiber
