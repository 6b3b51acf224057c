// stack_copy.cpp: from the lowest byte in use to the last of the Fiber that is.
#include "fiber/stack_copy.hpp"

#include <csetjmp>
#include <new>
#include <type_traits>

#include "base/memory.hpp"
#include "fiber/word_packing.hpp"

namespace airssys::rt::fiber {

namespace {

// The landing is the last member, and its own last one a mask of signals, which _setjmp leaves out.
// An address: nothing is read.
std::uint64_t* end_of_use(Fiber& fiber) noexcept {
#ifdef __GLIBC__
  using Landing = std::remove_extent_t<std::jmp_buf>;
  constexpr std::size_t landing_bytes = offsetof(Landing, __saved_mask);
#else
  constexpr std::size_t landing_bytes = sizeof(std::jmp_buf);
#endif
  return reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::byte*>(&fiber.landing) +
                                          landing_bytes);
}

std::byte* contents_of(StackCopy* copy) noexcept {
  return reinterpret_cast<std::byte*>(copy + 1);
}

// Its own stack, whose stride is aligned to 64 KiB at least, and this library's code.
Near near_to(const Fiber& fiber) noexcept {
  return {reinterpret_cast<std::uintptr_t>(&fiber), reinterpret_cast<std::uintptr_t>(&copy_out)};
}

// Not worth a look at what is in them.
constexpr std::ptrdiff_t words_max = std::ptrdiff_t{4} * packed_bytes_max / 8;

}  // namespace

StackCopy* copy_out(Fiber& fiber) noexcept {
  if (fiber.guard == Guard::canary || fiber.unwinding) return nullptr;
  const auto* const low = reinterpret_cast<const std::uint64_t*>(lowest_in_use(fiber.place));
  const std::ptrdiff_t count = end_of_use(fiber) - low;
  if (count > words_max) return nullptr;
  const auto words = static_cast<std::size_t>(count);
  const std::size_t bytes = packed_bytes(low, words, near_to(fiber));
  if (bytes > packed_bytes_max) return nullptr;
  auto* const copy = ::new (base::allocate(sizeof(StackCopy) + bytes)) StackCopy{&fiber, words};
  pack(low, words, near_to(fiber), contents_of(copy));
  return copy;
}

Fiber& copy_back(StackCopy* copy) noexcept {
  Fiber& fiber = *copy->fiber;
  unpack(contents_of(copy), end_of_use(fiber) - copy->words, copy->words, near_to(fiber));
  base::free(copy);
  return fiber;
}

}  // namespace airssys::rt::fiber
