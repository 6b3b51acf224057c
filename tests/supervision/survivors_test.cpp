// survivors_test.cpp: who belongs to a tree, and what is said of each.
// Method: lists of processes as they might look from outside.
#include "supervision/survivors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace airssys::rt::supervision {
namespace {

Pid pid(std::uint32_t slot) {
  return {slot, 1};
}
ProcessInfo process(std::uint32_t slot, std::uint32_t parent) {
  ProcessInfo info;
  info.pid = pid(slot);
  if (parent != 0) info.parent = pid(parent);
  return info;
}
std::vector<std::uint32_t> slots(const std::vector<ProcessInfo>& processes) {
  std::vector<std::uint32_t> slots;
  for (const ProcessInfo& each : processes) slots.push_back(each.pid.slot());
  return slots;
}

TEST(Survivors, a_tree_is_its_root_and_all_that_descends_from_it) {
  const std::vector<ProcessInfo> all = {
      process(5, 4), process(1, 0), process(4, 2), process(3, 1), process(2, 1), process(6, 3)};
  EXPECT_EQ(slots(tree_of(all, pid(2))), (std::vector<std::uint32_t>{2, 4, 5}));
  EXPECT_EQ(slots(tree_of(all, pid(1))), (std::vector<std::uint32_t>{1, 3, 2, 6, 4, 5}));
  EXPECT_EQ(slots(tree_of(all, pid(6))), (std::vector<std::uint32_t>{6}));
}

TEST(Survivors, the_children_of_a_root_that_is_gone_are_still_there) {
  EXPECT_EQ(slots(tree_of({process(2, 1), process(3, 2), process(7, 0)}, pid(1))),
            (std::vector<std::uint32_t>{2, 3}));
  EXPECT_TRUE(tree_of({process(7, 0)}, pid(1)).empty());
}

TEST(Survivors, each_says_who_it_is_and_what_it_waits_for) {
  ProcessInfo disk = process(9, 1);
  disk.name = "disk";
  ProcessInfo store = process(7, 1);
  store.name = "store";
  store.code = "Store";
  store.state = ProcessState::waiting;
  store.wait_reason = "reply";
  store.waits_for = disk.pid;
  store.message_queue_len = 3;
  EXPECT_EQ(describe(store, {disk, store}),
            R"(<0.7.1> "store" Store: waits for reply from <0.9.1> "disk", 3 messages)");
  EXPECT_EQ(describe(store, {store}),
            R"(<0.7.1> "store" Store: waits for reply from <0.9.1>, 3 messages)");
  EXPECT_EQ(describe(disk, {disk}), R"(<0.9.1> "disk": runs code, or is about to)");
  ProcessInfo ending = process(8, 1);
  ending.state = ProcessState::exiting;
  ending.message_queue_len = 1;
  EXPECT_EQ(describe(ending, {}), "<0.8.1>: exiting, 1 message");
}

}  // namespace
}  // namespace airssys::rt::supervision
