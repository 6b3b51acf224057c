// level_queue_test.cpp: order and size, also of what does not fit the ring and of newborns behind a
// long line; and a thief beside.
#include "scheduler/level_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::level_queue_test {
namespace {

struct Task {
  std::size_t number = 0;
  int taken = 0;  // plain: whoever takes the task sees what was written before
};
using Ring = RunQueue<Task, 8>;

struct LevelQueueTest : testing::Test {
  LevelQueueTest() {
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].number = i;
  }
  static void drain(LevelQueue<Task, Ring>& queue) {
    while (queue.pop() != nullptr) {
    }
  }
  std::array<Task, 100> tasks;
  LevelQueue<Task, Ring> queue;
};

TEST_F(LevelQueueTest, gives_what_came_first_however_many_they_are) {
  std::size_t popped = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    queue.push(tasks[i]);
    if (i % 4 == 3) {
      ASSERT_EQ(queue.pop(), &tasks[popped++]);
    }
  }
  EXPECT_EQ(queue.size(), 75U);
  while (popped < tasks.size()) ASSERT_EQ(queue.pop(), &tasks[popped++]);
  EXPECT_EQ(queue.pop(), nullptr);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(LevelQueueTest, who_comes_again_goes_behind_what_did_not_fit) {
  for (std::size_t i = 0; i < 20; ++i) queue.push(tasks[i]);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 20; ++i) {
      Task* task = queue.pop();
      ASSERT_EQ(task, &tasks[i]);
      queue.push(*task);
    }
  }
}

TEST_F(LevelQueueTest, what_a_thief_takes_makes_room_for_the_next) {
  for (std::size_t i = 0; i < 20; ++i) queue.push(tasks[i]);
  std::array<Task*, Ring::batch_max> batch{};
  ASSERT_EQ(queue.take(batch), 4U);
  EXPECT_EQ(queue.size(), 16U);
  queue.push(tasks[20]);
  EXPECT_EQ(queue.take(batch), 4U);
  EXPECT_EQ(batch[0], &tasks[4]);
  for (std::size_t i = 8; i <= 20; ++i) ASSERT_EQ(queue.pop(), &tasks[i]);
}

TEST_F(LevelQueueTest, thieves_reach_all_of_it_in_order) {
  for (std::size_t i = 0; i < 40; ++i) queue.push(tasks[i]);
  std::size_t taken = 0;
  while (queue.size() != 0) {
    std::array<Task*, 3> batch{};
    const std::uint32_t got = queue.take(batch);
    for (std::uint32_t i = 0; i < got; ++i) ASSERT_EQ(batch[i], &tasks[taken++]);
  }
  EXPECT_EQ(taken, 40U);
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST_F(LevelQueueTest, who_is_out_of_work_gets_half_of_what_does_not_fit) {
  LevelQueue<Task, Ring> mine;
  for (std::size_t i = 0; i < 14; ++i) queue.push(tasks[i]);
  while (queue.size() > 6) {
    ASSERT_NE(queue.steal_into(mine), nullptr);
    drain(mine);
  }
  EXPECT_EQ(queue.steal_into(mine), &tasks[8]);
  EXPECT_EQ(mine.pop(), &tasks[9]);
  EXPECT_EQ(mine.pop(), &tasks[10]);
  EXPECT_EQ(mine.pop(), nullptr);
  EXPECT_EQ(queue.pop(), &tasks[11]);
}

// The ring has 8 places, and newborns find 24 in the rest at most.
constexpr std::size_t in_line = 32;

TEST_F(LevelQueueTest, newborns_wait_in_line_while_it_is_short) {
  for (std::size_t i = 0; i < in_line; ++i) queue.push_newborn(tasks[i]);
  for (std::size_t i = 0; i < in_line; ++i) ASSERT_EQ(queue.pop(), &tasks[i]);
}

TEST_F(LevelQueueTest, behind_a_long_line_the_last_newborn_has_every_other_turn) {
  for (std::size_t i = 0; i < in_line + 10; ++i) queue.push_newborn(tasks[i]);
  EXPECT_EQ(queue.size(), in_line + 10);
  queue.push(tasks[60]);  // who is no newborn has its place in the line
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_EQ(queue.pop(), &tasks[in_line + 9 - i]);
    ASSERT_EQ(queue.pop(), &tasks[i]);
  }
  for (std::size_t i = 10; i < in_line; ++i) ASSERT_EQ(queue.pop(), &tasks[i]);
  EXPECT_EQ(queue.pop(), &tasks[60]);
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST_F(LevelQueueTest, newborns_and_who_comes_again_and_again_take_turns) {
  for (std::size_t i = 0; i < in_line + 10; ++i) queue.push_newborn(tasks[i]);
  std::size_t newborns = 0;
  for (std::size_t turn = 0; turn < 20; ++turn) {
    Task* task = queue.pop();
    if (task->number >= in_line)
      ++newborns;
    else
      queue.push(*task);
  }
  EXPECT_EQ(newborns, 10U);
  EXPECT_EQ(queue.taken(), 20U) << "thieves judge its pace by it";
}

TEST_F(LevelQueueTest, a_newborn_has_its_turn_though_more_are_born_all_the_time) {
  for (std::size_t i = 0; i <= in_line; ++i) queue.push_newborn(tasks[i]);
  Task& first = tasks[in_line];
  Task& another = tasks[in_line + 1];
  std::size_t turns = 0;
  for (Task* task = nullptr; task != &first && turns < 1000; ++turns) {
    queue.push_newborn(another);
    task = queue.pop();
  }
  EXPECT_LE(turns, in_line + 61);
}

TEST_F(LevelQueueTest, thieves_take_the_oldest_newborns_last) {
  LevelQueue<Task, Ring> mine;
  for (std::size_t i = 0; i < in_line + 8; ++i) queue.push_newborn(tasks[i]);
  std::array<Task*, Ring::batch_max> batch{};
  for (std::size_t taken = 0; taken < in_line;) taken += queue.take(batch);
  ASSERT_EQ(queue.size(), 8U);
  EXPECT_EQ(queue.take(std::span(batch).first(2)), 2U);
  EXPECT_EQ(batch[0], &tasks[in_line]);
  EXPECT_EQ(batch[1], &tasks[in_line + 1]);
  EXPECT_EQ(queue.steal_into(mine), &tasks[in_line + 2]);
  EXPECT_EQ(mine.size(), 2U);
  EXPECT_EQ(mine.pop(), &tasks[in_line + 4]);  // still newborns: the last one first
  EXPECT_EQ(queue.size(), 3U);
}

TEST(LevelQueueStressTest, each_task_is_taken_once_and_none_stays_behind) {
  const std::size_t count = support::stress_size(100'000);
  std::vector<Task> tasks(count);
  LevelQueue<Task, Ring> queue;
  std::atomic<std::size_t> taken{0};
  const auto run = [&](Task* task) {
    if (task == nullptr) return;
    ++task->taken;
    taken.fetch_add(1);
  };
  std::thread thief([&] {
    LevelQueue<Task, Ring> mine;
    while (taken.load() < count) {
      std::array<Task*, 3> some{};
      const std::uint32_t got = queue.take(some);
      for (std::uint32_t i = 0; i < got; ++i) run(some[i]);
      run(queue.steal_into(mine));
      while (Task* task = mine.pop()) run(task);
      if (got == 0) std::this_thread::yield();
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    ++tasks[i].number;  // the owner's write, which whoever takes the task has to see
    i % 2 == 0 ? queue.push(tasks[i]) : queue.push_newborn(tasks[i]);
    if (i % 3 == 0) run(queue.pop());
  }
  while (Task* task = queue.pop()) run(task);
  thief.join();
  EXPECT_EQ(taken.load(), count);
  for (const Task& task : tasks) ASSERT_EQ(task.taken, 1);
}

}  // namespace
}  // namespace airssys::rt::scheduler::level_queue_test
