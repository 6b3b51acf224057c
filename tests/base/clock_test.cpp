// clock_test.cpp: real time goes forwards, manual time stands still.
// Method: reads both clocks; no reading is compared with how long something took.
#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::base::clock_test {
namespace {

TEST(Clock, the_steady_clock_never_goes_backwards) {
  Clock& clock = steady_clock();
  std::int64_t last = clock.now_ns();
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t now = clock.now_ns();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, a_manual_clock_moves_only_when_it_is_advanced) {
  ManualClock clock(5);
  EXPECT_EQ(clock.now_ns(), 5);
  EXPECT_EQ(clock.now_ns(), 5);
  clock.advance(37);
  EXPECT_EQ(clock.now_ns(), 42);
}

}  // namespace
}  // namespace airssys::rt::base::clock_test
