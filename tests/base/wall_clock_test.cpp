// wall_clock_test.cpp: a time of day reads as RFC 3339 has it.
// Method: known moments against what they must read; the clock itself is only seen to tell one.
#include "base/wall_clock.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::base::wall_clock_test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(WallClock, known_moments_read_as_they_must) {
  EXPECT_EQ(to_rfc3339(WallTime()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(WallTime(seconds(951'827'696))), "2000-02-29T12:34:56.000Z");
  EXPECT_EQ(to_rfc3339(WallTime(milliseconds(4'102'444'799'999))), "2099-12-31T23:59:59.999Z");
}

TEST(WallClock, parts_of_a_millisecond_are_cut_off_also_before_1970) {
  EXPECT_EQ(to_rfc3339(WallTime(microseconds(1'999))), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(to_rfc3339(WallTime(microseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(WallClock, now_is_a_moment_of_that_form) {
  const std::string now = to_rfc3339(wall_time());
  EXPECT_EQ(now.size(), 24U) << now;
  EXPECT_GT(now, "2020") << now;
}

}  // namespace
}  // namespace airssys::rt::base::wall_clock_test
