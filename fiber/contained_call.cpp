// contained_call.cpp: a landing in the middle of a stack.
#include "fiber/contained_call.hpp"

#include <csetjmp>
#include <cstring>
#include <utility>

#include "base/assert.hpp"

namespace airssys::rt::fiber {

namespace {

// For as long as it stands the fiber's landing is in another frame; and what a cut to that must
// bring back.
class OtherLanding {
 public:
  OtherLanding(Fiber& fiber, void* frame) noexcept
      : fiber_(fiber),
        outer_frame_(std::exchange(fiber.landing_frame, frame)),
        exceptions_(*fiber.resumer->exception_globals),
        was_unwinding_(fiber.unwinding) {
    std::memcpy(&outer_, &fiber.landing, sizeof(outer_));
  }
  OtherLanding(const OtherLanding&) = delete;
  OtherLanding& operator=(const OtherLanding&) = delete;
  ~OtherLanding() {
    fiber_.landing_frame = outer_frame_;
    std::memcpy(&fiber_.landing, &outer_, sizeof(outer_));
  }

  void was_cut_to() const noexcept {
    *fiber_.resumer->exception_globals = exceptions_;
    fiber_.unwinding = was_unwinding_;
  }

 private:
  Fiber& fiber_;
  void* const outer_frame_;
  std::jmp_buf outer_;
  const ExceptionState exceptions_;
  const bool was_unwinding_;
};

}  // namespace

// Nothing here changes between the two returns of _setjmp.
[[gnu::noinline]] Ended call_contained(Fiber& fiber, void (*f)(void*), void* argument) {
  RT_CHECK(fiber.entry_frame != nullptr, "what is contained is process code");
  const OtherLanding landing(fiber, __builtin_frame_address(0));
  const auto ended = static_cast<Ended>(_setjmp(fiber.landing));
  if (ended == Ended::returned) {
    f(argument);
  } else {
    landing.was_cut_to();
  }
  return ended;
}

}  // namespace airssys::rt::fiber
