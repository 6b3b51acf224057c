// throw_site.cpp: the calls that stand at a throw.
#include "fiber/throw_site.hpp"

#include <cxxabi.h>

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

std::span<const void* const> throw_site(const Fiber& fiber) noexcept {
  if (fiber.thrown_at == nullptr) return {};
  return fiber.thrown_at->calls();
}

void forget_throw_site(Fiber& fiber) noexcept {
  base::free(fiber.thrown_at);
  fiber.thrown_at = nullptr;
}

}  // namespace airssys::rt::fiber
