// block_cache.cpp: the depot, and what a list does when it is empty or full.
#include "base/block_cache.hpp"

#include <algorithm>
#include <new>

#include "base/atomic.hpp"

namespace airssys::rt::base {

// Batches of free blocks, by size. Whoever has turned is_taken may touch the others.
struct BlockCache::Depot {
  static constexpr std::uint32_t batches_max = 64;  // of one size: at most 2 MiB

  struct Pile {
    Atomic<bool> is_taken{false};
    Block* first = nullptr;
    std::uint32_t count = 0;

    bool try_take() noexcept {
      // acquire: pairs with release; weaker, and the list could be seen half-changed.
      return !is_taken.exchange(true, std::memory_order_acquire);
    }
    void release() noexcept {
      // release: hands the list over, pairs with try_take.
      is_taken.store(false, std::memory_order_release);
    }
  };

  std::array<Pile, sizes> piles;
};

constinit BlockCache::Depot BlockCache::depot;

void BlockCache::open() noexcept {
#ifdef AIRSSYS_RT_MIMALLOC
  this_thread::set(this_thread::Slot::block_cache, ::new (allocate(sizeof(BlockCache))) BlockCache);
#endif
}

void BlockCache::close() noexcept {
  BlockCache* cache = current();
  if (!cache) return;
  this_thread::set(this_thread::Slot::block_cache, nullptr);
  cache->~BlockCache();
  free(cache);
}

BlockCache::~BlockCache() {
  for (List& list : lists_) free_all(list.first);
}

void BlockCache::free_all(Block* block) noexcept {
  while (block) {
    Block* next = block->next;
    free(block);
    block = next;
  }
}

// A block for the caller; the rest of a batch of the depot, if there is one, into the list.
void* BlockCache::refill(List& list, std::size_t bytes) noexcept {
  Depot::Pile& pile = depot.piles[size_of(bytes)];
  Block* taken = nullptr;
  if (pile.try_take()) {
    taken = pile.first;
    if (taken) {
      pile.first = taken->next_batch;
      --pile.count;
    }
    pile.release();
  }
  if (!taken) return allocate(std::max(size_of(bytes), std::size_t{1}) * granule);
  list.first = taken->next;
  list.count = batch - 1;
  return taken;
}

// The first half of the list becomes a batch: what was freed last is still in the cache of the
// processor that will use it next, if another thread needs blocks now.
void BlockCache::unload(List& list) noexcept {
  Block* first = list.first;
  Block* last = first;
  for (std::uint32_t i = 1; i < batch; ++i) last = last->next;
  list.first = last->next;
  list.count -= batch;
  last->next = nullptr;
  Depot::Pile& pile = depot.piles[static_cast<std::size_t>(&list - lists_.data())];
  bool is_full = true;
  if (pile.try_take()) {
    is_full = pile.count == Depot::batches_max;
    if (!is_full) {
      first->next_batch = pile.first;
      pile.first = first;
      ++pile.count;
    }
    pile.release();
  }
  if (is_full) free_all(first);
}

}  // namespace airssys::rt::base
