// hold_test.cpp: who is held waits in its handler, and nobody else does. Method: the handler's
// function on a plain thread. Every interleaving is explored in tests/model/hold_model.cpp.
#include "scheduler/hold.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace airssys::rt::scheduler::hold_test {
namespace {

TEST(Hold, only_a_thread_that_is_losing_its_scheduler_can_be_held) {
  Hold hold;
  EXPECT_TRUE(hold.is_home());
  EXPECT_FALSE(hold.hold());
  hold.begin();
  EXPECT_FALSE(hold.is_home());
  EXPECT_TRUE(hold.hold());
  EXPECT_FALSE(hold.hold()) << "it is held already";
  EXPECT_TRUE(hold.is_held());
}

TEST(Hold, who_comes_home_is_not_held_any_more) {
  Hold hold;
  hold.begin();
  EXPECT_TRUE(hold.come_home()) << "it ran in its turn";
  hold.begin();
  ASSERT_TRUE(hold.hold());
  EXPECT_FALSE(hold.come_home());
  EXPECT_TRUE(hold.is_home());
  EXPECT_FALSE(hold.let_go());
}

TEST(Hold, a_signal_that_comes_late_holds_nobody) {
  Hold hold;
  hold.wait_for_turn(true);
  hold.begin();
  hold.wait_for_turn(true);
  ASSERT_TRUE(hold.hold());
  EXPECT_TRUE(hold.let_go());
  hold.wait_for_turn(true);
}

// Invariant H1.
TEST(Hold, a_signal_in_the_middle_of_the_runtime_holds_nobody) {
  Hold hold;
  hold.begin();
  ASSERT_TRUE(hold.hold());
  hold.wait_for_turn(false);
  EXPECT_TRUE(hold.is_held());
}

// Invariant H3.
TEST(Hold, who_is_let_go_goes_on) {
  Hold hold;
  hold.begin();
  ASSERT_TRUE(hold.hold());
  std::thread handler([&] { hold.wait_for_turn(true); });
  EXPECT_TRUE(hold.let_go());
  handler.join();
}

// Invariant H3.
TEST(Hold, who_was_held_for_nothing_goes_on) {
  Hold hold;
  hold.begin();
  ASSERT_TRUE(hold.hold());
  std::thread handler([&] { hold.wait_for_turn(true); });
  hold.give_up();
  handler.join();
  EXPECT_TRUE(hold.is_home());
}

using HoldDeathTest = testing::Test;

TEST_F(HoldDeathTest, beginning_twice_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Hold hold;
  hold.begin();
  EXPECT_DEATH(hold.begin(), "H2");
}

}  // namespace
}  // namespace airssys::rt::scheduler::hold_test
