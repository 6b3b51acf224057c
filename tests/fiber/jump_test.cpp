// jump_test.cpp: a jump leaves one stack for another and finds it as it was.
// Method: two stacks of our own that jump to and fro. On each of them values of every kind are
// alive over each jump, more than there are registers, and the other one has changed them all. The
// build makes this program at several levels of optimisation.
#include "fiber/jump.hpp"

#include <gtest/gtest.h>
#include <unwind.h>

#include <array>
#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "fiber/sanitizer.hpp"

namespace airssys::rt::fiber::jump_test {
namespace {

class Other;
Other* other = nullptr;  // the one that is there

// A second stack, on which `first` is called by the first jump to it.
class Other {
 public:
  template <First first>
  static Other begun() {
    return Other([](void* top) { return begin<first>(top); });
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() {
    sanitizer::end(stack_);
    other = nullptr;
  }

  // From the test's own stack.
  [[gnu::always_inline]] void* go(void* baggage) {
    sanitizer::before_switch(home_stack_, stack_);
    void* const brought = jump(home_, std::exchange(place_, nullptr), baggage);
    sanitizer::after_switch(home_stack_, stack_);
    return brought;
  }
  // From the other one.
  [[gnu::always_inline]] void* back(void* baggage) {
    sanitizer::before_switch(stack_, home_stack_);
    void* const brought = jump(place_, std::exchange(home_, nullptr), baggage);
    sanitizer::after_switch(stack_, home_stack_);
    return brought;
  }
  // While it is off: nothing that lies lower is missed. ASan would not have it.
  void spoil_what_is_not_in_use() {
    if (sanitizer::address) return;
    const std::byte* const end = lowest_in_use(place_);
    for (std::byte* byte = bytes_.data(); byte != end; ++byte) *byte = std::byte{0xA5};
  }
  void arrive() { sanitizer::after_switch(stack_, home_stack_); }

 private:
  explicit Other(Place (*begun_at)(void* top)) {
    other = this;
    sanitizer::adopt_thread(home_stack_);
    sanitizer::begin(stack_, bytes_.data(), bytes_.size());
    place_ = begun_at(bytes_.data() + bytes_.size());
  }

  alignas(64) std::array<std::byte, 256 << 10> bytes_{};
  Place place_ = nullptr;
  Place home_ = nullptr;
  sanitizer::Stack stack_;
  sanitizer::Stack home_stack_;
};

void* as_pointer(std::uintptr_t number) {
  return reinterpret_cast<void*>(number);
}

// Values that a compiler likes to keep in registers, of each kind of them, over what `leave` does.
template <class Leave>
[[gnu::always_inline]] inline std::uint64_t keep_many(std::uint64_t seed, Leave leave) {
  std::uint64_t n[16];
  for (std::uint64_t& value : n) value = seed = seed * 0x9E3779B97F4A7C15U + 1;
  std::uint64_t a = n[0];
  std::uint64_t b = n[1];
  auto x = static_cast<double>(seed);
  double y = x / 7;
  double z = x / 11;
  long double extended = static_cast<long double>(seed) / 3;
  // What is below cannot be computed before or anew.
#if defined(__x86_64__)
  asm volatile("" : "+r"(a), "+r"(b), "+x"(x), "+x"(y), "+x"(z), "+t"(extended));
#elif defined(__aarch64__)
  asm volatile("" : "+r"(a), "+r"(b), "+w"(x), "+w"(y), "+w"(z));
#endif
  leave();
  std::uint64_t sum = a * 31 + b;
  for (const std::uint64_t value : n) sum = sum * 31 + value;
  for (const double value : {x, y, z}) sum = sum * 31 + static_cast<std::uint64_t>(value / 3);
  return sum + static_cast<std::uint64_t>(extended / 5);
}

// In a frame whose size is known only here, and which is aligned to more than the ABI asks: the
// compiler needs one more register to find its way.
template <class Leave>
[[gnu::noinline]] std::uint64_t keep_many_in_an_odd_frame(std::uint64_t seed, Leave leave) {
  alignas(64) std::array<std::uint64_t, 8> aligned{};
  const std::size_t bytes = seed % 512 + 16;
  auto* const room = static_cast<unsigned char*>(__builtin_alloca(bytes));
  for (std::size_t i = 0; i < bytes; ++i) room[i] = static_cast<unsigned char>(seed + i);
  for (std::uint64_t& value : aligned) value = seed = seed * 31 + 1;
  asm volatile("" : : "r"(room), "r"(aligned.data()) : "memory");
  std::uint64_t sum = keep_many(seed, leave);
  for (std::size_t i = 0; i < bytes; ++i) sum = sum * 31 + room[i];
  for (const std::uint64_t value : aligned) sum = sum * 31 + value;
  return sum + reinterpret_cast<std::uintptr_t>(aligned.data()) % 64;
}

void double_for_ever(void* baggage) {
  other->arrive();
  auto number = reinterpret_cast<std::uintptr_t>(baggage);
  for (;;) {
    std::uintptr_t next = 0;
    const auto leave = [&] {
      next = reinterpret_cast<std::uintptr_t>(other->back(as_pointer(number * 2)));
    };
    const bool odd = number % 2 != 0;
    const std::uint64_t sum =
        odd ? keep_many_in_an_odd_frame(number, leave) : keep_many(number, leave);
    EXPECT_EQ(sum, odd ? keep_many_in_an_odd_frame(number, [] {}) : keep_many(number, [] {}));
    number = next;
  }
}

TEST(Jump, brings_its_baggage_and_finds_all_registers_as_they_were) {
  auto stack = Other::begun<&double_for_ever>();
  for (std::uintptr_t number = 1; number <= 1000; ++number) {
    stack.spoil_what_is_not_in_use();
    void* brought = nullptr;
    // No calls in here: values would be in memory because of those.
    const auto leave = [&] { brought = stack.go(as_pointer(number)); };
    const bool odd = number / 2 % 2 != 0;
    const std::uint64_t sum =
        odd ? keep_many_in_an_odd_frame(number + 7, leave) : keep_many(number + 7, leave);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(brought), number * 2);
    EXPECT_EQ(sum,
              odd ? keep_many_in_an_odd_frame(number + 7, [] {}) : keep_many(number + 7, [] {}));
  }
}

// How the processor's two units round now: FE_… where they agree, else -1.
int rounding() {
  volatile double one = 1;
  volatile double three = 3;
  volatile double minus_one = -1;
  const bool up = one / three > 0x1.5555555555555p-2;
  const bool down = minus_one / three < -0x1.5555555555555p-2;
  const int nearest_or_zero = std::fegetround() == FE_TOWARDZERO ? FE_TOWARDZERO : FE_TONEAREST;
  const int computed = up ? FE_UPWARD : down ? FE_DOWNWARD : nearest_or_zero;
  return computed == std::fegetround() ? computed : -1;
}

void round_upward_for_ever(void* /*baggage*/) {
  other->arrive();
  EXPECT_EQ(rounding(), FE_DOWNWARD) << "as it was where the stack was begun";
  std::fesetround(FE_UPWARD);
  for (;;) {
    other->back(nullptr);
    EXPECT_EQ(rounding(), FE_UPWARD);
  }
}

TEST(Jump, each_stack_keeps_its_rounding) {
  ASSERT_EQ(std::fesetround(FE_DOWNWARD), 0);
  auto stack = Other::begun<&round_upward_for_ever>();
  std::fesetround(FE_TONEAREST);
  for (int i = 0; i < 3; ++i) {
    stack.go(nullptr);
    EXPECT_EQ(rounding(), FE_TONEAREST);
  }
  std::fesetround(FE_DOWNWARD);
  stack.go(nullptr);
  EXPECT_EQ(rounding(), FE_DOWNWARD);
  std::fesetround(FE_TONEAREST);
}

std::uint64_t seen_by_both = 0;

void count_for_ever(void* /*baggage*/) {
  other->arrive();
  for (;;) {
    const std::uint64_t before = seen_by_both++;
    other->back(nullptr);
    if (seen_by_both != before + 2) seen_by_both = 0;
  }
}

TEST(Jump, what_the_other_stack_wrote_is_read_anew) {
  auto stack = Other::begun<&count_for_ever>();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(seen_by_both, 2 * i);
    stack.go(nullptr);
    ++seen_by_both;
  }
}

void throw_and_catch_for_ever(void* /*baggage*/) {
  other->arrive();
  for (;;) {
    int caught = 0;
    try {
      keep_many_in_an_odd_frame(1, [] {
        other->back(nullptr);
        throw std::runtime_error("after a jump");
      });
    } catch (const std::runtime_error&) {
      caught = 1;
    }
    other->back(as_pointer(static_cast<std::uintptr_t>(caught)));
  }
}

TEST(Jump, an_exception_finds_its_handler_through_frames_that_have_jumped) {
  auto stack = Other::begun<&throw_and_catch_for_ever>();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(stack.go(nullptr), nullptr);
    EXPECT_EQ(stack.go(nullptr), as_pointer(1));
  }
}

void count_frames_for_ever(void* /*baggage*/) {
  other->arrive();
  for (;;) {
    std::uintptr_t frames = 0;
    const _Unwind_Reason_Code why = _Unwind_Backtrace(
        [](_Unwind_Context*, void* count) {
          return ++*static_cast<std::uintptr_t*>(count) < 1000 ? _URC_NO_REASON : _URC_NORMAL_STOP;
        },
        &frames);
    EXPECT_EQ(why, _URC_END_OF_STACK);
    other->back(as_pointer(frames));
  }
}

TEST(Jump, who_walks_a_stack_ends_where_it_began) {
  auto stack = Other::begun<&count_frames_for_ever>();
  const auto frames = reinterpret_cast<std::uintptr_t>(stack.go(nullptr));
  EXPECT_GE(frames, 1U);
  EXPECT_LE(frames, 4U);
  EXPECT_EQ(stack.go(nullptr), as_pointer(frames));
}

}  // namespace
}  // namespace airssys::rt::fiber::jump_test
