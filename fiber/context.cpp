// context.cpp: the landing, and both halves of the switch.
//
// The thread's side exchanges the exception state: it runs on the thread's own stack before and
// after the fiber, so the pointer that it uses is right both times. The fiber's side touches
// nothing of the thread after it comes back but what the new thread hands it with the jump.
#include "fiber/context.hpp"

#include <boost/context/detail/fcontext.hpp>

#include <csetjmp>

#include "base/assert.hpp"
#include "base/this_thread.hpp"
#include "fiber/canary.hpp"

namespace airssys::rt::fiber {

namespace {

using base::this_thread::Slot;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// The first thing on a fiber's stack after each jump to it.
ThreadContext& arrive(Fiber& fiber, transfer_t from) noexcept {
  auto& thread = *static_cast<ThreadContext*>(from.data);
  thread.context = from.fctx;
  sanitizer::after_switch(fiber.sanitizer_stack, thread.sanitizer_stack);
  return thread;
}

// The topmost frame of a fiber, and the place that cuts go back to. It never returns. After a cut,
// _setjmp returns again: nothing here is kept over it but the parameter, which is not changed.
[[noreturn, gnu::noinline]] void land(Fiber& fiber) noexcept {
  fiber.landing_frame = __builtin_frame_address(0);
  auto last = static_cast<Ended>(_setjmp(fiber.landing));  // 0, `returned`, the first time
  for (;;) {
    fiber.entry_frame = nullptr;
    fiber.unwinding = false;
    fiber.entry(fiber, last);
    last = Ended::returned;
  }
}

void first_jump(transfer_t from) {
  Fiber& fiber = *static_cast<ThreadContext*>(from.data)->running;
  arrive(fiber, from);
  land(fiber);
}

}  // namespace

ThreadContext::ThreadContext() noexcept
    : exception_globals(static_cast<ExceptionState*>(base::this_thread::exception_globals())) {
  RT_CHECK(base::this_thread::get(Slot::fiber_context) == nullptr, "a thread has one context");
  sanitizer::adopt_thread(sanitizer_stack);
  base::this_thread::set(Slot::fiber_context, this);
}

ThreadContext::~ThreadContext() {
  RT_CHECK(base::this_thread::get(Slot::fiber_context) == this, "a context ends on its thread");
  base::this_thread::set(Slot::fiber_context, nullptr);
}

void prepare(Fiber& fiber, Entry entry) noexcept {
  const auto bytes = static_cast<std::size_t>(reinterpret_cast<std::byte*>(&fiber) - fiber.low);
  sanitizer::begin(fiber.sanitizer_stack, fiber.low, bytes);
  if (fiber.guard == Guard::canary) lay_canary(fiber.low);
  fiber.entry = entry;
  fiber.exceptions = {};
  fiber.context = make_fcontext(&fiber, bytes, first_jump);
}

void switch_to(ThreadContext& thread, Fiber& fiber) noexcept {
  RT_CHECK(fiber.context != nullptr && thread.running == nullptr,
           "a thread's loop resumes fibers that are off, one at a time");
  void* const context = fiber.context;
  fiber.context = nullptr;
  fiber.resumer = &thread;
  thread.running = &fiber;
  thread.exceptions = *thread.exception_globals;
  *thread.exception_globals = fiber.exceptions;

  sanitizer::before_switch(thread.sanitizer_stack, fiber.sanitizer_stack);
  const transfer_t from = jump_fcontext(context, &thread);
  sanitizer::after_switch(thread.sanitizer_stack, fiber.sanitizer_stack);

  fiber.context = from.fctx;
  fiber.exceptions = *thread.exception_globals;
  *thread.exception_globals = thread.exceptions;
  thread.running = nullptr;
  if (fiber.guard == Guard::canary) check_canary(fiber.low);
}

ThreadContext& switch_back(Fiber& fiber, ThreadContext& thread) noexcept {
  RT_CHECK(thread.running == &fiber, "a fiber goes back to the thread that it is on");
  sanitizer::before_switch(fiber.sanitizer_stack, thread.sanitizer_stack);
  return arrive(fiber, jump_fcontext(thread.context, &thread));
}

ThreadContext* this_thread_context() noexcept {
  return static_cast<ThreadContext*>(base::this_thread::get(Slot::fiber_context));
}

void cut(Fiber& fiber, Ended why) noexcept {
  RT_CHECK(why != Ended::returned, "a cut says why");
  // What the frames in between were handling or throwing is lost with them.
  *fiber.resumer->exception_globals = {};
  sanitizer::before_cut(fiber.sanitizer_stack);
  std::longjmp(fiber.landing, static_cast<int>(why));
}

}  // namespace airssys::rt::fiber
