// throw_site.cpp: the calls that stand at a throw.
#include "fiber/throw_site.hpp"

#include <cxxabi.h>
#include <unwind.h>

#include <exception>
#include <memory>

#include "base/memory.hpp"
#include "fiber/call_stack.hpp"

namespace airssys::rt::fiber {

namespace {

// All up to it is the throwing itself.
bool is_throw(const void* function) {
  const auto is = [function](auto* of_abi) {
    return function == reinterpret_cast<const void*>(of_abi);
  };
  return is(&abi::__cxa_throw) || is(&abi::__cxa_rethrow) || is(&std::rethrow_exception) ||
         function == sanitizer::throw_function();
}

}  // namespace

void note_throw_site(Fiber& fiber) noexcept {
  if (fiber.thrown_at == nullptr)
    fiber.thrown_at = ::new (base::allocate(sizeof(CallStack))) CallStack();
  note_calls(fiber, *fiber.thrown_at, &is_throw);
}

// What the unwinder asks of call_noting's frame.
extern "C" [[gnu::visibility("hidden"), gnu::used]] _Unwind_Reason_Code
airssys_rt_noting_personality(int /*version*/,
                              _Unwind_Action actions,
                              _Unwind_Exception_Class /*kind*/,
                              _Unwind_Exception* /*record*/,
                              _Unwind_Context* /*context*/) {
  if ((actions & _UA_SEARCH_PHASE) != 0) note_throw_site(*this_thread_context()->running);
  return _URC_CONTINUE_UNWIND;
}

// As in call_guarded, the personality is ours, for the frame has nothing to destroy.
[[gnu::noinline]] RT_UNSANITIZED void call_noting(void (*f)(void*), void* argument) {
  asm volatile(".cfi_personality 0x1b, airssys_rt_noting_personality");
  f(argument);
  asm volatile("");  // what is behind the call keeps the frame
}

std::span<const void* const> throw_site(const Fiber& fiber) noexcept {
  if (fiber.thrown_at == nullptr) return {};
  return fiber.thrown_at->calls();
}

void forget_throw_site(Fiber& fiber) noexcept {
  base::free(fiber.thrown_at);
  fiber.thrown_at = nullptr;
}

}  // namespace airssys::rt::fiber
