// context.hpp: a fiber, and the switch from one stack to another.
//
//   thread's loop ──switch_to──▶ fiber ──switch_over──▶ fiber ──switch_back──▶ thread's loop
//
// A stack cannot say of itself that it is off: it runs until it has jumped. So who arrives says it
// of the one it comes from (ThreadContext::left), and from then on that one can be resumed, here or
// on another thread.
// A Fiber lies at the top of the stack that it describes (fiber/stack.hpp puts it there), and so
// does all that only a running or blocked process needs. Its entry is called on the stack with
// `returned` first, and again each time that its last call ended or was cut off: by a forced unwind
// (fiber/unwind.hpp), a noexcept violation, a stack overflow (fiber/containment.hpp). All of these
// end in one place, the landing, which is a frame at the top of the stack.
// All of it is inline: a frame that is entered before a switch and left after it costs a
// mispredicted return, some 6 ns. Nothing here allocates, locks or throws.
#pragma once

#include <unwind.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.hpp"
#include "base/cache_line.hpp"
#include "fiber/canary.hpp"
#include "fiber/exception_state.hpp"
#include "fiber/jump.hpp"
#include "fiber/sanitizer.hpp"

namespace airssys::rt::fiber {

struct Fiber;
struct CallStack;

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

/// One flow of control, as a switch sees it: a fiber's, or a thread's own.
struct Strand {
  Place place = nullptr;      // where it goes on while it is off; null: it runs, or is not prepared
  ExceptionState exceptions;  // while it is off
  [[no_unique_address]] sanitizer::Stack sanitizer_stack;
};

/// One per OS thread that resumes fibers; made on that thread and gone before it ends.
struct ThreadContext {
  ThreadContext() noexcept;
  ThreadContext(const ThreadContext&) = delete;
  ThreadContext& operator=(const ThreadContext&) = delete;
  ~ThreadContext();

  // Owner thread only, by the loop or by the fiber that runs.
  Fiber* running = nullptr;           // the fiber that is on this thread now; null: the loop
  Strand* left = nullptr;             // whence the last switch came
  ExceptionState* exception_globals;  // the thread's two words, where the ABI keeps them
  Strand loop;
};

/// A stack and what lives on it. 64-byte aligned; all its fields belong to who runs or resumes it.
struct alignas(base::cache_line_bytes) Fiber : Strand {
  // Touched by each switch.
  ThreadContext* resumer = nullptr;  // the thread it is on; stale while it is off
  void* user = nullptr;              // whose: for the owner of the fiber, never read here
  std::byte* low = nullptr;          // the lowest byte that may be used, just above the guard
  /// Where call_guarded runs process code on this stack, else null.
  void* entry_frame = nullptr;
  Guard guard = Guard::page;
  std::uint8_t size_class = 0;    // of fiber/stack.hpp
  bool unwinding = false;         // a forced unwind is under way: see unwind.hpp
  std::uint32_t waits_since = 0;  // of a process that waits, for show: scheduler/coarse_time.hpp

  Entry entry = nullptr;
  void* landing_frame = nullptr;   // of the frame that cuts go back to
  CallStack* thrown_at = nullptr;  // what is noted of the last failure: throw_site.hpp
  // Whether it may be preempted, see runtime/preempt.cpp.
  std::uint32_t must_not_yield = 0;  // how many locks and sections of forbidden_by's forbid it
  bool is_owed_a_yield = false;      // it was asked to give way while it must not
  std::uint64_t forbidden_by = 0;    // the bits of a pid
  _Unwind_Exception unwind_record{};
  std::jmp_buf landing{};
};

/// A fiber that begins: its next resumption calls entry(fiber, Ended::returned). Whatever was on
/// the stack is forgotten without destructors. Requires: the fiber is off, on no thread.
void prepare(Fiber& fiber, Entry entry) noexcept;

namespace detail {

/// Answers, once somebody has come back to `from`, on which thread that is.
[[gnu::always_inline]] inline ThreadContext& leave_for(ThreadContext& thread,
                                                       Strand& from,
                                                       Strand& to) noexcept {
  const Place place = std::exchange(to.place, nullptr);
  thread.left = &from;
  // The exception state is exchanged on this side: it is that of the thread both are on now.
  from.exceptions = std::exchange(*thread.exception_globals, to.exceptions);
  sanitizer::before_switch(from.sanitizer_stack, to.sanitizer_stack);
  auto& now = *static_cast<ThreadContext*>(jump(from.place, place, &thread));
  sanitizer::after_switch(from.sanitizer_stack, now.left->sanitizer_stack);
  return now;
}

inline void set_running(ThreadContext& thread, Fiber& fiber) noexcept {
  RT_CHECK(fiber.place != nullptr, "fibers that are off are resumed, by one thread at a time");
  fiber.resumer = &thread;
  thread.running = &fiber;
}

inline void check_before_leaving(const ThreadContext& thread, const Fiber& fiber) noexcept {
  RT_CHECK(thread.running == &fiber, "a fiber leaves the thread that it is on");
  if (fiber.guard == Guard::canary) check_canary(fiber.low);
}

}  // namespace detail

/// From the thread's own stack to a fiber's; returns when some fiber calls switch_back. Requires:
/// the fiber is off and nobody else resumes it.
inline void switch_to(ThreadContext& thread, Fiber& fiber) noexcept {
  RT_CHECK(thread.running == nullptr, "a thread's loop is on its own stack");
  detail::set_running(thread, fiber);
  detail::leave_for(thread, thread.loop, fiber);
}

/// From a fiber to its thread's loop; returns when somebody resumes the fiber, maybe another
/// thread, which is the answer. The caller knows nothing of the thread any more: it reads all anew.
inline ThreadContext& switch_back(Fiber& fiber, ThreadContext& thread) noexcept {
  detail::check_before_leaving(thread, fiber);
  thread.running = nullptr;
  return detail::leave_for(thread, fiber, thread.loop);
}

/// From a fiber to another one, which the thread's loop need not see; else as switch_back.
inline ThreadContext& switch_over(Fiber& fiber, ThreadContext& thread, Fiber& next) noexcept {
  detail::check_before_leaving(thread, fiber);
  detail::set_running(thread, next);
  return detail::leave_for(thread, fiber, next);
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
