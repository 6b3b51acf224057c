// run_next_test.cpp: one place, and how long a thief waits for it.
//
// Aim: what put, take and steal answer; then that with real threads each task leaves once. Every
// interleaving of few steps is explored in tests/model/run_next_model.cpp.
#include "scheduler/run_next.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::run_next_test {
namespace {

struct Task {
  int taken = 0;  // plain: whoever takes the task sees what was written before
};

struct RunNextTest : testing::Test {
  static constexpr std::int64_t patience_ns = 100;
  Task a;
  Task b;
  RunNext<Task> slot;
  RunNext<Task>::Sighting sighting;
};

TEST_F(RunNextTest, holds_one_task_for_its_owner) {
  EXPECT_TRUE(slot.is_empty());
  EXPECT_EQ(slot.take(), nullptr);
  EXPECT_EQ(slot.put(a), nullptr);
  EXPECT_FALSE(slot.is_empty());
  EXPECT_EQ(slot.take(), &a);
  EXPECT_EQ(slot.take(), nullptr);
}

TEST_F(RunNextTest, a_second_task_displaces_the_first) {
  EXPECT_EQ(slot.put(a), nullptr);
  EXPECT_EQ(slot.put(b), &a);
  EXPECT_EQ(slot.take(), &b);
}

TEST_F(RunNextTest, a_thief_takes_only_what_it_has_seen_standing_for_long) {
  EXPECT_EQ(slot.put(a), nullptr);
  EXPECT_EQ(slot.steal(sighting, 1000, patience_ns), nullptr);
  EXPECT_EQ(slot.steal(sighting, 1099, patience_ns), nullptr);
  EXPECT_EQ(slot.steal(sighting, 1100, patience_ns), &a);
  EXPECT_TRUE(slot.is_empty());
  EXPECT_EQ(slot.steal(sighting, 1200, patience_ns), nullptr);
}

TEST_F(RunNextTest, after_a_theft_tasks_stand_in_the_open_for_a_while) {
  std::int64_t now = 0;
  const auto steal = [&] {
    static_cast<void>(slot.steal(sighting, now, patience_ns));
    now += patience_ns;
    return slot.steal(sighting, now, patience_ns);
  };
  EXPECT_EQ(slot.put(a), nullptr);
  EXPECT_EQ(steal(), &a);
  for (int turn = 0; turn < 100; ++turn) {
    EXPECT_EQ(slot.put(a), nullptr);
    EXPECT_EQ(slot.put(b), &a);
    EXPECT_FALSE(slot.is_empty());
    if (turn % 3 == 0) {
      EXPECT_EQ(steal(), &b);
      EXPECT_TRUE(slot.is_empty());
      EXPECT_EQ(slot.take(), nullptr);
    } else {
      EXPECT_EQ(slot.take(), &b);
    }
  }
  for (int turn = 0; turn < 100; ++turn) {
    EXPECT_EQ(slot.put(b), nullptr);
    EXPECT_EQ(slot.take(), &b);
  }
}

TEST_F(RunNextTest, tasks_that_take_turns_never_look_old) {
  for (std::int64_t now = 0; now < 1000; now += 50) {
    EXPECT_EQ(slot.put(a), nullptr);
    EXPECT_EQ(slot.steal(sighting, now, patience_ns), nullptr);
    EXPECT_EQ(slot.take(), &a);
  }
}

TEST(RunNextStressTest, each_task_leaves_once) {
  const std::size_t count = support::stress_size(100'000);
  std::vector<Task> tasks(count);
  RunNext<Task> slot;
  std::atomic<bool> done{false};
  std::vector<std::thread> thieves;
  for (int thief = 0; thief < 2; ++thief) {
    thieves.emplace_back([&] {
      RunNext<Task>::Sighting sighting;
      while (!done.load()) {
        if (Task* task = slot.steal(sighting, 0, 0)) ++task->taken;
      }
    });
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (Task* displaced = slot.put(tasks[i])) ++displaced->taken;
    if (i % 2 == 0) continue;
    if (Task* task = slot.take()) ++task->taken;
  }
  if (Task* task = slot.take()) ++task->taken;
  done.store(true);
  for (std::thread& thief : thieves) thief.join();
  for (const Task& task : tasks) ASSERT_EQ(task.taken, 1);
}

}  // namespace
}  // namespace airssys::rt::scheduler::run_next_test
