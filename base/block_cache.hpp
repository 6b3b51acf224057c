// block_cache.hpp: small blocks that a thread keeps for the next who needs one of their size.
//
// A message is a block that one process allocates and another frees, a moment later or on another
// thread. The general allocator pays for both: it gives a page back whose only block was freed, and
// a block that another thread frees is a compare-and-swap on a page that its owner works on. Here a
// free block belongs to nobody: the thread that frees it keeps it and uses it next.
//
//   allocate ◀── list of its size ──▶ free          two loads and two stores each
//                  │ ▲ empty: a batch
//      full: half  ▼ │
//                 depot, shared by all threads       where flow goes one way: eight senders, one
//                  │ ▲                               receiver
//                  ▼ │ full, empty, or taken by another thread just now
//                 base::allocate, base::free
//
// Roles       allocate_small, free_small: any thread; one without a cache goes to the allocator.
//             open, close: a thread that runs processes, at its begin and end.
// Invariants  C1 a list is touched by its thread alone. C2 blocks of one list have its size.
// Progress    nothing here waits: the depot is tried, and passed by when it is taken. So a thread
//             that is cut off in the middle (a stack overflow) blocks nobody.
// Not here    under a sanitizer there are no caches: it has to see each block freed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/memory.hpp"
#include "base/this_thread.hpp"

namespace airssys::rt::base {

class BlockCache {
 public:
  static constexpr std::size_t granule = 16;
  static constexpr std::size_t largest = 256;     // bytes; greater ones go to the allocator
  static constexpr std::uint32_t kept_max = 256;  // of one size, by one thread
  static constexpr std::uint32_t batch = kept_max / 2;

  BlockCache() noexcept = default;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache();

  // The calling thread's, or null.
  static BlockCache* current() noexcept {
    return static_cast<BlockCache*>(this_thread::read<this_thread::Slot::block_cache>());
  }
  // The calling thread keeps blocks from now on; until `close`.
  static void open() noexcept;
  static void close() noexcept;

  // Requires: bytes <= largest.
  void* take(std::size_t bytes) noexcept {
    List& list = list_of(bytes);
    Block* block = list.first;
    if (!block) [[unlikely]]
      return refill(list, bytes);
    list.first = block->next;
    --list.count;
    return block;
  }
  void give(void* memory, std::size_t bytes) noexcept {
    List& list = list_of(bytes);
    if (list.count == kept_max) [[unlikely]]
      unload(list);
    auto* block = static_cast<Block*>(memory);
    block->next = list.first;
    list.first = block;
    ++list.count;
  }

 private:
  struct Block {
    Block* next;        // of the list
    Block* next_batch;  // of the first of a batch, in the depot
  };
  static_assert(sizeof(Block) <= granule);
  struct List {
    Block* first = nullptr;
    std::uint32_t count = 0;
  };
  static constexpr std::size_t sizes = largest / granule + 1;

  struct Depot;
  static Depot depot;

  static std::size_t size_of(std::size_t bytes) noexcept { return (bytes + granule - 1) / granule; }
  List& list_of(std::size_t bytes) noexcept { return lists_[size_of(bytes)]; }
  void* refill(List& list, std::size_t bytes) noexcept;
  void unload(List& list) noexcept;
  static void free_all(Block* block) noexcept;

  // Its thread only.
  std::array<List, sizes> lists_;
};

// A block of so many bytes, aligned to 16. Any thread. Never null.
[[nodiscard]] inline void* allocate_small(std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  return cache && bytes <= BlockCache::largest ? cache->take(bytes) : allocate(bytes);
}
// Gives it back; `bytes` is what was asked for. Any thread.
inline void free_small(void* block, std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  if (cache && bytes <= BlockCache::largest) {
    cache->give(block, bytes);
  } else {
    free(block);
  }
}

}  // namespace airssys::rt::base
