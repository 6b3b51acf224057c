// memory_test.cpp: blocks are aligned, distinct, and may be freed anywhere.
// Method: allocates over sizes and alignments, writes all bytes, frees on another thread; the
// sanitizers watch the rest.
#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/support/resident.hpp"

namespace airssys::rt::base::memory_test {
namespace {

TEST(Memory, blocks_have_the_alignment_that_was_asked_for) {
  for (std::size_t align = 1; align <= 4096; align *= 2)
    for (const std::size_t bytes : {0U, 1U, 24U, 100U, 5000U}) {
      void* const block = allocate(bytes, align);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % align, 0U);
      std::memset(block, 0xab, bytes);
      free_sized(block, bytes);
    }
}

TEST(Memory, a_block_may_be_freed_by_another_thread) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(allocate(48));
  std::thread([&] {
    for (void* block : blocks) free(block);
  }).join();
  collect();
  void* const block = allocate(48);
  std::memset(block, 1, 48);
  free(block);
}

#ifdef AIRSSYS_RT_MIMALLOC
TEST(Memory, pages_whose_blocks_others_freed_go_to_the_system_when_their_thread_collects) {
  std::vector<void*> blocks;
  for (int i = 0; i < 50'000; ++i) {
    blocks.push_back(allocate(64));
    std::memset(blocks.back(), 1, 64);
  }
  EXPECT_GT(support::resident_pages_of(blocks), 700U);
  std::thread([&] {
    for (std::size_t i = 1; i < blocks.size(); ++i) free(blocks[i]);
  }).join();
  collect();
  // The first block keeps its page, which the allocator makes of 16 of the system's.
  EXPECT_LE(support::resident_pages_of(blocks), 32U);
  free(blocks.front());
}
#endif

TEST(Memory, free_of_null_does_nothing) {
  free(nullptr);
}

TEST(Memory, containers_live_on_the_same_heap) {
  std::vector<int, Allocator<int>> numbers;
  for (int i = 0; i < 10'000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers[9'999], 9'999);
}

TEST(MemoryDeathTest, running_out_ends_the_program_with_a_sentence) {
  EXPECT_DEATH(static_cast<void>(allocate(std::size_t{1} << 62)), "system has memory|allocat");
}

}  // namespace
}  // namespace airssys::rt::base::memory_test
