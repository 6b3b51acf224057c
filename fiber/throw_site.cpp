// throw_site.cpp: walking the stack of a throw.
#include "fiber/throw_site.hpp"

#include <cxxabi.h>
#include <unwind.h>

#include <exception>
#include <memory>

#include "base/memory.hpp"
#include "base/symbol.hpp"

namespace airssys::rt::fiber {

namespace {

struct Walk {
  ThrowSite& site;
  std::uintptr_t end;  // where call_guarded's frame is
};

_Unwind_Reason_Code note_call(_Unwind_Context* context, void* argument) {
  const Walk& walk = *static_cast<Walk*>(argument);
  ThrowSite& site = walk.site;
  if (_Unwind_GetCFA(context) > walk.end || site.count == ThrowSite::calls_max)
    return _URC_END_OF_STACK;
  // The return address is behind the call.
  const std::uintptr_t address = _Unwind_GetIP(context) - 1;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what the ABI answers as a number.
  const auto* const call = reinterpret_cast<const void*>(address);
  site.calls[site.count++] = call;
  // All up to here is the throwing itself.
  const void* const function = base::function_at(call);
  const auto is_throw = [function](auto* of_abi) {
    return function == reinterpret_cast<const void*>(of_abi);
  };
  if (is_throw(&abi::__cxa_throw) || is_throw(&abi::__cxa_rethrow) ||
      is_throw(&std::rethrow_exception) || (function && function == sanitizer::throw_function()))
    site.count = 0;
  return _URC_NO_REASON;
}

}  // namespace

void note_throw_site(Fiber& fiber) noexcept {
  if (fiber.thrown_at == nullptr)
    fiber.thrown_at = ::new (base::allocate(sizeof(ThrowSite))) ThrowSite();
  fiber.thrown_at->count = 0;
  Walk walk{*fiber.thrown_at, reinterpret_cast<std::uintptr_t>(fiber.entry_frame)};
  _Unwind_Backtrace(note_call, &walk);
}

std::span<const void* const> throw_site(const Fiber& fiber) noexcept {
  if (fiber.thrown_at == nullptr) return {};
  return std::span(fiber.thrown_at->calls).first(fiber.thrown_at->count);
}

void forget_throw_site(Fiber& fiber) noexcept {
  base::free(fiber.thrown_at);
  fiber.thrown_at = nullptr;
}

}  // namespace airssys::rt::fiber
