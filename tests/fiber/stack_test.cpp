// stack_test.cpp: stacks are guarded, coloured, recycled last in first out, and trimmed.
// Method: looks at addresses, at /proc/self/maps and at which pages are resident; guards by system
// calls that fail where a touch would fault. The fallbacks of older kernels are asked for.
#include "fiber/stack.hpp"

#include <alloca.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/os.hpp"
#include "tests/fiber/stage.hpp"

namespace airssys::rt::fiber::stack_test {
namespace {

// How many lines of /proc/self/maps touch the addresses from first to last.
std::size_t mappings_between(const void* first, const void* last) {
  std::ifstream maps("/proc/self/maps");
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line);) {
    const auto dash = line.find('-');
    const auto begin = std::stoull(line.substr(0, dash), nullptr, 16);
    const auto end = std::stoull(line.substr(dash + 1), nullptr, 16);
    if (begin <= reinterpret_cast<std::uintptr_t>(last) &&
        end > reinterpret_cast<std::uintptr_t>(first))
      ++lines;
  }
  return lines;
}

// Whether the kernel can read one byte there on our behalf: no for a guard.
bool is_readable(const std::byte* address) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const bool result = ::write(ends[1], address, 1) == 1;
  EXPECT_TRUE(result || errno == EFAULT);
  ::close(ends[0]);
  ::close(ends[1]);
  return result;
}

// Of the usable part of a stack of the smallest class.
std::size_t resident_pages(std::byte* low) {
  const std::size_t bytes = stride_bytes(0) - guard_bytes;
  std::vector<unsigned char> pages(bytes / base::page_bytes());
  EXPECT_EQ(::mincore(low, bytes, pages.data()), 0);
  std::size_t resident = 0;
  for (const unsigned char page : pages) resident += page & 1U;
  return resident;
}

TEST(Stack, classes_are_powers_of_two_from_64_kib_to_8_mib) {
  EXPECT_EQ(class_for(1), 0);
  EXPECT_EQ(class_for(64 << 10), 0);
  EXPECT_EQ(class_for((64 << 10) + 1), 1);
  EXPECT_EQ(class_for(256 << 10), 2);
  EXPECT_EQ(class_for(8 << 20), 7);
  EXPECT_EQ(class_for((8 << 20) + 1), std::nullopt);
}

TEST(Stack, forty_thousand_guarded_stacks_are_one_line_of_maps) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  std::vector<Fiber*> fibers;
  for (int i = 0; i < 40'000; ++i) {
    fibers.push_back(stacks.take());
    ASSERT_NE(fibers.back(), nullptr);
  }
  if (pool.guard_kind() == GuardKind::marker) {
    const auto [first, last] = std::ranges::minmax(fibers);
    EXPECT_EQ(mappings_between(first, last), 1U);
  }
  for (const std::size_t i : {0U, 1U, 20'000U, 39'999U}) {
    EXPECT_FALSE(is_readable(fibers[i]->low - 1));
    EXPECT_FALSE(is_readable(fibers[i]->low - guard_bytes));
    EXPECT_TRUE(is_readable(fibers[i]->low));
  }
  EXPECT_EQ(pool.stacks(), 40'000U);
  for (Fiber* fiber : fibers) stacks.give(*fiber);
}

// The fallback's canary lies lowest, and is compared at each switch, so it stays.
TEST(Stack, what_a_fiber_that_is_off_holds_stays_and_the_rest_can_be_dropped) {
  for (const GuardKind guard : {GuardKind::marker, GuardKind::canary}) {
    StackPool pool({.guard = guard});
    StackPool::Cache stacks(pool);
    ThreadContext thread;
    Stage stage(stacks, [](Stage& self) {
      // Not known to the compiler: ASan would put it into a stack of its own.
      volatile std::size_t wanted = std::size_t{32} << 10;
      const std::size_t bytes = wanted;
      auto* const used = static_cast<std::byte*>(alloca(bytes));
      std::memset(used, 7, bytes);
      self.wait();
      EXPECT_EQ(std::count(used, used + bytes, std::byte{7}), bytes);
    });
    EXPECT_FALSE(stage.run(thread));
    StackPool::drop_unused(stage.fiber());
    EXPECT_GE(resident_pages(stage.fiber().low), 8U);
    EXPECT_TRUE(stage.run(thread));
    StackPool::drop_unused(stage.fiber());
    EXPECT_LE(resident_pages(stage.fiber().low), 4U);
  }
}

TEST(Stack, tops_are_coloured) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  std::set<std::uintptr_t> offsets;
  std::vector<Fiber*> fibers;
  for (int i = 0; i < 64; ++i) {
    fibers.push_back(stacks.take());
    offsets.insert(reinterpret_cast<std::uintptr_t>(fibers.back()) % base::page_bytes());
  }
  EXPECT_EQ(offsets.size(), 32U);
  for (Fiber* fiber : fibers) stacks.give(*fiber);
}

TEST(Stack, the_last_given_is_the_next_taken_and_still_warm) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  Fiber& first = *stacks.take();
  Fiber& second = *stacks.take();
  EXPECT_EQ(first.place, nullptr);
  prepare(first, [](Fiber&, Ended) {});
  const Place place = first.place;
  stacks.give(second);
  stacks.give(first);
  EXPECT_EQ(stacks.take(), &first);
  EXPECT_EQ(first.place, place);
  EXPECT_EQ(stacks.take(), &second);
  stacks.give(first);
  stacks.give(second);
}

TEST(Stack, each_class_has_stacks_of_its_own_size) {
  StackPool pool({.reservation_bytes = std::size_t{1} << 26});
  StackPool::Cache stacks(pool);
  for (SizeClass size_class = 0; size_class < size_classes; ++size_class) {
    Fiber& fiber = *stacks.take(size_class);
    EXPECT_EQ(fiber.size_class, size_class);
    const auto usable = static_cast<std::size_t>(reinterpret_cast<std::byte*>(&fiber) - fiber.low);
    EXPECT_GE(usable, stride_bytes(size_class) - guard_bytes - 4096);
    stacks.give(fiber);
  }
}

TEST(Stack, caches_share_through_the_depot) {
  StackPool pool;
  std::vector<Fiber*> fibers;
  {
    StackPool::Cache one(pool);
    for (int i = 0; i < 300; ++i) fibers.push_back(one.take());
    for (Fiber* fiber : fibers) one.give(*fiber);
  }
  StackPool::Cache two(pool);
  const std::set<Fiber*> known(fibers.begin(), fibers.end());
  for (Fiber*& fiber : fibers) {
    fiber = two.take();
    EXPECT_TRUE(known.contains(fiber));
  }
  EXPECT_EQ(std::set<Fiber*>(fibers.begin(), fibers.end()).size(), known.size());
  EXPECT_EQ(pool.stacks(), 300U);
  for (Fiber* fiber : fibers) two.give(*fiber);
}

TEST(Stack, an_exhausted_reservation_is_followed_by_another) {
  StackPool pool({.reservation_bytes = std::size_t{1} << 20});
  StackPool::Cache stacks(pool);
  std::vector<Fiber*> fibers;
  for (int i = 0; i < 50; ++i) {
    fibers.push_back(stacks.take());
    ASSERT_NE(fibers.back(), nullptr);
    fibers.back()->user = &pool;
  }
  for (Fiber* fiber : fibers) EXPECT_EQ(pool.find(fiber->low)->fiber, fiber);
  for (Fiber* fiber : fibers) stacks.give(*fiber);
}

TEST(Stack, exhausted_address_space_is_refused_and_what_comes_back_serves_again) {
  StackPool pool({.reservation_bytes = 1});
  StackPool::Cache stacks(pool);
  std::vector<Fiber*> fibers;
  while (Fiber* const fiber = stacks.take()) fibers.push_back(fiber);
  EXPECT_EQ(fibers.size(), 64U * 16);
  stacks.give(*fibers.back());
  EXPECT_EQ(stacks.take(), fibers.back());
  for (Fiber* fiber : fibers) stacks.give(*fiber);
}

TEST(Stack, trimmed_stacks_lose_their_pages_and_come_back_cold) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  std::vector<Fiber*> fibers;
  for (int i = 0; i < 600; ++i) {
    fibers.push_back(stacks.take());
    std::memset(fibers.back()->low, 1, 10'000);
    prepare(*fibers.back(), [](Fiber&, Ended) {});
  }
  std::byte* const low = fibers[0]->low;
  EXPECT_GE(resident_pages(low), 3U);
  for (Fiber* fiber : fibers) stacks.give(*fiber);
  stacks.give_all();
  EXPECT_EQ(pool.trim(100), 500U);
  EXPECT_EQ(pool.cold(), 500U);
  EXPECT_EQ(pool.trim(100), 0U);
  EXPECT_EQ(resident_pages(low), 0U);
  int warm = 0;
  for (Fiber*& fiber : fibers) {
    fiber = stacks.take();
    warm += fiber->place != nullptr;
    EXPECT_FALSE(is_readable(fiber->low - 1));
    EXPECT_EQ(fiber->low[0], std::byte{fiber->place != nullptr});
  }
  EXPECT_EQ(warm, 100);
  EXPECT_EQ(pool.stacks(), 600U);
  for (Fiber* fiber : fibers) stacks.give(*fiber);
}

TEST(Stack, an_address_leads_to_its_stack) {
  StackPool pool;
  StackPool::Cache stacks(pool);
  Fiber& fiber = *stacks.take();
  Fiber& large = *stacks.take(3);
  for (Fiber* each : {&fiber, &large}) {
    EXPECT_EQ(pool.find(each)->fiber, each);
    EXPECT_FALSE(pool.find(each->low)->in_guard);
    EXPECT_EQ(pool.find(each->low - 1)->fiber, each);
    EXPECT_TRUE(pool.find(each->low - 1)->in_guard);
  }
  EXPECT_FALSE(pool.find(&pool).has_value());
  EXPECT_FALSE(pool.find(fiber.low + stride_bytes(0)).has_value());  // not cut yet
  stacks.give(fiber);
  stacks.give(large);
}

TEST(Stack, older_kernels_protect_pages_instead) {
  StackPool pool({.reservation_bytes = std::size_t{1} << 24, .guard = GuardKind::mprotect});
  StackPool::Cache stacks(pool);
  Fiber& fiber = *stacks.take();
  EXPECT_EQ(fiber.guard, Guard::page);
  EXPECT_FALSE(is_readable(fiber.low - 1));
  EXPECT_TRUE(is_readable(fiber.low));
  stacks.give(fiber);
}

void overwrite_the_canary() {
  StackPool pool({.reservation_bytes = std::size_t{1} << 24, .guard = GuardKind::canary});
  StackPool::Cache stacks(pool);
  ThreadContext thread;
  Stage stage(stacks, [](Stage& self) {
    self.wait();
    self.fiber().low[3] = std::byte{0};
  });
  EXPECT_EQ(stage.fiber().guard, Guard::canary);
  EXPECT_FALSE(stage.run(thread));
  stage.run(thread);
}

// All of it in the child: ThreadSanitizer knows no fiber that was made before a fork.
TEST(StackDeathTest, a_canary_that_was_overwritten_ends_the_program) {
  EXPECT_DEATH(overwrite_the_canary(), "has not overflowed");
}

}  // namespace
}  // namespace airssys::rt::fiber::stack_test
