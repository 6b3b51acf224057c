// block_cache.cpp: the depot, and what a shelf does when it is empty or full.
#include "base/block_cache.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/atomic.hpp"

namespace airssys::rt::base {

namespace {

// Blocks have gone to the allocator since the last look.
constinit Atomic<bool> have_returned{false};
constinit Atomic<std::uint32_t> looks_that_found_some{0};

// relaxed, here and in returns: a block that is missed is collected with the next.
void note_return() noexcept {
  // It is read first: nobody takes a line from others to write there what it says already.
  if (!have_returned.load(std::memory_order_relaxed))
    have_returned.store(true, std::memory_order_relaxed);
}

}  // namespace

// Full magazines, by size. Whoever has turned is_taken may touch the others.
struct BlockCache::Depot {
  static constexpr std::uint32_t magazines_max = 32'768;  // of one size: two million blocks

  struct Pile {
    Atomic<bool> is_taken{false};
    Magazine* first = nullptr;
    std::uint32_t count = 0;
    std::uint32_t least = 0;    // of count, in this period
    std::uint32_t surplus = 0;  // still to be freed, if nobody takes it before

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

  // Null: there is none, or another thread is at it.
  Magazine* take(std::size_t size) noexcept {
    Pile& pile = piles[size];
    Magazine* taken = nullptr;
    if (!pile.try_take()) return nullptr;
    if (pile.first) {
      taken = std::exchange(pile.first, pile.first->next);
      pile.least = std::min(pile.least, --pile.count);
      pile.surplus = std::min(pile.surplus, pile.count);
    }
    pile.release();
    return taken;
  }
  // False: there is no room, or another thread is at it.
  bool put(std::size_t size, Magazine& full) noexcept {
    Pile& pile = piles[size];
    if (!pile.try_take()) return false;
    const bool has_room = pile.count < magazines_max;
    if (has_room) {
      full.next = std::exchange(pile.first, &full);
      ++pile.count;
    }
    pile.release();
    return has_room;
  }
  // False: none is there, or as take.
  bool end_period(std::size_t size) noexcept {
    Pile& pile = piles[size];
    if (!pile.try_take()) return false;
    pile.surplus = std::exchange(pile.least, pile.count);
    const bool holds_some = pile.count != 0;
    pile.release();
    return holds_some;
  }
  // Null: none is surplus, or as take.
  Magazine* take_surplus(std::size_t size) noexcept {
    Pile& pile = piles[size];
    Magazine* taken = nullptr;
    if (!pile.try_take()) return nullptr;
    if (pile.surplus != 0) {
      taken = std::exchange(pile.first, pile.first->next);
      pile.least = std::min(pile.least, --pile.count);
      --pile.surplus;
    }
    pile.release();
    return taken;
  }
};

constinit BlockCache::Depot BlockCache::depot;

BlockCache::Magazine* BlockCache::new_magazine() noexcept {
  return ::new (allocate(sizeof(Magazine))) Magazine;
}

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

BlockCache::BlockCache() noexcept {
  for (Shelf& shelf : shelves_) shelf = {new_magazine(), new_magazine()};
}

BlockCache::~BlockCache() {
  for (Shelf& shelf : shelves_) {
    for (Magazine* magazine : {shelf.loaded, shelf.spare}) {
      empty(*magazine);
      free(magazine);
    }
  }
}

bool BlockCache::end_period() noexcept {
  bool holds_some = false;
  for (std::size_t size = 0; size < sizes; ++size) holds_some |= depot.end_period(size);
  return holds_some;
}

bool BlockCache::give_back(std::size_t at_most) noexcept {
  for (std::size_t size = 0; size < sizes; ++size) {
    while (Magazine* surplus = depot.take_surplus(size)) {
      empty(*surplus);
      free(surplus);
      if (--at_most == 0) return true;
    }
  }
  return false;
}

std::uint32_t BlockCache::returns() noexcept {
  // relaxed, twice: see note_return.
  if (have_returned.exchange(false, std::memory_order_relaxed))
    looks_that_found_some.fetch_add(1, std::memory_order_relaxed);
  return looks_that_found_some.load(std::memory_order_relaxed);  // relaxed: likewise
}

void BlockCache::give_all_back() noexcept {
  for (int period = 0; period < 2; ++period) static_cast<void>(end_period());
  while (give_back(Depot::magazines_max)) continue;
}

void BlockCache::empty(Magazine& magazine) noexcept {
  while (magazine.count > 0) free(magazine.blocks[--magazine.count]);
  note_return();
}

void BlockCache::reload(Shelf& shelf) noexcept {
  if (shelf.spare->count == 0) {
    Magazine* full = depot.take(size_of(shelf));
    if (!full) return fill(*shelf.loaded, size_of(shelf));
    free(std::exchange(shelf.spare, full));
  }
  std::swap(shelf.loaded, shelf.spare);
}

void BlockCache::fill(Magazine& magazine, std::size_t size) noexcept {
  const std::size_t bytes = std::max(size, std::size_t{1}) * granule;
  while (magazine.count < fresh_blocks) magazine.blocks[magazine.count++] = allocate(bytes);
}

// What was freed last stays: it is still in the cache of the processor that will use it next. The
// new magazine is there before the old one leaves: whoever is cut off in between only loses one.
void BlockCache::unload(Shelf& shelf) noexcept {
  std::swap(shelf.loaded, shelf.spare);
  if (shelf.loaded->count == 0) return;
  Magazine* const full = std::exchange(shelf.loaded, new_magazine());
  if (depot.put(size_of(shelf), *full)) return;
  empty(*full);
  free(full);
}

void* allocate_small_slowly(std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  if (!cache || bytes > BlockCache::largest) return allocate(bytes);
  cache->reload(bytes);
  return cache->take(bytes);
}

void free_small_slowly(void* block, std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  if (!cache || bytes > BlockCache::largest) {
    free(block);
    return note_return();
  }
  cache->unload(bytes);
  static_cast<void>(cache->give(block, bytes));
}

}  // namespace airssys::rt::base
