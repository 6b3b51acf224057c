// context.cpp: where fibers begin and where they land.
//
// The switch itself is inline, in the header.
#include "fiber/context.hpp"

#include <csetjmp>

#include "base/assert.hpp"
#include "base/this_thread.hpp"
#include "fiber/canary.hpp"

namespace airssys::rt::fiber {

namespace {

using base::this_thread::Slot;

// The topmost frame of a fiber, and the place that cuts go back to. It never returns. After a cut,
// _setjmp returns again: nothing here is kept over it but the parameter, which is not changed.
[[noreturn, gnu::noinline]] void land(Fiber& fiber) noexcept {
  fiber.landing_frame = __builtin_frame_address(0);
  auto last = static_cast<Ended>(_setjmp(fiber.landing));  // 0, `returned`, the first time
  for (;;) {
    fiber.entry_frame = nullptr;
    fiber.unwinding = false;
    fiber.must_not_yield = 0;  // a frame that is cut off allows nothing any more
    fiber.is_owed_a_yield = false;
    fiber.entry(fiber, last);
    last = Ended::returned;
  }
}

void first_step(void* thread_context) {
  ThreadContext& thread = *static_cast<ThreadContext*>(thread_context);
  sanitizer::after_switch(thread.running->sanitizer_stack, thread.left->sanitizer_stack);
  land(*thread.running);
}

}  // namespace

ThreadContext::ThreadContext() noexcept
    : exception_globals(static_cast<ExceptionState*>(base::this_thread::exception_globals())) {
  RT_CHECK(base::this_thread::get(Slot::fiber_context) == nullptr, "a thread has one context");
  sanitizer::adopt_thread(loop.sanitizer_stack);
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
  fiber.place = begin<&first_step>(&fiber);
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
