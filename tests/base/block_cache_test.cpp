// block_cache_test.cpp: blocks come back to who needs one of their size, on whatever thread.
//
// Aim: no block is handed out twice, each holds what was asked for and is aligned, and what one
// thread frees another can use. Method: threads with caches of their own; each block is written to
// its end. Where the system's allocator serves (a sanitizer, -Dallocator=system) there are no
// caches, and the same must hold.
#include "base/block_cache.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::base::block_cache_test {
namespace {

void on_a_thread_with_a_cache(const std::function<void()>& f) {
  std::thread([&f] {
    BlockCache::open();
    f();
    BlockCache::close();
  }).join();
}

TEST(BlockCacheTest, blocks_are_aligned_distinct_and_as_large_as_asked_for) {
  on_a_thread_with_a_cache([] {
    for (std::size_t bytes = 1; bytes <= BlockCache::largest + 64; bytes += 7) {
      std::set<void*> blocks;
      for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 600; ++i) {
          void* block = allocate_small(bytes);
          EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
          std::memset(block, round, bytes);
          EXPECT_TRUE(blocks.insert(block).second) << "handed out twice";
        }
        for (void* block : blocks) free_small(block, bytes);
        blocks.clear();
      }
    }
  });
}

TEST(BlockCacheTest, a_thread_without_a_cache_is_served_as_well) {
  void* block = allocate_small(40);
  std::memset(block, 1, 40);
  on_a_thread_with_a_cache([&] { free_small(block, 40); });
  void* other = nullptr;
  on_a_thread_with_a_cache([&] { other = allocate_small(40); });
  free_small(other, 40);
}

TEST(BlockCacheTest, what_one_thread_frees_another_uses) {
  const std::size_t blocks_in_all = support::stress_size(20'000);
  std::vector<void*> blocks;
  on_a_thread_with_a_cache([&] {
    for (std::size_t i = 0; i < blocks_in_all; ++i) blocks.push_back(allocate_small(64));
  });
  on_a_thread_with_a_cache([&] {
    for (void* block : blocks) free_small(block, 64);
  });
  on_a_thread_with_a_cache([&] {
    std::set<void*> again;
    for (std::size_t i = 0; i < blocks_in_all; ++i) {
      void* block = allocate_small(64);
      std::memset(block, 2, 64);
      EXPECT_TRUE(again.insert(block).second);
    }
    for (void* block : again) free_small(block, 64);
  });
}

TEST(BlockCacheTest, what_nobody_needs_for_a_period_is_given_back) {
  BlockCache::give_all_back();
  on_a_thread_with_a_cache([] {
    const bool has_cache = BlockCache::current() != nullptr;
    std::set<void*> blocks;
    while (blocks.size() < 10'000) blocks.insert(allocate_small(80));
    for (void* block : blocks) free_small(block, 80);
    EXPECT_EQ(BlockCache::end_period(), has_cache) << "they came within this period";
    EXPECT_FALSE(BlockCache::give_back(1));
    void* needed = allocate_small(80);
    EXPECT_EQ(BlockCache::end_period(), has_cache);
    EXPECT_EQ(BlockCache::give_back(1), has_cache);
    while (BlockCache::give_back(1)) continue;
    EXPECT_FALSE(BlockCache::end_period()) << "all of them lay there for a period";
    free_small(needed, 80);
  });
}

TEST(BlockCacheTest, it_shows_that_blocks_have_gone_to_the_allocator) {
  BlockCache::give_all_back();
  std::uint32_t before = BlockCache::returns();
  const auto some_have_gone = [&before] {
    return std::exchange(before, BlockCache::returns()) != before;
  };
  EXPECT_FALSE(some_have_gone());
  on_a_thread_with_a_cache([&] {
    const bool has_cache = BlockCache::current() != nullptr;
    free_small(allocate_small(80), 80);
    EXPECT_EQ(some_have_gone(), !has_cache) << "the thread keeps it";
    free_small(allocate_small(4000), 4000);
    EXPECT_TRUE(some_have_gone()) << "it is too large to be kept";
    std::vector<void*> blocks;
    while (blocks.size() < 10'000) blocks.push_back(allocate_small(80));
    for (void* block : blocks) free_small(block, 80);
    EXPECT_EQ(some_have_gone(), !has_cache) << "they lie in the depot";
    for (int period = 0; period < 2; ++period) static_cast<void>(BlockCache::end_period());
    static_cast<void>(BlockCache::give_back(1));
    EXPECT_EQ(some_have_gone(), has_cache) << "surplus";
  });
  static_cast<void>(some_have_gone());  // what the thread kept, at its end
  free_small(allocate_small(80), 80);
  EXPECT_TRUE(some_have_gone()) << "this thread has no cache";
  BlockCache::give_all_back();
}

TEST(BlockCacheTest, what_was_needed_within_a_period_stays) {
  BlockCache::give_all_back();
  on_a_thread_with_a_cache([] {
    const bool has_cache = BlockCache::current() != nullptr;
    std::set<void*> blocks;
    for (int peak = 0; peak < 3; ++peak) {
      while (blocks.size() < 10'000) blocks.insert(allocate_small(80));
      for (void* block : blocks) free_small(block, 80);
      blocks.clear();
      EXPECT_EQ(BlockCache::end_period(), has_cache);
      if (peak != 0) {
        EXPECT_FALSE(BlockCache::give_back(1000)) << "the peak took them all";
      }
    }
  });
  BlockCache::give_all_back();
}

// Each thread frees what the one before it has allocated, all at once.
TEST(BlockCacheTest, a_stream_between_threads_loses_and_doubles_nothing) {
  constexpr std::size_t threads = 4;
  const std::size_t rounds = support::stress_size(200);
  std::vector<std::vector<void*>> handed(threads);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::vector<void*>> made(threads);
    std::vector<std::thread> all;
    for (std::size_t me = 0; me < threads; ++me) {
      all.emplace_back([&, me] {
        BlockCache::open();
        for (void* block : handed[me]) {
          EXPECT_EQ(*static_cast<std::size_t*>(block), me);
          free_small(block, 48);
        }
        for (int i = 0; i < 500; ++i) {
          made[me].push_back(allocate_small(48));
          *static_cast<std::size_t*>(made[me].back()) = (me + 1) % threads;
        }
        BlockCache::close();
      });
    }
    for (std::thread& thread : all) thread.join();
    for (std::size_t me = 0; me < threads; ++me) handed[(me + 1) % threads] = std::move(made[me]);
  }
  for (const auto& blocks : handed) {
    for (void* block : blocks) free_small(block, 48);
  }
}

}  // namespace
}  // namespace airssys::rt::base::block_cache_test
