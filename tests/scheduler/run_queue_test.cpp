// run_queue_test.cpp: a ring, its edges, and thieves.
//
// Aim: order, the full and the wrapped ring, what thieves take; then that with real
// threads each task is taken once. Every interleaving of few steps is explored in
// tests/model/run_queue_model.cpp.
#include "scheduler/run_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::run_queue_test {
namespace {

struct Task {
  std::size_t number = 0;
  int taken = 0;  // plain: whoever takes the task sees what was written before
};

struct RunQueueTest : testing::Test {
  RunQueueTest() {
    for (std::size_t i = 0; i < tasks.size(); ++i) tasks[i].number = i;
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(queue.push(tasks[pushed++]));
  }
  std::array<Task, 1000> tasks;
  std::size_t pushed = 0;
  RunQueue<Task, 8> queue;
  RunQueue<Task, 8> other;
};

TEST_F(RunQueueTest, gives_what_came_first) {
  fill(3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(queue.pop(), &tasks[i]);
  EXPECT_EQ(queue.pop(), nullptr);
}

TEST_F(RunQueueTest, refuses_what_does_not_fit) {
  fill(8);
  EXPECT_FALSE(queue.push(tasks[8]));
  EXPECT_EQ(queue.size(), 8U);
  EXPECT_EQ(queue.pop(), &tasks[0]);
  EXPECT_TRUE(queue.push(tasks[8]));
}

TEST_F(RunQueueTest, goes_round_and_round) {
  fill(5);
  for (std::size_t i = 0; i < 900; ++i) {
    ASSERT_EQ(queue.pop(), &tasks[i]);
    fill(1);
  }
  EXPECT_EQ(queue.size(), 5U);
}

TEST_F(RunQueueTest, a_thief_takes_the_older_half_rounded_up) {
  fill(5);
  EXPECT_EQ(queue.steal_into(other), &tasks[0]);
  EXPECT_EQ(other.pop(), &tasks[1]);
  EXPECT_EQ(other.pop(), &tasks[2]);
  EXPECT_EQ(other.pop(), nullptr);
  EXPECT_EQ(queue.pop(), &tasks[3]);
}

TEST_F(RunQueueTest, a_thief_gets_a_single_task_to_run_at_once) {
  fill(1);
  EXPECT_EQ(queue.steal_into(other), &tasks[0]);
  EXPECT_TRUE(other.is_empty());
  EXPECT_EQ(queue.steal_into(other), nullptr);
}

TEST_F(RunQueueTest, a_thief_with_work_of_its_own_takes_what_it_has_room_for_of_the_older_half) {
  fill(8);
  std::array<Task*, 8> batch{};
  EXPECT_EQ(queue.take(std::span(batch).first(1)), 1U);
  EXPECT_EQ(batch[0], &tasks[0]);
  EXPECT_EQ(queue.take(batch), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch[i], &tasks[1 + i]);
  EXPECT_EQ(queue.pop(), &tasks[5]);
}

TEST_F(RunQueueTest, says_how_many_wait) {
  EXPECT_TRUE(queue.is_empty());
  fill(3);
  EXPECT_FALSE(queue.is_empty());
  EXPECT_EQ(queue.size(), 3U);
}

using RunQueueDeathTest = RunQueueTest;

TEST_F(RunQueueDeathTest, a_thief_with_work_of_its_own_is_noticed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  fill(2);
  ASSERT_TRUE(other.push(tasks[5]));
  EXPECT_DEATH((void)queue.steal_into(other), "W2");
}

// An owner that pushes and pops against two thieves who also rob each other.
TEST(RunQueueStressTest, each_task_is_taken_once_whoever_takes_it) {
  constexpr std::size_t thieves = 2;
  const std::size_t count = support::stress_size(100'000);
  std::vector<Task> tasks(count);
  using Queue = RunQueue<Task, 16>;
  std::array<Queue, thieves + 1> queues;  // the last is the owner's
  std::atomic<std::size_t> taken{0};
  const auto run = [&](Task* task) {
    if (task == nullptr) return;
    ++task->taken;
    taken.fetch_add(1);
  };

  std::vector<std::thread> threads;
  for (std::size_t thief = 0; thief < thieves; ++thief) {
    threads.emplace_back([&, thief] {
      while (taken.load() < count) {
        const std::size_t victim = (thief + 1) % queues.size();
        Task* stolen = queues[victim].steal_into(queues[thief]);
        if (stolen == nullptr) stolen = queues[thieves].steal_into(queues[thief]);
        if (stolen == nullptr) std::this_thread::yield();
        run(stolen);
        std::array<Task*, 3> some{};
        const std::uint32_t got = queues[thieves].take(some);
        for (std::uint32_t i = 0; i < got; ++i) run(some[i]);
        while (Task* task = queues[thief].pop()) run(task);
      }
    });
  }
  Queue& own = queues[thieves];
  for (std::size_t i = 0; i < count; ++i) {
    ++tasks[i].number;  // the owner's write, which whoever takes the task has to see
    if (!own.push(tasks[i])) {
      run(own.pop());
      ASSERT_TRUE(own.push(tasks[i]));
    }
    if (i % 3 == 0) run(own.pop());
  }
  while (taken.load() < count) run(own.pop());
  for (std::thread& thread : threads) thread.join();
  for (const Task& task : tasks) ASSERT_EQ(task.taken, 1);
}

}  // namespace
}  // namespace airssys::rt::scheduler::run_queue_test
