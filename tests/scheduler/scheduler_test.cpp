// scheduler_test.cpp: who runs next, step by step: schedulers that no thread drives, in the test's
// hands.
#include "scheduler/scheduler.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "scheduler/pool.hpp"

namespace airssys::rt::scheduler::scheduler_test {
namespace {

constexpr std::int64_t period_ns = 10'000'000;  // between two balances

struct SchedulerTest : testing::Test {
  Task& add(Scheduler& scheduler, Level level = Level::normal) {
    Task& task = tasks[used++];
    task.level = level;
    scheduler.push(task);
    return task;
  }
  // Its turn, all of its slice: behind it the task is queued again.
  Task* run_one(Scheduler& scheduler) {
    Task* task = scheduler.pick();
    if (task == nullptr) return nullptr;
    scheduler.reductions = 0;
    scheduler.push(*task);
    return task;
  }
  void balance() { one.balance(now_ns += period_ns); }

  Pool pool{{.schedulers = 2, .clock = &base::steady_clock()}};
  Scheduler& one = pool.scheduler(0);
  Scheduler& other = pool.scheduler(1);
  std::array<Task, 1000> tasks{};
  std::size_t used = 0;
  std::int64_t now_ns = 0;
};

// D2, D3
TEST_F(SchedulerTest, all_of_a_level_have_their_turns_one_after_the_other) {
  for (const Level level : {Level::low, Level::normal, Level::high, Level::max}) {
    std::vector<Task*> added;
    for (int i = 0; i < 200; ++i) added.push_back(&add(other, level));
    for (int round = 0; round < 3; ++round)
      for (Task* task : added) ASSERT_EQ(run_one(other), task);
    for (Task* task : added) ASSERT_EQ(other.pick(), task);
    ASSERT_EQ(other.pick(), nullptr);
  }
}

// D7
TEST_F(SchedulerTest, each_low_task_has_an_eighth_of_each_normal_ones_turns_however_many_they_are) {
  for (const auto& [normals, lows] : {std::pair(1, 1),
                                      std::pair(2, 1),
                                      std::pair(1, 5),
                                      std::pair(300, 7),
                                      std::pair(7, 300),
                                      std::pair(300, 300)}) {
    std::map<Task*, int> turns;
    for (int i = 0; i < normals; ++i) turns[&add(one)] = 0;
    for (int i = 0; i < lows; ++i) turns[&add(one, Level::low)] = 0;
    constexpr int rounds = 40;
    for (int i = 0; i < rounds * (8 * normals + lows); ++i) ++turns[run_one(one)];
    for (const auto& [task, count] : turns)
      ASSERT_NEAR(count, task->level == Level::low ? rounds : 8 * rounds, 9);
    while (one.pick() != nullptr) {
    }
    used = 0;
  }
}

// Who goes to bed leaves to others what they come to.
TEST_F(SchedulerTest, what_waits_stands_where_no_turn_of_its_kind_ends) {
  EXPECT_FALSE(pool.does_anything_stand());
  add(other);
  add(other);  // so that one waits while the other has its turn
  EXPECT_TRUE(pool.does_anything_stand());
  {
    const std::jthread busy([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) run_one(other);
    });
    while (pool.does_anything_stand()) std::this_thread::yield();
  }
  EXPECT_TRUE(pool.does_anything_stand());
  add(other, Level::high);
  const std::jthread urgent([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) run_one(other);
  });
  // Not each time: a look between the two counts of an urgent turn takes it for another level's.
  int looks = 0;
  for (int i = 0; i < 1000; ++i) looks += pool.does_anything_stand() ? 1 : 0;
  EXPECT_GE(looks, 100) << "below high";
}

// D6, D8
TEST_F(SchedulerTest, what_comes_from_outside_joins_its_level_at_once) {
  add(one);
  Task& high = add(one, Level::high);
  std::array<Task, 3> injected{};
  injected[0].level = Level::normal;
  injected[1].level = Level::high;
  injected[2].level = Level::max;
  for (Task& task : injected) pool.inject(task);
  EXPECT_EQ(one.pick(), &injected[2]);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(run_one(one)->level, Level::high);
  EXPECT_EQ(one.pick(), &high);
  EXPECT_EQ(one.pick(), &injected[1]);
  EXPECT_EQ(one.pick(), &tasks[0]);
  EXPECT_EQ(one.pick(), &injected[0]);
  EXPECT_EQ(one.pick(), nullptr);
}

// D6, D16
TEST_F(SchedulerTest, what_comes_home_joins_its_level_at_once) {
  for (int i = 0; i < 5; ++i) add(one);
  Task& pinned = add(other, Level::high);
  pinned.pinned_to = 1;
  EXPECT_EQ(other.pick(), nullptr);
  EXPECT_EQ(one.pick(), &pinned);
}

// D9
TEST_F(SchedulerTest, who_is_asked_for_is_queued_at_the_level_of_who_asks) {
  add(one);
  Task& low = tasks[used++];
  low.level = Level::low;
  ask(pool.asked, low, Level::high);
  one.push(low);
  EXPECT_EQ(one.pick(), &low);
  answered(pool.asked, low);
}

// D9
TEST_F(SchedulerTest, who_is_asked_for_when_it_is_taken_in_runs_at_that_level) {
  Task& injected = tasks[used++];
  injected.level = Level::normal;
  pool.inject(injected);
  ask(pool.asked, injected, Level::max);
  EXPECT_EQ(one.pick(), &injected);

  Task& next = tasks[used++];
  next.level = Level::normal;
  one.push_next(next);
  ask(pool.asked, next, Level::high);
  one.reductions = 0;
  EXPECT_EQ(one.pick(), &next);
  EXPECT_EQ(one.pick(), nullptr);
  for (Task* task : {&injected, &next}) answered(pool.asked, *task);
}

// D14
TEST_F(SchedulerTest, of_two_that_are_busy_the_one_with_fewer_takes_over_until_they_are_even) {
  for (int i = 0; i < 10; ++i) add(one);
  for (int i = 0; i < 400; ++i) add(other);
  for (int i = 0; i < 5; ++i) {
    run_one(other);  // it comes to them
    balance();
  }
  EXPECT_EQ(one.queued(), 205U);
  EXPECT_EQ(other.queued(), 205U);
  other.balance(now_ns);
  EXPECT_EQ(one.queued(), 205U);
}

// D14
TEST_F(SchedulerTest, each_level_is_evened_out_for_itself) {
  for (int i = 0; i < 8; ++i) add(one, Level::low);
  for (int i = 0; i < 8; ++i) add(other);
  run_one(other);
  balance();
  EXPECT_EQ(one.queued(), 12U);
  run_one(one);
  other.balance(now_ns);
  EXPECT_EQ(one.queued(), 8U);
  EXPECT_EQ(other.queued(), 8U);
}

// D8
TEST_F(SchedulerTest, what_a_busy_one_does_not_come_to_is_taken_over_by_one_that_has_more) {
  for (int i = 0; i < 8; ++i) add(one);
  add(other);
  add(other, Level::high);
  run_one(other);
  balance();
  EXPECT_EQ(other.queued(), 2U);  // it may come to it yet
  run_one(other);
  balance();
  EXPECT_EQ(other.queued(), 1U);
  EXPECT_EQ(one.queued(), 9U);
}

// D8
TEST_F(SchedulerTest, who_does_not_come_to_a_level_takes_nothing_over_for_it) {
  add(one, Level::high);
  for (int i = 0; i < 8; ++i) add(other);
  run_one(one);
  run_one(other);
  balance();
  EXPECT_EQ(one.queued(), 1U);
}

// D16
TEST_F(SchedulerTest, what_is_pinned_stays_at_home) {
  add(one);
  for (int i = 0; i < 8; ++i) add(other).pinned_to = 2;
  run_one(other);
  balance();
  EXPECT_EQ(one.queued(), 1U);
  EXPECT_EQ(other.queued(), 8U);
}

}  // namespace
}  // namespace airssys::rt::scheduler::scheduler_test
