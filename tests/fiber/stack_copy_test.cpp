// stack_copy_test.cpp: a fiber whose stack has been given back goes on as if nothing had been.
// Method: stages that wait with locals, with addresses of their own locals, in handlers and in
// guarded code are copied, dropped and copied back, here and on another thread; which pages are
// resident is asked of the kernel.
#include "fiber/stack_copy.hpp"

#include <alloca.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/os.hpp"
#include "fiber/stack.hpp"
#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::stack_copy_test {
namespace {

std::size_t resident_pages(const std::byte* low) {
  const std::size_t bytes = stride_bytes(0) - guard_bytes;
  std::vector<unsigned char> pages(bytes / base::page_bytes());
  EXPECT_EQ(::mincore(const_cast<std::byte*>(low), bytes, pages.data()), 0);
  std::size_t resident = 0;
  for (const unsigned char page : pages) resident += page & 1U;
  return resident;
}

// Away and back. Answers how many words it was.
std::size_t away_and_back(Fiber& fiber) {
  const std::byte* const low = fiber.low;
  StackCopy* const copy = copy_out(fiber);
  if (copy == nullptr) return 0;
  const std::size_t words = copy->words;
  Fiber* const fibers[] = {&fiber};
  StackPool::drop(fibers);
  EXPECT_EQ(resident_pages(low), 0U);
  EXPECT_EQ(&copy_back(copy), &fiber);
  return words;
}

struct Links {
  Links* self = this;
  std::string text = "longer than what a string keeps within itself";
};

TEST(StackCopy, locals_and_addresses_of_locals_are_as_they_were) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) {
    const Links links;
    const std::unique_ptr<int> owned = std::make_unique<int>(7);
    for (int i = 0; i < 100; ++i) {
      self.wait();
      EXPECT_EQ(links.self, &links);
      EXPECT_EQ(links.text, Links().text);
      EXPECT_EQ(*owned, 7);
    }
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(i % 2 ? stage.run_elsewhere() : stage.run(thread));
    EXPECT_GT(away_and_back(stage.fiber()), 0U);
  }
  EXPECT_TRUE(stage.run(thread));
}

TEST(StackCopy, no_more_is_copied_than_is_in_use) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) { self.wait(); });
  EXPECT_FALSE(stage.run(thread));
  const auto bytes = 8 * away_and_back(stage.fiber());
  EXPECT_GT(bytes, 200U);
  EXPECT_LT(bytes, sanitizer::address || sanitizer::thread ? 8192U : 2048U);
  EXPECT_TRUE(stage.run(thread));
}

TEST(StackCopy, what_is_thrown_and_caught_crosses_it) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) {
    try {
      self.wait();
      throw std::runtime_error("thrown behind it");
    } catch (const std::runtime_error& error) {
      self.wait();
      EXPECT_STREQ(error.what(), "thrown behind it");
      try {
        throw;
      } catch (const std::runtime_error& again) {
        EXPECT_EQ(&again, &error);
      }
    }
    EXPECT_EQ(std::uncaught_exceptions(), 0);
  });
  while (!stage.run(thread)) EXPECT_GT(away_and_back(stage.fiber()), 0U);
}

TEST(StackCopy, a_fiber_can_be_unwound_and_cut_behind_it) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  for (const Ended how : {Ended::unwound, Ended::abandoned_noexcept}) {
    const auto owned = std::make_shared<int>(1);
    Stage stage(stacks, [&](Stage& self) {
      const auto held = how == Ended::unwound ? owned : nullptr;
      self.wait();
      if (how == Ended::unwound) unwind(self.fiber());
      abandon(self.fiber(), how);
    });
    EXPECT_FALSE(stage.run(thread));
    EXPECT_GT(away_and_back(stage.fiber()), 0U);
    EXPECT_TRUE(stage.run(thread));
    EXPECT_EQ(stage.how(), how);
    // What the stage's body has captured are references; its own share is gone with its frame.
    EXPECT_EQ(owned.use_count(), 1);
  }
}

TEST(StackCopy, who_holds_much_or_is_guarded_by_a_canary_stays) {
  for (const GuardKind guard : {GuardKind::marker, GuardKind::canary}) {
    StackPool pool({.guard = guard});
    StackPool::Cache stacks(pool);
    ThreadContext thread;
    Stage stage(stacks, [](Stage& self) {
      self.wait();
      volatile std::size_t wanted = packed_bytes_max;
      const std::size_t bytes = wanted;
      auto* const used = static_cast<std::byte*>(alloca(bytes));
      std::memset(used, 7, bytes);
      self.wait();
      EXPECT_EQ(std::count(used, used + bytes, std::byte{7}), bytes);
    });
    EXPECT_FALSE(stage.run(thread));
    EXPECT_EQ(away_and_back(stage.fiber()) != 0, guard == GuardKind::marker);
    EXPECT_FALSE(stage.run(thread));
    EXPECT_EQ(copy_out(stage.fiber()), nullptr);
    EXPECT_TRUE(stage.run(thread));
  }
}

TEST(StackCopy, many_are_dropped_at_once) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  std::vector<std::unique_ptr<Stage>> stages;
  std::vector<Fiber*> fibers;
  std::vector<StackCopy*> copies;
  for (std::size_t i = 0; i < StackPool::drop_max; ++i) {
    stages.push_back(std::make_unique<Stage>(stacks, [i](Stage& self) {
      const std::size_t mine = i;
      self.wait();
      EXPECT_EQ(mine, i);
    }));
    EXPECT_FALSE(stages.back()->run(thread));
    fibers.push_back(&stages.back()->fiber());
    copies.push_back(copy_out(*fibers.back()));
    ASSERT_NE(copies.back(), nullptr);
  }
  const std::byte* const low = fibers.back()->low;
  StackPool::drop(fibers);
  EXPECT_EQ(resident_pages(low), 0U);
  for (StackCopy* const copy : copies) copy_back(copy);
  for (const auto& stage : stages) EXPECT_TRUE(stage->run(thread));
}

}  // namespace
}  // namespace airssys::rt::fiber::stack_copy_test
