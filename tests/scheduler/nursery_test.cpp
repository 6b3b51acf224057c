// nursery_test.cpp: whose turn it is among newborns that wait, and what a thief takes of them.
#include "scheduler/nursery.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>

namespace airssys::rt::scheduler::nursery_test {
namespace {

struct NurseryTest : testing::Test {
  void push_all(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) nursery.push(tasks[i]);
  }
  std::array<int, 100> tasks{};
  Nursery<int> nursery;
};

TEST_F(NurseryTest, the_last_one_goes_first) {
  push_all(3);
  EXPECT_EQ(&nursery.pop(), &tasks[2]);
  nursery.push(tasks[3]);
  EXPECT_EQ(&nursery.pop(), &tasks[3]);
  EXPECT_EQ(&nursery.pop(), &tasks[1]);
  EXPECT_EQ(nursery.size(), 1U);
  EXPECT_EQ(&nursery.pop(), &tasks[0]);
  EXPECT_TRUE(nursery.is_empty());
}

TEST_F(NurseryTest, each_61st_turn_is_that_of_the_one_that_has_waited_longest) {
  push_all(2);
  for (std::size_t oldest = 0; oldest < 2; ++oldest) {
    for (int turn = 1; turn < 61; ++turn) {
      nursery.push(tasks[50]);
      ASSERT_EQ(&nursery.pop(), &tasks[50]) << "turn " << turn;
    }
    nursery.push(tasks[50]);
    ASSERT_EQ(&nursery.pop(), &tasks[oldest]);
  }
}

TEST_F(NurseryTest, a_thief_takes_the_older_half_and_what_it_has_room_for) {
  push_all(7);
  std::array<int*, 8> batch{};
  ASSERT_EQ(nursery.take(batch), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch[i], &tasks[i]);
  ASSERT_EQ(nursery.take(std::span(batch).first(1)), 1U);
  EXPECT_EQ(batch[0], &tasks[4]);
  EXPECT_EQ(nursery.take(batch), 1U);
  EXPECT_EQ(nursery.take(batch), 1U);
  EXPECT_EQ(nursery.take(batch), 0U);
}

}  // namespace
}  // namespace airssys::rt::scheduler::nursery_test
