// child_table_test.cpp: children keep their order, and are found by what names them now.
// Method: made-up pids.
#include "supervision/child_table.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace airssys::rt::supervision::child_table_test {
namespace {

ChildSpec named(std::string id) {
  ChildSpec spec;
  spec.id = std::move(id);
  return spec;
}

std::vector<std::string> ids(ChildTable& table) {
  std::vector<std::string> ids;
  for (const Child& child : table) ids.push_back(child.spec.id);
  return ids;
}

TEST(ChildTable, children_stand_in_the_order_in_which_they_were_added) {
  ChildTable table;
  for (const char* id : {"one", "two", "three"}) table.add(named(id));
  EXPECT_EQ(ids(table), (std::vector<std::string>{"one", "two", "three"}));
  table.remove(table.find("two"));
  table.add(named("two"));
  EXPECT_EQ(ids(table), (std::vector<std::string>{"one", "three", "two"}));
  EXPECT_EQ(table.size(), 3U);
}

TEST(ChildTable, a_child_is_found_by_its_pid_exactly_while_it_runs) {
  ChildTable table;
  auto child = table.add(named("a"));
  EXPECT_EQ(child->state, ChildState::stopped);
  table.set_running(child, Pid(1, 1));
  EXPECT_EQ(table.find(Pid(1, 1)), child);
  table.set_running(child, Pid(2, 1));
  EXPECT_EQ(table.find(Pid(1, 1)), table.end()) << "the old incarnation is nobody";
  EXPECT_EQ(table.find(Pid(2, 1)), child);
  table.set_stopped(child);
  EXPECT_EQ(table.find(Pid(2, 1)), table.end());
  EXPECT_EQ(table.find("a"), child);
}

TEST(ChildTable, each_attempt_to_restart_has_a_number_of_its_own) {
  ChildTable table;
  auto a = table.add(named("a"));
  auto b = table.add(named("b"));
  std::uint64_t first = table.set_restarting(a);
  EXPECT_EQ(a->state, ChildState::restarting);
  EXPECT_NE(table.set_restarting(b), first);
  EXPECT_NE(table.set_restarting(a), first);
}

TEST(ChildTable, a_removed_child_is_found_by_nothing) {
  ChildTable table;
  auto child = table.add(named("a"));
  table.set_running(child, Pid(1, 1));
  table.remove(child);
  EXPECT_EQ(table.find("a"), table.end());
  EXPECT_EQ(table.find(Pid(1, 1)), table.end());
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace airssys::rt::supervision::child_table_test
