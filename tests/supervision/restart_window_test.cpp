// restart_window_test.cpp: V28: n restarts within the period are admitted, one more is not.
// Method: made-up times.
#include "supervision/restart_window.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::supervision::restart_window_test {
namespace {

using namespace std::chrono_literals;

TEST(RestartWindow, with_intensity_zero_the_first_restart_is_one_too_many) {
  RestartWindow window(0, 5s);
  EXPECT_FALSE(window.admit(0));
}

TEST(RestartWindow, intensity_many_restarts_fit_into_the_period) {
  RestartWindow window(3, 10ns);
  EXPECT_TRUE(window.admit(100));
  EXPECT_TRUE(window.admit(101));
  EXPECT_TRUE(window.admit(105));
  EXPECT_FALSE(window.admit(109));
}

TEST(RestartWindow, a_restart_exactly_one_period_back_still_counts) {
  RestartWindow window(1, 10ns);
  EXPECT_TRUE(window.admit(100));
  EXPECT_FALSE(window.admit(110));
}

TEST(RestartWindow, older_restarts_are_forgotten) {
  RestartWindow window(1, 10ns);
  EXPECT_TRUE(window.admit(100));
  EXPECT_TRUE(window.admit(111));
  EXPECT_TRUE(window.admit(122));
  EXPECT_FALSE(window.admit(123));
}

}  // namespace
}  // namespace airssys::rt::supervision::restart_window_test
