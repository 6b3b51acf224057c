// random_test.cpp: chance repeats with its seed and keeps within bounds.
// Method: fixed seeds, so that no run differs from another; rough counts for evenness.
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace airssys::rt::base::random_test {
namespace {

TEST(Random, the_same_seed_gives_the_same_sequence) {
  Random one(7);
  Random two(7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(one.next(), two.next());
}

TEST(Random, different_seeds_give_different_sequences) {
  Random one(7);
  Random two(8);
  EXPECT_NE(one.next(), two.next());
}

TEST(Random, below_stays_below_and_reaches_everything) {
  Random random(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10'000; ++i) ++counts.at(random.below(10));
  for (const int count : counts) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
}

TEST(Random, below_zero_is_zero) {
  EXPECT_EQ(Random(3).below(0), 0U);
}

}  // namespace
}  // namespace airssys::rt::base::random_test
