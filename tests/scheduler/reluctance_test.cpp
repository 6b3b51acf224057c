// reluctance_test.cpp: when thieves are reluctant.
//
// Aim: only where that has more done, and not for long after it no longer has; without thefts or
// with long turns never. Method: a machine that does so much in a period, by hand.
#include "scheduler/reluctance.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace airssys::rt::scheduler::reluctance_test {
namespace {

class ReluctanceTest : public testing::Test {
 protected:
  bool is_reluctant() const { return reluctance.patience_ns() == Reluctance::reluctant_ns; }

  // Five milliseconds, and what is found at their end.
  void pass_period() {
    now_ns += 5'000'000;
    ASSERT_TRUE(reluctance.is_due(now_ns));
    totals.busy_ns += is_reluctant() ? busy_when_reluctant_ns : 10'000'000;
    totals.reductions += is_reluctant() ? when_reluctant : when_eager;
    totals.turns += turns;
    totals.steals += is_reluctant() ? 0 : thefts;
    reluctance.look(now_ns, totals);
  }
  // Behind how many of these periods thieves were reluctant.
  int reluctant_of(int periods) {
    int reluctant = 0;
    for (int i = 0; i < periods; ++i) {
      pass_period();
      if (is_reluctant()) ++reluctant;
    }
    return reluctant;
  }

  Reluctance reluctance;
  Reluctance::Totals totals;
  std::int64_t now_ns = 1'000'000'000;
  std::int64_t busy_when_reluctant_ns = 5'000'000;  // two schedulers: in a period
  std::uint64_t when_eager = 100'000;               // reductions in a period
  std::uint64_t when_reluctant = 200'000;
  std::uint64_t turns = 50'000;
  std::uint64_t thefts = 100;
};

TEST_F(ReluctanceTest, thieves_become_reluctant_where_that_has_more_done) {
  EXPECT_FALSE(is_reluctant());
  EXPECT_EQ(reluctant_of(8), 7) << "known after the second period";
  EXPECT_GE(reluctant_of(10'000), 9'600);
}

TEST_F(ReluctanceTest, they_stay_eager_where_it_has_not) {
  when_reluctant = 120'000;  // not a quarter more
  const int tried = reluctant_of(10'000);
  EXPECT_GE(tried, 10'000 / 300);
  EXPECT_LE(tried, 10'000 / 200);
}

TEST_F(ReluctanceTest, they_stay_eager_where_more_has_only_come_in) {
  busy_when_reluctant_ns = 20'000'000;
  EXPECT_LE(reluctant_of(1000), 10);
}

TEST_F(ReluctanceTest, it_is_not_tried_without_thefts) {
  thefts = 10;
  EXPECT_EQ(reluctant_of(1000), 0);
}

TEST_F(ReluctanceTest, it_is_not_tried_where_turns_are_long) {
  turns = 1000;
  EXPECT_EQ(reluctant_of(1000), 0);
}

TEST_F(ReluctanceTest, who_is_reluctant_is_eager_again_when_that_has_as_much_done) {
  reluctant_of(1000);
  when_eager = when_reluctant;
  reluctant_of(40);  // the longest pause, and a trial
  EXPECT_FALSE(is_reluctant());
  EXPECT_LE(reluctant_of(1000), 1000 / 100);
}

TEST_F(ReluctanceTest, longer_turns_end_it_at_once) {
  reluctant_of(50);
  turns = 1000;
  reluctant_of(2);  // one of them may be a trial
  EXPECT_FALSE(is_reluctant());
}

TEST_F(ReluctanceTest, nothing_is_judged_over_a_gap) {
  reluctant_of(50);
  now_ns += 1'000'000'000;  // everybody slept
  pass_period();
  EXPECT_FALSE(is_reluctant());
}

}  // namespace
}  // namespace airssys::rt::scheduler::reluctance_test
