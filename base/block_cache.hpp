// block_cache.hpp: small blocks that a thread keeps for the next who needs one of their size.
//
// A message is a block that one process allocates and another frees, a moment later or on another
// thread. The general allocator pays for both: it gives a page back whose only block was freed, and
// a block that another thread frees is a compare-and-swap on a page that its owner works on. Here a
// free block belongs to nobody: the thread that frees it keeps it and uses it next.
//
//   allocate ◀── loaded magazine ──▶ free             of its size; a load and a store each
//                  ▲ │ empty, full: swapped with
//                  │ ▼
//                spare magazine                       so that who stands at a border swaps for a
//                  ▲ │ likewise empty, full           whole magazine's worth
//                  │ ▼
//                depot, shared by all threads         where flow goes one way: eight senders, one
//                  ▲ │ full, empty, or taken by       receiver. What nobody has needed for a
//                  │ ▼ another thread just now        while is given back
//                base::allocate, base::free           by pages; each is some thread's
//
// A magazine is an array of addresses, not a list that runs through the blocks: what has grown cold
// is handed out without a look at it, and what comes next is fetched into the cache meanwhile. So
// nobody waits for memory before it writes there; a locked instruction, as each push of a message
// is, would wait for that. (Magazines: Bonwick and Adams, USENIX 2001.)
//
// The allocator puts a block back to its page, and only the thread of that page can give it to the
// system, which matters when all of them sleep after a peak. So `returns` says when there is reason
// to let each of them base::collect.
//
// Roles       allocate_small, free_small: any thread; one without a cache goes to the allocator.
//             open, close: a thread that runs processes, at its begin and end.
//             end_period, give_back, returns: any thread; the monitors do it.
// Invariants  C1 a magazine is touched by its thread alone, in the depot by who has taken its pile,
//             and in between by who took it out.
//             C2 blocks of one size's magazines have its size.
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
  static constexpr std::size_t largest = 256;           // bytes; greater ones go to the allocator
  static constexpr std::uint32_t magazine_blocks = 60;  // with its head, half a kibibyte
  static constexpr std::uint32_t fresh_blocks = 16;     // asked of the allocator at a time
  static constexpr std::uint32_t fetched_ahead = 4;     // some 60 ns, at a message's pace

  BlockCache() noexcept;
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

  // Of each size, as many magazines as have lain in the depot all the time since the last call are
  // surplus from now on. False: the depot is empty.
  [[nodiscard]] static bool end_period() noexcept;
  // Frees so many surplus magazines at most, some microseconds each. False: that was all.
  [[nodiscard]] static bool give_back(std::size_t at_most) noexcept;
  // Another figure than last time: blocks have gone to the allocator since then.
  [[nodiscard]] static std::uint32_t returns() noexcept;
  // Frees all of the depot. For the end of a runtime.
  static void give_all_back() noexcept;

  // A block, or null: the loaded magazine is empty. Requires: bytes <= largest.
  void* take(std::size_t bytes) noexcept {
    Magazine& loaded = *shelf_of(bytes).loaded;
    if (loaded.count == 0) [[unlikely]]
      return nullptr;
    void* const* const place = &loaded.blocks[--loaded.count];
    __builtin_prefetch(*(place - fetched_ahead), for_writing);
    return *place;
  }
  // False: the loaded magazine is full.
  bool give(void* block, std::size_t bytes) noexcept {
    Magazine& loaded = *shelf_of(bytes).loaded;
    if (loaded.count == magazine_blocks) [[unlikely]]
      return false;
    loaded.blocks[loaded.count++] = block;
    return true;
  }
  // Afterwards the loaded one is not empty; not full.
  void reload(std::size_t bytes) noexcept { reload(shelf_of(bytes)); }
  void unload(std::size_t bytes) noexcept { unload(shelf_of(bytes)); }

 private:
  struct Magazine {
    // The first four words are also what is fetched ahead of the last blocks, in vain.
    std::array<void*, 2> nothing{};
    Magazine* next = nullptr;  // in the depot
    std::uint64_t count = 0;
    void* blocks[magazine_blocks];
  };
  static_assert(sizeof(Magazine) == 512 && offsetof(Magazine, blocks) == fetched_ahead * 8);
  // Of one size.
  struct Shelf {
    Magazine* loaded;
    Magazine* spare;  // full or empty
  };
  static constexpr std::size_t sizes = largest / granule + 1;
  static constexpr int for_writing = 1;

  struct Depot;
  static Depot depot;

  static std::size_t size_of(std::size_t bytes) noexcept { return (bytes + granule - 1) / granule; }
  Shelf& shelf_of(std::size_t bytes) noexcept { return shelves_[size_of(bytes)]; }
  std::size_t size_of(const Shelf& shelf) const noexcept {
    return static_cast<std::size_t>(&shelf - shelves_.data());
  }
  void reload(Shelf& shelf) noexcept;
  void unload(Shelf& shelf) noexcept;
  static Magazine* new_magazine() noexcept;
  static void fill(Magazine& magazine, std::size_t size) noexcept;
  static void empty(Magazine& magazine) noexcept;

  // Its thread only.
  std::array<Shelf, sizes> shelves_;
};

// What is seldom: a thread without a cache, a large block, a magazine at its end. Apart, so that
// who inlines the rest has nothing to save for a call.
[[nodiscard]] void* allocate_small_slowly(std::size_t bytes) noexcept;
void free_small_slowly(void* block, std::size_t bytes) noexcept;

// The same as the next two where that is quick; null, false: where not.
[[nodiscard]] inline void* try_allocate_small(std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  return cache && bytes <= BlockCache::largest ? cache->take(bytes) : nullptr;
}
[[nodiscard]] inline bool try_free_small(void* block, std::size_t bytes) noexcept {
  BlockCache* cache = BlockCache::current();
  return cache && bytes <= BlockCache::largest && cache->give(block, bytes);
}

// A block of so many bytes, aligned to 16. Any thread. Never null.
[[nodiscard]] inline void* allocate_small(std::size_t bytes) noexcept {
  void* block = try_allocate_small(bytes);
  return block ? block : allocate_small_slowly(bytes);
}
// Gives it back; `bytes` is what was asked for. Any thread.
inline void free_small(void* block, std::size_t bytes) noexcept {
  if (!try_free_small(block, bytes)) free_small_slowly(block, bytes);
}

}  // namespace airssys::rt::base
