// thread_test.cpp: the loop of a thread: tasks run, rest, wake and give way. Method: jobs that
// count what happened, on pools with 1, 2 and 4 schedulers; no processes.
#include "scheduler/thread.hpp"

#include <gtest/gtest.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

#include "tests/scheduler/jobs.hpp"

namespace airssys::rt::scheduler::thread_test {
namespace {

class Threads : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Schedulers, Threads, ::testing::Values(1U, 2U, 4U));

TEST_P(Threads, every_injected_task_runs_once) {
  std::atomic<int> runs{0};
  {
    Jobs jobs(GetParam());
    for (int i = 0; i < 10'000; ++i) jobs.start([&] { ++runs; });
  }
  EXPECT_EQ(runs, 10'000);
}

TEST_P(Threads, a_resting_task_keeps_its_stack_and_goes_on) {
  std::atomic<int> sum{0};
  Jobs jobs(GetParam());
  std::array<Work*, 200> sleepers{};
  std::atomic<int> begun{0};
  for (int i = 0; i < 200; ++i) {
    sleepers[static_cast<std::size_t>(i)] = &jobs.start([&, i] {
      const int on_the_stack = i;
      Thread::enter();
      ++begun;
      rest();
      Thread::current()->leave();
      sum += on_the_stack;
    });
  }
  while (begun != 200) std::this_thread::yield();
  for (Work* sleeper : sleepers) wake(jobs.pool, *sleeper);
  jobs.wait();
  EXPECT_EQ(sum, 199 * 200 / 2);
}

TEST_P(Threads, two_tasks_that_wake_each_other_lose_no_wake) {
  constexpr int rounds = 20'000;
  Jobs jobs(GetParam());
  std::array<std::atomic<Work*>, 2> players{};
  std::atomic<int> ball{0};
  for (int me : {0, 1}) {
    jobs.start([&, me] {
      const auto mine = static_cast<std::size_t>(me);
      Thread::enter();
      players[mine] = &this_work();
      while (players[1 - mine] == nullptr) Thread::yield();
      for (int round = 0; round < rounds; ++round) {
        while (ball != 2 * round + me) rest();
        ++ball;
        wake(Thread::current()->pool(), *players[1 - mine].load());
      }
      Thread::current()->leave();
    });
  }
  jobs.wait();
  EXPECT_EQ(ball, 2 * rounds);
}

TEST_P(Threads, who_yields_lets_others_run) {
  std::atomic<bool> other_ran{false};
  Jobs jobs(GetParam());
  jobs.start([&] {
    Thread::enter();
    while (!other_ran) Thread::yield();
    Thread::current()->leave();
  });
  jobs.start([&] { other_ran = true; });
  jobs.wait();
  EXPECT_TRUE(other_ran);
}

// All busy from the first to the last, so that nobody ever steals. Without balancing it never ends.
// D14
TEST(Balance, what_one_busy_scheduler_has_too_much_of_goes_to_another) {
  constexpr std::uint32_t many = 360;  // more than a ring holds
  constexpr std::uint32_t few = 40;
  std::atomic<std::uint32_t> at_home{0};
  std::atomic<bool> is_over{false};
  Jobs jobs(2);
  for (std::uint32_t i = 0; i < many + few; ++i) {
    jobs.start([&, i] {
      Thread::enter();
      this_work().pinned_to = i < many ? 1 : 2;
      Thread::yield();
      ++at_home;
      while (at_home != many + few) Thread::yield();
      this_work().pinned_to = 0;
      while (!is_over) Thread::yield();
      Thread::current()->leave();
    });
  }
  while (at_home != many + few) std::this_thread::yield();
  for (const unsigned id : {0U, 1U})
    while (jobs.pool.scheduler(id).queued() < (many + few) / 2 - 10) std::this_thread::yield();
  is_over = true;
}

Pool::Config spinning(unsigned schedulers, std::int64_t spin_ns) {
  Pool::Config config = Jobs::config(schedulers);
  config.spin_ns = spin_ns;
  return config;
}

TEST_P(Threads, of_those_who_spin_for_ever_one_stays_awake) {
  Jobs jobs(spinning(GetParam(), std::numeric_limits<std::int64_t>::max()));
  for (int round = 0; round < 100; ++round) {
    Work& work = jobs.start([] {});
    while (!work.is_done) EXPECT_LT(jobs.pool.idle.asleep(), GetParam());
    while (jobs.pool.idle.asleep() != GetParam() - 1) std::this_thread::yield();
  }
  // One that spins computes, but is no hog. What it begins while the monitor makes up its mind may
  // be taken for what was seen.
  EXPECT_LT(jobs.pool.scheduler(0).counters.hand_overs.read(), 10U);
}

TEST_P(Threads, without_a_spin_all_go_to_sleep_and_wake_for_work) {
  Jobs jobs(spinning(GetParam(), 0));
  for (int round = 0; round < 100; ++round) {
    while (jobs.pool.idle.asleep() != GetParam()) std::this_thread::yield();
    jobs.start([] {});
    jobs.wait();
  }
}

// Some have not begun to sleep yet, some are on their way, one sleeps in the poller.
TEST_P(Threads, all_are_woken_by_the_stop) {
  for (int round = 0; round < 300; ++round) {
    Jobs jobs(spinning(GetParam(), 0));
    const unsigned asleep = static_cast<unsigned>(round) % (GetParam() + 1);
    while (jobs.pool.idle.asleep() < asleep) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace airssys::rt::scheduler::thread_test
