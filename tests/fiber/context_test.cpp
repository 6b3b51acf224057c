// context_test.cpp: fibers run, wait, go on where they waited, and move between threads.
// Method: bodies that leave a trace; many fibers handed between two threads at every wait, where a
// wrong stack shows as a wrong sum and a missing edge as a race for TSan.
#include "fiber/context.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::context_test {
namespace {

TEST(Context, a_fiber_goes_on_where_it_waited) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::string trace;
  Stage stage(stacks, [&](Stage& self) {
    trace += "a";
    self.wait();
    trace += "b";
    self.wait();
    trace += "c";
  });
  EXPECT_FALSE(stage.run(thread));
  trace += "1";
  EXPECT_FALSE(stage.run(thread));
  trace += "2";
  EXPECT_TRUE(stage.run(thread));
  EXPECT_EQ(trace, "a1b2c");
  EXPECT_EQ(stage.how(), Ended::returned);
}

TEST(Context, the_thread_knows_who_runs_on_it) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  EXPECT_EQ(this_thread_context(), nullptr);
  ThreadContext thread;
  EXPECT_EQ(this_thread_context(), &thread);
  Stage stage(stacks, [&](Stage& self) {
    const int local = 0;
    EXPECT_EQ(thread.running, &self.fiber());
    EXPECT_TRUE(sanitizer::address || contains(self.fiber(), &local));
  });
  EXPECT_EQ(thread.running, nullptr);
  stage.run(thread);
  EXPECT_EQ(thread.running, nullptr);
  EXPECT_FALSE(contains(stage.fiber(), &thread));
}

TEST(Context, a_fiber_that_comes_back_elsewhere_is_told_its_new_thread) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  bool is_elsewhere = false;
  Stage stage(stacks, [&](Stage& self) {
    ThreadContext& now = switch_back(self.fiber(), thread);
    is_elsewhere = &now != &thread && &now == this_thread_context();
  });
  stage.run(thread);
  EXPECT_TRUE(stage.run_elsewhere());
  EXPECT_TRUE(is_elsewhere);
}

TEST(Context, a_fiber_hands_the_thread_to_another_one) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::string trace;
  Stage second(stacks, [&](Stage& self) {
    EXPECT_EQ(thread.running, &self.fiber());
    trace += "b";
    self.wait();
    trace += "d";
  });
  Stage first(stacks, [&](Stage& self) {
    trace += "a";
    switch_over(self.fiber(), thread, second.fiber());
    trace += "c";
    switch_over(self.fiber(), thread, second.fiber());
    trace += "e";
  });
  EXPECT_FALSE(first.run(thread));
  EXPECT_EQ(thread.left, &second.fiber());
  EXPECT_EQ(trace, "ab");
  EXPECT_FALSE(first.run(thread));
  EXPECT_EQ(trace, "abcd");
  EXPECT_TRUE(first.run_elsewhere());
  EXPECT_EQ(trace, "abcde");
}

TEST(Context, an_entry_that_returns_is_called_again) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Fiber& fiber = *stacks.take();
  int calls = 0;
  fiber.user = &calls;
  prepare(fiber, [](Fiber& self, Ended last) {
    EXPECT_EQ(last, Ended::returned);
    ++*static_cast<int*>(self.user);
    switch_back(self, *self.resumer);
  });
  for (int call = 1; call <= 3; ++call) {
    switch_to(thread, fiber);
    EXPECT_EQ(calls, call);
  }
  stacks.give(fiber);
}

TEST(Context, a_prepared_fiber_forgets_what_was_on_its_stack) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  for (int round = 0; round < 3; ++round) {
    Stage stage(stacks, [&](Stage& self) {
      volatile char frame[8192];
      frame[0] = 1;
      self.wait();
      frame[8191] = frame[0];
    });
    EXPECT_FALSE(stage.run(thread));  // given back while it waits
  }
  EXPECT_EQ(pool.stacks(), 1U);
}

// Fibers that are ready, taken by whichever thread is free.
class Ready {
 public:
  void put(Stage* stage) {
    const std::lock_guard lock(mutex_);
    stages_.push_back(stage);
  }
  Stage* take() {
    const std::lock_guard lock(mutex_);
    if (stages_.empty()) return nullptr;
    Stage* const stage = stages_.front();
    stages_.pop_front();
    return stage;
  }

 private:
  std::mutex mutex_;
  std::deque<Stage*> stages_;
};

TEST(Context, fibers_keep_their_stacks_through_thousands_of_migrations) {
  constexpr int fibers = 100;
  constexpr int waits = 100;
  StackPool pool;
  StackPool::Cache stacks(pool);
  Ready ready;
  base::Atomic<int> alive{fibers};
  base::Atomic<int> moves{0};
  std::vector<std::unique_ptr<Stage>> stages;
  std::vector<int> sums(fibers, 0);
  for (std::size_t number = 0; number < fibers; ++number) {
    stages.push_back(std::make_unique<Stage>(stacks, [&, number](Stage& self) {
      const ThreadContext* last = self.fiber().resumer;
      for (int step = 1; step <= waits; ++step) {
        sums[number] += step;
        self.wait();
        if (self.fiber().resumer != last) moves.fetch_add(1, std::memory_order_relaxed);
        last = self.fiber().resumer;
      }
    }));
    ready.put(stages.back().get());
  }
  const auto loop = [&] {
    ThreadContext thread;
    while (alive.load(std::memory_order_acquire) > 0) {
      Stage* const stage = ready.take();
      if (stage == nullptr) {
        std::this_thread::yield();
      } else if (stage->run(thread)) {
        alive.fetch_sub(1, std::memory_order_acq_rel);
      } else {
        ready.put(stage);
      }
    }
  };
  std::thread other(loop);
  loop();
  other.join();
  for (const int sum : sums) EXPECT_EQ(sum, waits * (waits + 1) / 2);
  RecordProperty("moves", moves.load(std::memory_order_relaxed));
}

TEST(ContextDeathTest, a_fiber_that_was_never_prepared_cannot_run) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Fiber& fiber = *stacks.take();
  EXPECT_DEATH(switch_to(thread, fiber), "fibers that are off");
  stacks.give(fiber);
}

}  // namespace
}  // namespace airssys::rt::fiber::context_test
