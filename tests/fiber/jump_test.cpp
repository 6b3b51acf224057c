// jump_test.cpp: a jump leaves one stack for another and finds it as it was.
// Method: two stacks of our own that jump to and fro, with values in many registers, and with
// different rounding modes.
#include "fiber/jump.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fiber/sanitizer.hpp"

namespace airssys::rt::fiber {
namespace {

class Other;
Other* other = nullptr;  // the one that is there

// A second stack, on which a function is called by the first jump to it.
class Other {
 public:
  explicit Other(First first) {
    other = this;
    sanitizer::adopt_thread(home_stack_);
    sanitizer::begin(stack_, bytes_.data(), bytes_.size());
    place_ = begin(bytes_.data() + bytes_.size(), first);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() {
    sanitizer::end(stack_);
    other = nullptr;
  }

  // From the test's own stack.
  void* go(void* baggage) {
    sanitizer::before_switch(home_stack_, stack_);
    void* const brought = jump(home_, std::exchange(place_, nullptr), baggage);
    sanitizer::after_switch(home_stack_, stack_);
    return brought;
  }
  // From the other one.
  void* back(void* baggage) {
    sanitizer::before_switch(stack_, home_stack_);
    void* const brought = jump(place_, std::exchange(home_, nullptr), baggage);
    sanitizer::after_switch(stack_, home_stack_);
    return brought;
  }
  void arrive() { sanitizer::after_switch(stack_, home_stack_); }

 private:
  alignas(64) std::array<std::byte, 256 << 10> bytes_{};
  Place place_ = nullptr;
  Place home_ = nullptr;
  sanitizer::Stack stack_;
  sanitizer::Stack home_stack_;
};

// Too many values at once for the registers that a call may change.
template <class Leave>
std::uint64_t keep_many(std::uint64_t seed, Leave leave) {
  std::array<std::uint64_t, 16> kept{};
  for (std::uint64_t& value : kept) value = seed = seed * 0x9E3779B97F4A7C15U + 1;
  double fraction = static_cast<double>(seed % 1000) / 7;
  leave();
  std::uint64_t sum = 0;
  for (const std::uint64_t value : kept) sum = sum * 31 + value;
  return sum + static_cast<std::uint64_t>(fraction * 1000);
}

TEST(Jump, brings_its_baggage_and_finds_its_registers_as_they_were) {
  Other stack([](void* baggage) {
    other->arrive();
    auto number = reinterpret_cast<std::uintptr_t>(baggage);
    for (;;) {
      std::uintptr_t next = 0;
      const std::uint64_t sum = keep_many(number, [&] {
        next = reinterpret_cast<std::uintptr_t>(other->back(reinterpret_cast<void*>(number * 2)));
      });
      EXPECT_EQ(sum, keep_many(number, [] {}));
      number = next;
    }
  });
  for (std::uintptr_t number = 1; number <= 1000; ++number) {
    const std::uint64_t sum = keep_many(number + 7, [&] {
      void* const brought = stack.go(reinterpret_cast<void*>(number));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(brought), number * 2);
    });
    EXPECT_EQ(sum, keep_many(number + 7, [] {}));
  }
}

TEST(Jump, each_stack_keeps_its_rounding) {
  ASSERT_EQ(std::fesetround(FE_TOWARDZERO), 0);
  Other stack([](void*) {
    other->arrive();
    EXPECT_EQ(std::fegetround(), FE_TOWARDZERO) << "as it was where the stack began";
    std::fesetround(FE_UPWARD);
    for (;;) {
      other->back(nullptr);
      EXPECT_EQ(std::fegetround(), FE_UPWARD);
    }
  });
  std::fesetround(FE_DOWNWARD);
  for (int i = 0; i < 3; ++i) {
    stack.go(nullptr);
    EXPECT_EQ(std::fegetround(), FE_DOWNWARD);
  }
  std::fesetround(FE_TONEAREST);
  stack.go(nullptr);
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

}  // namespace
}  // namespace airssys::rt::fiber
