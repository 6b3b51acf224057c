// pid_test.cpp: pids as values: parts, printing, comparing.
//
// Plain values: no runtime is started.
#include <gtest/gtest.h>
#include <airssys/rt/pid.hpp>
#include <unordered_set>

namespace airssys::rt::pid_test {
namespace {

TEST(Pid, is_made_of_its_parts) {
  const Pid pid(123456, 789);
  EXPECT_EQ(pid.node(), 0U);
  EXPECT_EQ(pid.slot(), 123456U);
  EXPECT_EQ(pid.generation(), 789U);
  EXPECT_EQ(Pid::from_bits(pid.bits()), pid);
}

TEST(Pid, prints_as_node_slot_generation) {
  EXPECT_EQ(Pid(7, 3).to_string(), "<0.7.3>");
  EXPECT_EQ(Pid().to_string(), "<0.0.0>");
}

TEST(Pid, a_generation_never_spills_into_the_slot) {
  const Pid pid(1, 0xFFFF'FFFF);
  EXPECT_EQ(pid.slot(), 1U);
  EXPECT_EQ(pid.generation(), (1U << Pid::generation_bits) - 1);
}

TEST(Pid, names_nobody_by_default) {
  EXPECT_FALSE(Pid());
  EXPECT_TRUE(Pid(0, 1));
}

TEST(Pid, generations_of_one_slot_differ) {
  EXPECT_NE(Pid(5, 1), Pid(5, 2));
  const std::unordered_set<Pid> pids{Pid(5, 1), Pid(5, 2), Pid(5, 1)};
  EXPECT_EQ(pids.size(), 2U);
}

}  // namespace
}  // namespace airssys::rt::pid_test
