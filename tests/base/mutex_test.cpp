// mutex_test.cpp: one holder at a time, and ranks are obeyed.
// Method: threads count without atomics under the mutex (TSan sees a hole, so does the sum); ranks
// by death tests in debug builds.
#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

namespace airssys::rt::base::mutex_test {
namespace {

TEST(Mutex, excludes_all_others) {
  Mutex mutex;
  int counter = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number)
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const std::lock_guard lock(mutex);
        ++counter;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 80'000);
}

TEST(Mutex, a_sleeping_waiter_gets_it) {
  Mutex mutex;
  bool was_held = false;
  mutex.lock();
  std::thread waiter([&] {
    const std::lock_guard lock(mutex);
    was_held = true;
  });
  std::this_thread::yield();
  mutex.unlock();
  waiter.join();
  EXPECT_TRUE(was_held);
}

TEST(Mutex, try_lock_answers_whether_it_was_free) {
  Mutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
  mutex.unlock();
  ASSERT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(Mutex, smaller_ranks_nest_in_greater_ones) {
  Mutex outer(LockRank::scheduler);
  Mutex inner(LockRank::slab);
  const std::lock_guard first(outer);
  const std::lock_guard second(inner);
}

#ifndef NDEBUG
TEST(MutexDeathTest, a_greater_rank_inside_a_smaller_one_is_refused) {
  Mutex outer(LockRank::scheduler);
  Mutex inner(LockRank::slab);
  EXPECT_DEATH(
      {
        inner.lock();
        outer.lock();
      },
      "smaller rank");
}

TEST(MutexDeathTest, a_thread_that_does_not_hold_it_cannot_release_it) {
  Mutex mutex;
  EXPECT_DEATH(mutex.unlock(), "holds it");
}
#endif

}  // namespace
}  // namespace airssys::rt::base::mutex_test
