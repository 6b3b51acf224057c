// slab.hpp: blocks of one size whose memory stays theirs as long as the slab lives.
//
// "Type-stable": a block that was freed is handed out again as a block of the same slab and never
// becomes anything else, so a late reader of a freed block reads old bytes and never foreign ones.
// While a block is free its first 16 bytes hold links; the rest keeps what it held. Fresh blocks
// are zero.
//   Cache   per scheduler, one caller at a time: a few instructions for allocate and free.
//   depot   in the slab, under a mutex: caches exchange whole batches of blocks with it.
//   chunks  large mappings from which fresh blocks are cut; unmapped by the slab's destructor only.
// A block may be freed through another cache than it came from.
#pragma once

#include <cstddef>

#include "base/intrusive_list.hpp"
#include "base/mutex.hpp"

namespace airssys::rt::base {

class Slab {
  struct FreeBlock {
    FreeBlock* next;        // within its batch
    FreeBlock* next_batch;  // of the first block of a batch in the depot
  };

 public:
  class Cache;

  /// block_bytes is rounded up to align (a power of two, at most a page) and to 16.
  Slab(std::size_t block_bytes, std::size_t align) noexcept;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  /// All caches are gone; blocks that are still out become invalid.
  ~Slab();

  /// For callers without a cache: any thread, takes the mutex. Aborts when memory is out.
  [[nodiscard]] void* allocate() noexcept;
  void free(void* block) noexcept;

  [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }
  /// Memory taken from the system so far.
  [[nodiscard]] std::size_t mapped_bytes() noexcept;

 private:
  static constexpr unsigned batch_blocks = 32;

  struct Chunk {
    Chunk* next;
    std::size_t bytes;
  };

  FreeBlock* take_batch(unsigned& count) noexcept;
  void give_batch(FreeBlock* first, unsigned count) noexcept;
  FreeBlock* cut_fresh(unsigned at_most, unsigned& count) noexcept;
  void map_chunk() noexcept;

  // Fixed after construction.
  std::size_t align_;
  std::size_t block_bytes_;

  Mutex mutex_{LockRank::slab};
  // Under mutex_.
  Stack<&FreeBlock::next_batch> batches_;  // each of batch_blocks blocks
  FreeBlock* loose_ = nullptr;             // blocks that came singly or in short batches
  unsigned loose_count_ = 0;
  std::byte* fresh_ = nullptr;  // the rest of the newest chunk
  std::byte* fresh_end_ = nullptr;
  Chunk* chunks_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

/// One caller at a time. Holds two batches at most, so a caller that swings around a batch's edge
/// does not go to the depot each time.
class Slab::Cache {
 public:
  explicit Cache(Slab& slab) noexcept : slab_(slab) {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
  /// Gives everything back to the depot.
  ~Cache();

  /// A block; aborts when memory is out.
  [[nodiscard]] void* allocate() noexcept {
    if (blocks_ == nullptr) [[unlikely]]
      refill();
    FreeBlock* const block = blocks_;
    blocks_ = block->next;
    --count_;
    return block;
  }

  void free(void* block) noexcept {
    if (count_ == batch_blocks) [[unlikely]]
      set_aside();
    auto* const freed = static_cast<FreeBlock*>(block);
    freed->next = blocks_;
    blocks_ = freed;
    ++count_;
  }

 private:
  void refill() noexcept;
  void set_aside() noexcept;

  Slab& slab_;
  FreeBlock* blocks_ = nullptr;
  unsigned count_ = 0;
  unsigned spare_count_ = 0;
  FreeBlock* spare_ = nullptr;  // set aside by free, used before the depot is asked
};

}  // namespace airssys::rt::base
