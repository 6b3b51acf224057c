// sanitizer_test.cpp: under ASan a stack that was cut off is clean for its next user, and a bad
// access on a fiber's stack is still reported.
// Method: leaves redzones behind and writes over them; death tests. Without ASan only the writes
// run.
#include "fiber/sanitizer.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::sanitizer_test {
namespace {

// NOLINTNEXTLINE(misc-no-recursion): fills a stack with frames.
[[gnu::noinline]] void wait_deep_down(Stage& stage, int depth) {
  volatile char frame[200];
  frame[0] = 'x';
  if (depth == 0)
    stage.wait();
  else
    wait_deep_down(stage, depth - 1);
  frame[199] = frame[0];
}

TEST(Sanitizer, a_recycled_stack_is_writable_from_end_to_end) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  {
    Stage stage(stacks, [](Stage& self) { wait_deep_down(self, 30); });
    EXPECT_FALSE(stage.run(thread));
  }
  Stage next(stacks, [](Stage&) {});
  Fiber& fiber = next.fiber();
  std::memset(fiber.low, 0, 20'000);
  EXPECT_TRUE(next.run(thread));
}

TEST(Sanitizer, a_stack_that_was_cut_is_writable_from_end_to_end) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) {
    wait_deep_down(self, 30);
    abandon(self.fiber(), Ended::abandoned_noexcept);
  });
  EXPECT_FALSE(stage.run(thread));
  EXPECT_TRUE(stage.run(thread));
  std::memset(stage.fiber().low, 0, 20'000);
}

#ifdef RT_ASAN
TEST(SanitizerDeathTest, a_bad_access_on_a_fibers_stack_is_reported) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) {
    char text[8] = {};
    volatile std::size_t beyond = 8;
    self.wait();
    static_cast<volatile char*>(text)[beyond] = 'x';
  });
  EXPECT_FALSE(stage.run(thread));
  EXPECT_DEATH(stage.run(thread), "stack-buffer-overflow");
}
#endif

}  // namespace
}  // namespace airssys::rt::fiber::sanitizer_test
