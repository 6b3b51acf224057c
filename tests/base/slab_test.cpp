// slab_test.cpp: blocks are distinct, come back, keep their bytes, and move between caches.
// Method: one thread for the rules; several for blocks that are freed elsewhere, under TSan.
#include "base/slab.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace airssys::rt::base::slab_test {
namespace {

TEST(Slab, blocks_are_distinct_aligned_and_fresh_ones_are_zero) {
  Slab slab(100, 64);
  EXPECT_EQ(slab.block_bytes(), 128U);
  Slab::Cache cache(slab);
  std::set<void*> blocks;
  for (int i = 0; i < 10'000; ++i) {
    auto* const block = static_cast<char*>(cache.allocate());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0U);
    EXPECT_EQ(block[100 - 1], 0);
    std::memset(block, 0xff, 100);
    EXPECT_TRUE(blocks.insert(block).second);
  }
  for (void* block : blocks) cache.free(block);
}

TEST(Slab, a_freed_block_comes_back_before_fresh_memory_is_touched) {
  Slab slab(64, 64);
  Slab::Cache cache(slab);
  void* const block = cache.allocate();
  cache.free(block);
  EXPECT_EQ(cache.allocate(), block);
  cache.free(block);
}

TEST(Slab, a_freed_block_keeps_all_but_its_first_sixteen_bytes) {
  Slab slab(64, 64);
  Slab::Cache cache(slab);
  auto* const block = static_cast<unsigned char*>(cache.allocate());
  std::memset(block, 0x5a, 64);
  cache.free(block);
  for (int i = 16; i < 64; ++i) EXPECT_EQ(block[i], 0x5a);
}

TEST(Slab, blocks_freed_through_another_cache_are_used_again) {
  Slab slab(64, 64);
  Slab::Cache producer(slab);
  Slab::Cache consumer(slab);
  for (int round = 0; round < 1000; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(producer.allocate());
    for (void* block : blocks) consumer.free(block);
  }
  EXPECT_LE(slab.mapped_bytes(), std::size_t{1} << 20);
}

TEST(Slab, callers_without_a_cache_recycle_too) {
  Slab slab(64, 64);
  for (int round = 0; round < 1000; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) blocks.push_back(slab.allocate());
    EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
    for (void* block : blocks) slab.free(block);
  }
  EXPECT_LE(slab.mapped_bytes(), std::size_t{1} << 20);
}

TEST(Slab, a_cache_that_ends_gives_everything_back) {
  Slab slab(4096, 64);
  for (int round = 0; round < 1000; ++round) {
    Slab::Cache cache(slab);
    cache.free(cache.allocate());
  }
  EXPECT_LE(slab.mapped_bytes(), std::size_t{1} << 20);
}

TEST(Slab, threads_share_it_through_their_caches) {
  Slab slab(64, 64);
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < 4; ++number)
    threads.emplace_back([&slab, number] {
      Slab::Cache cache(slab);
      for (int round = 0; round < 200; ++round) {
        std::vector<void*> blocks;
        for (int i = 0; i < 70; ++i) {
          blocks.push_back(cache.allocate());
          std::memset(blocks.back(), static_cast<int>(number), 64);
        }
        for (void* block : blocks) {
          const auto* const bytes = static_cast<unsigned char*>(block);
          ASSERT_EQ(bytes[0], number);
          ASSERT_EQ(bytes[63], number);
          cache.free(block);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace airssys::rt::base::slab_test
