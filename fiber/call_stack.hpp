// call_stack.hpp: the calls that process code is in.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "fiber/context.hpp"

namespace airssys::rt::fiber {

struct CallStack {
  static constexpr std::size_t calls_max = 32;

  std::array<const void*, calls_max> addresses{};  // within them, the innermost first
  std::size_t count = 0;

  std::span<const void* const> calls() const noexcept { return std::span(addresses).first(count); }
};

/// Notes the calls from here outwards to call_guarded, without those that only lead here: all up to
/// the outermost one of a function that `leads_here` knows by where it begins. Nothing where no
/// process code runs, or where the stack is nearly used up. On the fiber's own stack.
void note_calls(const Fiber& fiber,
                CallStack& stack,
                bool (*leads_here)(const void* function)) noexcept;

}  // namespace airssys::rt::fiber
