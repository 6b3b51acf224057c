// monitor_test.cpp: a scheduler is taken from a thread that is stuck in one task's code. Method: on
// one scheduler a task never comes back until another one, queued behind it, has run: without a
// hand-over the test never ends.
#include "scheduler/monitor.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "base/block_cache.hpp"
#include "base/os.hpp"
#include "tests/scheduler/jobs.hpp"
#include "tests/support/resident.hpp"

namespace airssys::rt::scheduler::monitor_test {
namespace {

std::uint64_t hand_overs(Pool& pool) {
  std::uint64_t sum = 0;
  for (unsigned id = 0; id < pool.count(); ++id)
    sum += pool.scheduler(id).counters.hand_overs.read();
  return sum;
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

// Their first hand-over is due while the pool still makes threads.
TEST(Monitor, hogs_that_are_there_before_the_threads_find_the_pool_in_order) {
  std::atomic<bool> released{false};
  std::atomic<unsigned> ended{0};
  const auto hog = [&] {
    while (!released.load(std::memory_order_relaxed)) {
    }
    ++ended;
  };
  constexpr unsigned schedulers = 16;
  Jobs jobs(Jobs::config(schedulers), std::vector<std::function<void()>>(schedulers, hog));
  while (hand_overs(jobs.pool) == 0) std::this_thread::yield();
  released = true;
  jobs.wait();
  EXPECT_EQ(ended, schedulers);
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

// Blocks that a job has allocated. Its thread keeps none of them.
class Blocks {
 public:
  static constexpr std::size_t bytes = 4000;  // too large for a thread to keep

  void allocate() {
    while (blocks_.size() < 1000) {
      blocks_.push_back(base::allocate_small(bytes));
      std::memset(blocks_.back(), 1, bytes);
    }
  }
  void free() const {
    for (void* block : blocks_) base::free_small(block, bytes);
  }
  // Ends when hardly anything is resident any more.
  void wait_until_their_pages_are_gone() const {
    while (support::resident_pages_of(blocks_) > 16) std::this_thread::yield();
  }

 private:
  std::vector<void*> blocks_;
};

#ifdef AIRSSYS_RT_MIMALLOC
TEST(Monitor, a_thread_that_sleeps_gives_back_its_pages_whose_blocks_others_free) {
  for (const unsigned schedulers : {1U, 2U, 4U}) {
    Blocks blocks;
    Jobs jobs(schedulers);
    jobs.start([&] { blocks.allocate(); });
    jobs.wait();
    blocks.free();
    blocks.wait_until_their_pages_are_gone();
  }
}

TEST(Monitor, so_does_one_that_has_lost_its_scheduler) {
  std::atomic<bool> released{false};
  Blocks blocks;
  Jobs jobs(1);
  jobs.start([&] {
    blocks.allocate();
    while (!released.load(std::memory_order_relaxed)) {
    }
  });
  jobs.start([&] { released = true; });
  jobs.wait();
  blocks.free();
  blocks.wait_until_their_pages_are_gone();
}

TEST(Monitor, what_threads_have_kept_for_one_another_is_given_back_as_well) {
  std::vector<void*> blocks;
  Jobs jobs(2);
  jobs.start([&] {
    while (blocks.size() < 50'000) {
      blocks.push_back(base::allocate_small(64));
      std::memset(blocks.back(), 1, 64);
    }
  });
  jobs.wait();
  jobs.start([&] {
    for (void* block : blocks) base::free_small(block, 64);
  });
  jobs.wait();
  // Each thread keeps two magazines of a size: their blocks lie in as many pages at most.
  while (support::resident_pages_of(blocks) > 128) std::this_thread::yield();
}
#endif

// A hog that ends when it is at idle priority, and somebody beside whom that matters.
void demote_a_hog(Jobs& jobs) {
  std::atomic<bool> is_demoted{false};
  jobs.start([&] {
    while (sched_getscheduler(0) != SCHED_IDLE) {
    }
    is_demoted = true;
  });
  jobs.start([&] {
    Thread::enter();
    while (!is_demoted) Thread::yield();
    Thread::current()->leave();
  });
  jobs.wait();
}

TEST(Monitor, without_a_signal_a_hog_that_had_time_goes_on_at_idle_priority) {
  Jobs jobs(1);
  demote_a_hog(jobs);
  std::atomic<int> policy{-1};
  jobs.start([&] { policy = sched_getscheduler(0); });
  jobs.wait();
  EXPECT_EQ(policy, SCHED_OTHER) << "nobody else does";
}

// As an ordinary user: threads that this one starts may not raise what was lowered.
class WithoutTheRightToRaise {
 public:
  WithoutTheRightToRaise() {
    syscall(SYS_capget, &header_, before_.data());
    auto without = before_;
    without[0].effective &= ~(1U << CAP_SYS_NICE);
    syscall(SYS_capset, &header_, without.data());
  }
  ~WithoutTheRightToRaise() { syscall(SYS_capset, &header_, before_.data()); }

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> before_{};
};

TEST(Monitor, a_thread_that_may_not_be_raised_again_is_replaced) {
  const WithoutTheRightToRaise as_an_ordinary_user;
  Pool::Config config = Jobs::config(1);
  config.threads_beside_max = 1;
  Jobs jobs(config);
  for (int round = 0; round < 3; ++round) demote_a_hog(jobs);
  EXPECT_GE(hand_overs(jobs.pool), 3U);
}

TEST(Monitor, a_hog_for_which_there_is_no_other_thread_keeps_its_scheduler) {
  constexpr std::int64_t long_ns = 50'000'000;  // ten times the monitor's patience
  std::atomic<std::int64_t> second_used{0};
  std::atomic<bool> third_ran{false};
  Pool::Config config = Jobs::config(1);
  config.threads_beside_max = 1;
  Jobs jobs(config);
  jobs.start([&] {
    while (second_used < long_ns) {
    }
    EXPECT_FALSE(third_ran);
  });
  jobs.start([&] {
    const clockid_t clock = base::this_thread_cpu_clock();
    const std::int64_t begin = base::cpu_time_ns(clock);
    while (!third_ran) second_used = base::cpu_time_ns(clock) - begin;
  });
  // Not before: of two that wait, one here and one outside, the latter may be taken first.
  while (second_used == 0) std::this_thread::yield();
  jobs.start([&] { third_ran = true; });
  jobs.wait();
  EXPECT_EQ(hand_overs(jobs.pool), 2U);
}

// Jobs that rest until another one makes them runnable, beside a scheduler that sleeps. The ration
// allows that one to wake it once at most, for the first job; and it never comes to the others
// itself: to one in its queue, and one that is to be run next.
class SomebodyBehind {
 public:
  SomebodyBehind() {
    for (Work*& work : resting_) {
      work = &jobs_.start([] {
        Thread::enter();
        rest();
        Thread::current()->leave();
      });
    }
    for (const Work* work : resting_) {
      while (work->word != Work::resting) std::this_thread::yield();
    }
  }

  // That one is of this level, and calls go_on() inside the runtime, over and over.
  template <class GoOn>
  void is_found_behind(Level level, GoOn go_on) {
    const Work& busy = jobs_.start(
        [this, go_on] {
          Thread::enter();
          const auto [first, queued, next] = resting_;
          let_the_other_sleep();
          wake(jobs_.pool, *first);
          while (!first->is_done) continue;
          let_the_other_sleep();
          for (int i = 0; i < 10; ++i) jobs_.pool.ration.was_futile();
          wake(jobs_.pool, *queued);
          wake(jobs_.pool, *next);
          const std::int64_t begin = cpu_ns();
          const auto are_done = [=] { return queued->is_done && next->is_done; };
          while (!are_done() && cpu_ns() - begin < for_ever_ns) go_on();
          EXPECT_TRUE(are_done());
          Thread::current()->leave();
        },
        level);
    // Asleep on purpose: a third thread that spins on two processors would stop that job now and
    // then, and what it does not come to would be found for that.
    while (!busy.is_done) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  base::Atomic<std::uint32_t>& asked() { return jobs_.pool.asked; }

 private:
  static constexpr std::int64_t long_ns = 20'000'000;  // four times the monitor's patience
  static constexpr std::int64_t for_ever_ns = 100 * long_ns;

  static std::int64_t cpu_ns() { return base::cpu_time_ns(CLOCK_PROCESS_CPUTIME_ID); }
  // For so long that it is behind its last look.
  void let_the_other_sleep() {
    const std::int64_t begin = cpu_ns();
    while (cpu_ns() - begin < long_ns || jobs_.pool.idle.asleep() != 1) continue;
  }

  Jobs jobs_{2};
  std::array<Work*, 3> resting_{};
};

// One that stays inside, as in a predicate of the user's, cannot be robbed.
TEST(Monitor, who_stands_behind_one_that_cannot_be_robbed_is_found) {
  SomebodyBehind().is_found_behind(Level::normal, [] {});
}

// D8, D14
TEST(Monitor, who_stands_below_a_level_that_is_always_busy_is_found) {
  SomebodyBehind().is_found_behind(Level::high, [] { Thread::yield(); });
}

// Then whoever picks a task of high level looks through those that stand below.
TEST(Monitor, so_is_it_while_somebody_waits_for_an_answer) {
  SomebodyBehind behind;
  behind.asked().fetch_add(1, std::memory_order_relaxed);
  behind.is_found_behind(Level::high, [] { Thread::yield(); });
  behind.asked().fetch_sub(1, std::memory_order_relaxed);
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
}  // namespace airssys::rt::scheduler::monitor_test
