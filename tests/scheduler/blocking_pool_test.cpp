// blocking_pool_test.cpp: threads come with the work and go without it; no job is lost or called
// twice.
//
// Jobs hold each other up through latches, so a test knows how many run at the same moment.
#include "scheduler/blocking_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace airssys::rt::scheduler::blocking_pool_test {
namespace {

constexpr std::int64_t long_ns = 3'600'000'000'000;

struct Task : Job {
  explicit Task(std::function<void()> f) : work(std::move(f)) {
    call = [](Job& job) noexcept { static_cast<Task&>(job).work(); };
  }
  std::function<void()> work;
};

void wait_until(const std::function<bool()>& holds) {
  while (!holds()) std::this_thread::yield();
}

TEST(BlockingPoolTest, there_is_no_thread_before_the_first_job) {
  const BlockingPool pool({.threads_max = 4, .idle_ns = long_ns});
  EXPECT_EQ(pool.counters().threads, 0U);
}

TEST(BlockingPoolTest, a_waiting_thread_is_used_before_a_new_one_is_started) {
  BlockingPool pool({.threads_max = 4, .idle_ns = long_ns});
  for (std::uint64_t i = 1; i <= 20; ++i) {
    Task task([] {});
    ASSERT_TRUE(pool.submit(task));
    wait_until([&] { return pool.counters().finished == i; });
  }
  EXPECT_EQ(pool.counters().threads, 1U);
  EXPECT_EQ(pool.counters().busy, 0U);
}

TEST(BlockingPoolTest, it_grows_to_its_limit_and_queues_the_rest) {
  BlockingPool pool({.threads_max = 3, .idle_ns = long_ns});
  std::latch release(1);
  std::atomic<int> running{0};
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < 8; ++i) {
    tasks.push_back(std::make_unique<Task>([&] {
      running.fetch_add(1);
      release.wait();
    }));
    ASSERT_TRUE(pool.submit(*tasks.back()));
  }
  wait_until([&] { return running.load() == 3; });
  const BlockingPool::Counters full = pool.counters();
  EXPECT_EQ(full.threads, 3U);
  EXPECT_EQ(full.busy, 3U);
  EXPECT_EQ(full.queued, 5U);
  release.count_down();
  wait_until([&] { return pool.counters().finished == 8; });
  EXPECT_EQ(running.load(), 8);
  EXPECT_EQ(pool.counters().queued, 0U);
}

TEST(BlockingPoolTest, first_come_is_first_served) {
  BlockingPool pool({.threads_max = 1, .idle_ns = long_ns});
  std::vector<int> order;  // written by the one thread
  std::vector<std::unique_ptr<Task>> tasks;
  std::latch hold(1);
  Task first([&] { hold.wait(); });
  ASSERT_TRUE(pool.submit(first));
  for (int i = 0; i < 100; ++i) {
    tasks.push_back(std::make_unique<Task>([&order, i] { order.push_back(i); }));
    // A different thread each time: the queue alone would keep order per thread only.
    std::thread([&] { EXPECT_TRUE(pool.submit(*tasks.back())); }).join();
  }
  hold.count_down();
  EXPECT_TRUE(pool.stop());
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(BlockingPoolTest, threads_without_work_end_and_come_back) {
  BlockingPool pool({.threads_max = 2, .idle_ns = 1'000'000});
  for (std::uint64_t i = 1; i <= 5; ++i) {
    std::atomic<int> met{0};
    const auto meet = [&] {
      met.fetch_add(1);
      wait_until([&] { return met.load() == 2; });  // both run at once: two threads
    };
    Task one(meet);
    Task two(meet);
    ASSERT_TRUE(pool.submit(one));
    ASSERT_TRUE(pool.submit(two));
    wait_until([&] { return pool.counters().finished == 2 * i; });
    wait_until([&] { return pool.counters().threads == 0; });
  }
}

TEST(BlockingPoolTest, stop_calls_what_was_accepted_and_refuses_the_rest) {
  BlockingPool pool({.threads_max = 2, .idle_ns = long_ns});
  std::atomic<int> called{0};
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < 50; ++i) {
    tasks.push_back(std::make_unique<Task>([&] { called.fetch_add(1); }));
    ASSERT_TRUE(pool.submit(*tasks.back()));
  }
  EXPECT_TRUE(pool.stop());
  EXPECT_EQ(called.load(), 50);
  EXPECT_EQ(pool.counters().threads, 0U);
  Task late([&] { called.fetch_add(1); });
  EXPECT_FALSE(pool.submit(late));
  EXPECT_TRUE(pool.stop());
  EXPECT_EQ(called.load(), 50);
}

TEST(BlockingPoolTest, stop_leaves_behind_what_does_not_end_in_time) {
  std::latch release(1);
  BlockingPool pool({.threads_max = 1, .idle_ns = long_ns});
  std::atomic<int> called{0};
  const auto work = [&] {
    release.wait();
    called.fetch_add(1);
  };
  Task one(work);
  Task two(work);
  ASSERT_TRUE(pool.submit(one));
  ASSERT_TRUE(pool.submit(two));
  EXPECT_FALSE(pool.stop(0));
  EXPECT_EQ(called.load(), 0);
  release.count_down();
  EXPECT_TRUE(pool.stop()) << "it went on by itself";
  EXPECT_EQ(called.load(), 2);
}

// What a thread does behind its last job is users' code: it may submit, and it may wait.
TEST(BlockingPoolTest, nobody_waits_under_the_mutex_for_the_last_steps_of_a_thread) {
  static BlockingPool* pool_in_use = nullptr;
  static std::atomic<bool> may_go{false};
  static std::atomic<bool> is_going{false};
  static Task late([] {});
  struct Lingers {
    ~Lingers() {
      is_going = true;
      wait_until([] { return may_go.load(); });
      EXPECT_TRUE(pool_in_use->submit(late));
    }
  };
  may_go = is_going = false;
  BlockingPool pool({.threads_max = 1, .idle_ns = 1'000'000});
  pool_in_use = &pool;
  Task task([] { thread_local const Lingers lingering; });
  ASSERT_TRUE(pool.submit(task));
  wait_until([] { return is_going.load(); });
  Task next([] {});
  EXPECT_TRUE(pool.submit(next));
  EXPECT_EQ(pool.counters().finished, 1U) << "the next thread comes behind the one before";
  may_go = true;
  wait_until([&] { return pool.counters().finished == 3; });
}

TEST(BlockingPoolTest, a_job_may_end_its_own_memory) {
  struct Owning : Job {
    std::atomic<int>* ended = nullptr;
  };
  std::atomic<int> ended{0};
  BlockingPool pool({.threads_max = 2, .idle_ns = long_ns});
  for (int i = 0; i < 100; ++i) {
    auto* job = new Owning;
    job->ended = &ended;
    job->call = [](Job& self) noexcept {
      const std::unique_ptr<Owning> owned(&static_cast<Owning&>(self));
      owned->ended->fetch_add(1);
    };
    ASSERT_TRUE(pool.submit(*job));
  }
  EXPECT_TRUE(pool.stop());
  EXPECT_EQ(ended.load(), 100);
}

// A thread that is about to end meets a job that counts on it, again and again; nobody else comes
// who would start another thread.
TEST(BlockingPoolTest, no_job_is_left_to_a_thread_that_ends) {
  constexpr std::uint64_t jobs = 3'000;
  BlockingPool pool({.threads_max = 2, .idle_ns = 0});
  Task task([] {});
  for (std::uint64_t i = 1; i <= jobs; ++i) {
    ASSERT_TRUE(pool.submit(task));
    wait_until([&] { return pool.counters().finished == i; });
    // A little later each time, so that every moment of the thread's end is met.
    for (std::uint64_t spins = i % 200; spins > 0; --spins) base::spin_pause();
  }
}

}  // namespace
}  // namespace airssys::rt::scheduler::blocking_pool_test
