// coarse_time_test.cpp: times in 32 bits, also when they come round.
#include "scheduler/coarse_time.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace airssys::rt::scheduler::coarse_time_test {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t unit = std::int64_t{1} << coarse_shift;

TEST(CoarseTime, what_was_a_time_ago_was_so_long_ago_up_to_a_unit) {
  for (const std::int64_t now : {std::int64_t{0}, second, 40 * 86'400 * second}) {
    for (const std::int64_t ago : {std::int64_t{0}, unit, second, 10 * 86'400 * second}) {
      const std::int64_t told = ns_since(coarse_time(now), now + ago);
      EXPECT_GT(told, ago - unit);
      EXPECT_LT(told, ago + unit);
    }
  }
}

TEST(CoarseTime, when_it_comes_round_a_difference_is_right) {
  const std::int64_t round = unit << 32;
  EXPECT_EQ(ns_since(coarse_time(round - second), round + second) / unit, 2 * second / unit);
}

}  // namespace
}  // namespace airssys::rt::scheduler::coarse_time_test
