// assert_test.cpp: a broken check ends the program and says where and what.
// Method: death tests on both sides of each macro.
#include "base/assert.hpp"

#include <gtest/gtest.h>

namespace {

TEST(AssertDeathTest, a_broken_check_names_file_condition_and_message) {
  const int two = 2;
  EXPECT_DEATH(RT_CHECK(two == 3, "I0 two is three"),
               "assert_test.cpp:[0-9]+: check failed: I0 two is three \\(two == 3\\)");
}

TEST(AssertDeathTest, an_unreachable_place_ends_the_program) {
  EXPECT_DEATH(RT_UNREACHABLE("no such state"), "no such state");
}

TEST(Assert, a_check_that_holds_evaluates_its_condition_once) {
  int evaluations = 0;
  RT_CHECK(++evaluations == 1, "counted");
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
