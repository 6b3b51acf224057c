// call_stack.cpp: walking a stack by its unwind tables.
#include "fiber/call_stack.hpp"

#include <unwind.h>

#include <cstddef>
#include <cstdint>

#include "base/symbol.hpp"

namespace airssys::rt::fiber {

namespace {

// What the unwinder may take of the stack, with the loader's part in its first call.
constexpr std::ptrdiff_t needed = sanitizer::address ? 12 << 10 : 6 << 10;

bool has_room(const Fiber& fiber) noexcept {
  return static_cast<const std::byte*>(__builtin_frame_address(0)) - fiber.low >= needed;
}

struct Walk {
  CallStack& stack;
  std::uintptr_t end;  // where call_guarded's frame is
  bool (*leads_here)(const void* function);
};

_Unwind_Reason_Code note_call(_Unwind_Context* context, void* argument) {
  const Walk& walk = *static_cast<Walk*>(argument);
  CallStack& stack = walk.stack;
  if (_Unwind_GetCFA(context) > walk.end || stack.count == CallStack::calls_max)
    return _URC_END_OF_STACK;
  // The return address is behind the call.
  const std::uintptr_t address = _Unwind_GetIP(context) - 1;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what the ABI answers as a number.
  const auto* const call = reinterpret_cast<const void*>(address);
  stack.addresses[stack.count++] = call;
  const void* const function = base::function_at(call);
  if (function && walk.leads_here(function)) stack.count = 0;
  return _URC_NO_REASON;
}

}  // namespace

void note_calls(const Fiber& fiber,
                CallStack& stack,
                bool (*leads_here)(const void* function)) noexcept {
  stack.count = 0;
  Walk walk{stack, reinterpret_cast<std::uintptr_t>(fiber.entry_frame), leads_here};
  if (fiber.entry_frame && has_room(fiber)) _Unwind_Backtrace(note_call, &walk);
}

}  // namespace airssys::rt::fiber
