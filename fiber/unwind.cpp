// unwind.cpp: the forced unwind, and how it survives every handler.
//
// _Unwind_ForcedUnwind asks `stop` before each frame, then runs that frame's cleanups. The first
// frame whose CFA lies above call_guarded's frame is its caller's: there the unwind is over. By
// then call_guarded's own personality has cleared entry_frame, which says the same.
#include "fiber/unwind.hpp"

#include <cstring>

#include "base/assert.hpp"
#include "fiber/throw_site.hpp"

namespace airssys::rt::fiber {

namespace {

_Unwind_Reason_Code stop(int /*version*/,
                         _Unwind_Action actions,
                         _Unwind_Exception_Class /*kind*/,
                         _Unwind_Exception* /*record*/,
                         _Unwind_Context* context,
                         void* argument) {
  Fiber& fiber = *static_cast<Fiber*>(argument);
  const auto frame = reinterpret_cast<std::uintptr_t>(fiber.entry_frame);
  const std::uintptr_t unwound_up_to = _Unwind_GetCFA(context);
  if (frame == 0 || unwound_up_to > frame) cut(fiber, Ended::unwound);
  // A frame without unwind tables: nobody can run the destructors above it.
  if ((actions & _UA_END_OF_STACK) != 0) abandon(fiber, Ended::abandoned_noexcept);
  sanitizer::after_unwind(fiber.sanitizer_stack, unwound_up_to);
  return _URC_NO_REASON;
}

// A handler has ended without rethrowing; we are called from its frame and go on from there.
void begin_again(_Unwind_Reason_Code /*reason*/, _Unwind_Exception* /*record*/) {
  unwind(*this_thread_context()->running);
}

}  // namespace

// What the unwinder asks of call_guarded's frame: first, whether an exception is caught there, with
// all frames below still standing; later, when they are gone, to leave it.
extern "C" [[gnu::visibility("hidden"), gnu::used]] _Unwind_Reason_Code
airssys_rt_guard_personality(int /*version*/,
                             _Unwind_Action actions,
                             _Unwind_Exception_Class /*kind*/,
                             _Unwind_Exception* /*record*/,
                             _Unwind_Context* /*context*/) {
  Fiber& fiber = *this_thread_context()->running;
  if ((actions & _UA_SEARCH_PHASE) != 0) {
    note_throw_site(fiber);
  } else {
    fiber.entry_frame = nullptr;
  }
  return _URC_CONTINUE_UNWIND;
}

// The frame has nothing to destroy, so the compiler gives it no personality, and takes ours.
[[gnu::noinline]] RT_UNSANITIZED void call_guarded(Fiber& fiber, void (*f)(void*), void* argument) {
  asm volatile(".cfi_personality 0x1b, airssys_rt_guard_personality");  // by a distance of 32 bits
  RT_CHECK(fiber.entry_frame == nullptr, "process code on a fiber is called once at a time");
  fiber.entry_frame = __builtin_frame_address(0);
  f(argument);
  fiber.entry_frame = nullptr;
}

void unwind(Fiber& fiber) {
  RT_CHECK(fiber.entry_frame != nullptr, "what is unwound is process code");
  fiber.unwinding = true;
  _Unwind_Exception& record = fiber.unwind_record;
  record = {};
  std::memcpy(&record.exception_class, "AIRSKILL", sizeof record.exception_class);
  record.exception_cleanup = begin_again;
  _Unwind_ForcedUnwind(&record, stop, &fiber);
  // It comes back only when the tables themselves are broken.
  abandon(fiber, Ended::abandoned_noexcept);
}

void abandon(Fiber& fiber, Ended why) noexcept {
  RT_CHECK(fiber.entry_frame != nullptr, "what is abandoned is process code");
  cut(fiber, why);
}

}  // namespace airssys::rt::fiber
