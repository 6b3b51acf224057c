// wake_ration_test.cpp: who may wake another thread for work of its own, after what.
//
// Aim: free at first, rarer with each wake that brought nothing, free again after one that did, and
// never quite forbidden. Method: times by hand.
#include "scheduler/wake_ration.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace airssys::rt::scheduler::wake_ration_test {
namespace {

constexpr std::int64_t second = 1'000'000'000;

TEST(WakeRationTest, every_wake_is_allowed_at_first) {
  const WakeRation ration;
  std::int64_t last = 0;
  EXPECT_TRUE(ration.allows(1, last));
  EXPECT_TRUE(ration.allows(1, last)) << "in the same nanosecond, too";
}

TEST(WakeRationTest, a_futile_wake_puts_the_next_one_off) {
  WakeRation ration;
  std::int64_t last = 0;
  ration.was_futile();
  EXPECT_TRUE(ration.allows(second, last)) << "the last one was long ago";
  EXPECT_FALSE(ration.allows(second + 1'000, last));
  EXPECT_TRUE(ration.allows(second + second / 1000, last)) << "a millisecond later";
}

TEST(WakeRationTest, one_that_paid_off_gives_back_full_freedom) {
  WakeRation ration;
  std::int64_t last = second;
  ration.was_futile();
  ration.was_futile();
  EXPECT_FALSE(ration.allows(second + 1'000, last));
  ration.was_worth_it();
  EXPECT_TRUE(ration.allows(second + 1'000, last));
}

TEST(WakeRationTest, however_many_were_futile_some_are_allowed) {
  WakeRation ration;
  for (int i = 0; i < 1000; ++i) ration.was_futile();
  std::int64_t last = second;
  EXPECT_FALSE(ration.allows(second + 50'000, last));
  EXPECT_TRUE(ration.allows(second + 2'000'000, last)) << "within two milliseconds";
}

}  // namespace
}  // namespace airssys::rt::scheduler::wake_ration_test
