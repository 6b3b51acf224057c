// rotation_test.cpp: of many hogs few run at a time, each in its turn. Method: jobs that spin until
// they are told to end, on pools with 1, 2 and 4 schedulers; who is held is seen by the kernel's
// word that its thread sleeps, which a thread that spins never does otherwise. Nothing is asked
// about how long anything takes.
#include "scheduler/rotation.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "base/os.hpp"
#include "fiber/sanitizer.hpp"
#include "tests/scheduler/jobs.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::scheduler::rotation_test {
namespace {

// One step of a circle that calls nothing. ThreadSanitizer takes a signal only at calls it knows.
void spin() {
  if constexpr (fiber::sanitizer::thread) {
    static thread_local std::mutex known;
    const std::lock_guard lock(known);
  }
}

void burn(std::int64_t cpu_ns) {
  const clockid_t clock = base::this_thread_cpu_clock();
  const std::int64_t end = base::cpu_time_ns(clock) + cpu_ns;
  while (base::cpu_time_ns(clock) < end) spin();
}

void on_signal(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (Rotation::is_ours(*info)) Thread::wait_for_turn();
}

// Some hogs, all of them stuck until release.
struct Hogs {
  static constexpr std::size_t count = 12;

  std::array<std::atomic<base::ThreadId>, count> threads{};
  std::array<std::atomic<std::uint64_t>, count> steps{};
  std::atomic<bool> may_end{false};

  void be(std::size_t i) {
    threads[i] = base::this_thread_id();
    while (!may_end) {
      spin();
      ++steps[i];
    }
  }
  std::size_t asleep() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        threads, [](const auto& thread) { return thread != 0 && base::sleeps_in_kernel(thread); }));
  }
  void wait_until_most_are_held() const {
    while (asleep() < count / 2) std::this_thread::yield();
  }
};

class Turns : public ::testing::TestWithParam<unsigned> {
 protected:
  // The thread that starts a pool blocks the signal, as those of some programs block all.
  Turns() {
    struct sigaction ours{};
    ours.sa_sigaction = &on_signal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(Rotation::signal, &ours, &before_);
    sigset_t blocked{};
    sigemptyset(&blocked);
    sigaddset(&blocked, Rotation::signal);
    pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
  }
  ~Turns() override {
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    sigaction(Rotation::signal, &before_, nullptr);
  }

  static Pool::Config config() {
    Pool::Config config = Jobs::config(GetParam());
    config.hog_signal = true;
    return config;
  }

 private:
  struct sigaction before_{};
  sigset_t mask_before_{};
};
INSTANTIATE_TEST_SUITE_P(Schedulers, Turns, ::testing::Values(1U, 2U, 4U));

TEST_P(Turns, of_many_hogs_most_are_held_and_each_has_its_turn) {
  Hogs hogs;
  Jobs jobs(config());
  for (std::size_t i = 0; i < Hogs::count; ++i) jobs.start([&hogs, i] { hogs.be(i); });
  hogs.wait_until_most_are_held();
  for (const auto& steps : hogs.steps) {
    const std::uint64_t before = steps;
    while (steps == before) std::this_thread::yield();
  }
  hogs.may_end = true;
}

TEST_P(Turns, who_is_held_finds_everything_as_it_was) {
  Hogs hogs;
  Jobs jobs(config());
  for (std::size_t i = 0; i < Hogs::count; ++i) {
    jobs.start([&hogs, i] {
      errno = static_cast<int>(i);
      hogs.be(i);
      EXPECT_EQ(errno, static_cast<int>(i));
    });
  }
  hogs.wait_until_most_are_held();
  hogs.may_end = true;
}

TEST_P(Turns, a_job_that_calls_nothing_runs_behind_many_hogs) {
  Hogs hogs;
  Jobs jobs(config());
  for (std::size_t i = 0; i < Hogs::count; ++i) jobs.start([&hogs, i] { hogs.be(i); });
  jobs.start([&hogs] { hogs.may_end = true; });
}

TEST_P(Turns, nobody_is_left_at_idle_priority) {
  std::atomic<int> policy{-1};
  Jobs jobs(config());
  jobs.start([&] {
    burn(200'000'000);  // four times what a hog is spared
    policy = sched_getscheduler(0);
  });
  jobs.wait();
  EXPECT_EQ(policy, SCHED_OTHER);
}

TEST_P(Turns, a_read_goes_on_after_a_hold) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  Hogs hogs;
  {
    Jobs jobs(config());
    for (std::size_t i = 0; i < Hogs::count; ++i) {
      jobs.start([&, i] {
        hogs.be(i);
        char byte = 0;
        EXPECT_EQ(read(ends[0], &byte, 1), 1);
      });
    }
    hogs.wait_until_most_are_held();
    hogs.may_end = true;
    const std::array<char, Hogs::count> bytes{};
    EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  close(ends[0]);
  close(ends[1]);
}

TEST_P(Turns, who_comes_home_and_is_lost_again_loses_nothing) {
  constexpr int jobs_count = 12;
  const int rounds = static_cast<int>(support::stress_size(8));
  std::atomic<int> ends{0};
  {
    Jobs jobs(config());
    for (int i = 0; i < jobs_count; ++i) {
      jobs.start([&, i] {
        for (int round = 0; round < rounds; ++round) {
          burn((i + round) % 4 * 3'000'000);
          Thread::enter();
          Thread::yield();
          Thread::current()->leave();
        }
        ++ends;
      });
    }
  }
  EXPECT_EQ(ends, jobs_count);
}

TEST_P(Turns, a_stop_lets_everybody_go) {
  Hogs hogs;
  Pool pool(config());
  pool.start();
  std::array<Work, Hogs::count> works;
  for (std::size_t i = 0; i < Hogs::count; ++i) {
    works[i].code = [&, i] {
      hogs.threads[i] = base::this_thread_id();
      while (!pool.is_stopping()) spin();
    };
    pool.inject(works[i]);
  }
  hogs.wait_until_most_are_held();
  EXPECT_TRUE(pool.stop());
}

}  // namespace
}  // namespace airssys::rt::scheduler::rotation_test
