// monitor_test.cpp: a scheduler is taken from a thread that is stuck in one task's code. Method: on
// one scheduler a task never comes back until another one, queued behind it, has run: without a
// hand-over the test never ends.
#include "scheduler/monitor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <atomic>
#include <vector>

#include "tests/scheduler/jobs.hpp"

namespace airssys::rt::scheduler::testing {
namespace {

std::uint64_t hand_overs(Pool& pool) {
  return pool.scheduler(0).counters.hand_overs.read();
}

TEST(Monitor, a_hog_loses_its_scheduler_and_ends_as_if_nothing_had_happened) {
  std::atomic<bool> released{false};
  Jobs jobs(1);
  jobs.start([&] {
    while (!released.load(std::memory_order_relaxed)) {
    }
  });
  jobs.start([&] { released = true; });
  jobs.wait();
  EXPECT_GE(hand_overs(jobs.pool), 1U);
}

// D21
TEST(Monitor, a_blocking_call_that_nobody_announced_loses_it_too) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  Jobs jobs(1);
  jobs.start([&] {
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
  });
  jobs.start([&] { EXPECT_EQ(write(ends[1], "x", 1), 1); });
  jobs.wait();
  EXPECT_GE(hand_overs(jobs.pool), 1U);
  close(ends[0]);
  close(ends[1]);
}

TEST(Monitor, many_hogs_in_a_row_leave_a_scheduler_for_who_comes_behind_them) {
  std::atomic<bool> released{false};
  Jobs jobs(1);
  for (int i = 0; i < 6; ++i) {
    jobs.start([&] {
      while (!released.load(std::memory_order_relaxed)) {
      }
    });
  }
  jobs.start([&] { released = true; });
  jobs.wait();
  EXPECT_GE(hand_overs(jobs.pool), 6U);
}

// Each job that rests keeps a stack. What may stay warm: the depot's share, and the schedulers'
// piles.
TEST(Monitor, stacks_of_a_peak_are_given_back_when_all_schedulers_sleep) {
  constexpr std::size_t peak = 1000;
  constexpr std::size_t stay_warm = 256 + 2 * 64 + 2;
  Jobs jobs(2);
  std::vector<Work*> resting;
  for (std::size_t i = 0; i < peak; ++i) {
    resting.push_back(&jobs.start([] {
      Thread::enter();
      rest();
      Thread::current()->leave();
    }));
  }
  for (Work* work : resting) {
    while (work->word != Work::resting) std::this_thread::yield();
  }
  EXPECT_GE(jobs.pool.stacks.stacks(), peak);
  EXPECT_EQ(jobs.pool.stacks.cold(), 0U);
  for (Work* work : resting) wake(jobs.pool, *work);
  jobs.wait();
  while (jobs.pool.stacks.cold() < jobs.pool.stacks.stacks() - stay_warm) std::this_thread::yield();
}

}  // namespace
}  // namespace airssys::rt::scheduler::testing
