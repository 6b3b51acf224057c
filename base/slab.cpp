// slab.cpp: the depot and its chunks.
//
// Chunks grow from 256 KiB to 4 MiB, so a small slab stays small and a large one asks seldom.
#include "base/slab.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

#include "base/assert.hpp"
#include "base/os.hpp"

namespace airssys::rt::base {

namespace {

constexpr std::size_t chunk_bytes_min = std::size_t{256} << 10;
constexpr std::size_t chunk_bytes_max = std::size_t{4} << 20;

std::size_t round_up(std::size_t bytes, std::size_t to) noexcept {
  return (bytes + to - 1) / to * to;
}

}  // namespace

Slab::Slab(std::size_t block_bytes, std::size_t align) noexcept
    : align_(std::max(align, alignof(FreeBlock))),
      block_bytes_(round_up(std::max(block_bytes, sizeof(FreeBlock)), align_)) {
  RT_CHECK(std::has_single_bit(align) && align <= page_bytes(), "a block's alignment is possible");
}

Slab::~Slab() {
  while (chunks_ != nullptr) {
    Chunk* const chunk = std::exchange(chunks_, chunks_->next);
    ::munmap(chunk, chunk->bytes);
  }
}

void* Slab::allocate() noexcept {
  const std::lock_guard lock(mutex_);
  if (loose_ == nullptr) {
    loose_ = batches_.pop();
    loose_count_ = batch_blocks;
  }
  if (loose_ == nullptr) loose_ = cut_fresh(1, loose_count_);
  --loose_count_;
  return std::exchange(loose_, loose_->next);
}

void Slab::free(void* block) noexcept {
  auto* const freed = static_cast<FreeBlock*>(block);
  freed->next = nullptr;
  give_batch(freed, 1);
}

std::size_t Slab::mapped_bytes() noexcept {
  const std::lock_guard lock(mutex_);
  return mapped_bytes_;
}

Slab::FreeBlock* Slab::take_batch(unsigned& count) noexcept {
  const std::lock_guard lock(mutex_);
  if (FreeBlock* const batch = batches_.pop()) {
    count = batch_blocks;
    return batch;
  }
  if (loose_ != nullptr) {
    count = std::exchange(loose_count_, 0);
    return std::exchange(loose_, nullptr);
  }
  return cut_fresh(batch_blocks, count);
}

void Slab::give_batch(FreeBlock* first, unsigned count) noexcept {
  const std::lock_guard lock(mutex_);
  if (count == batch_blocks) {
    batches_.push(*first);
    return;
  }
  while (first != nullptr) {
    FreeBlock* const block = std::exchange(first, first->next);
    block->next = loose_;
    loose_ = block;
    if (++loose_count_ == batch_blocks) {
      batches_.push(*std::exchange(loose_, nullptr));
      loose_count_ = 0;
    }
  }
}

Slab::FreeBlock* Slab::cut_fresh(unsigned at_most, unsigned& count) noexcept {
  if (static_cast<std::size_t>(fresh_end_ - fresh_) < block_bytes_) map_chunk();
  FreeBlock* first = nullptr;
  for (count = 0; count < at_most; ++count) {
    if (static_cast<std::size_t>(fresh_end_ - fresh_) < block_bytes_) break;
    auto* const block = reinterpret_cast<FreeBlock*>(fresh_);
    fresh_ += block_bytes_;
    block->next = first;
    first = block;
  }
  return first;
}

void Slab::map_chunk() noexcept {
  const std::size_t header = round_up(sizeof(Chunk), align_);
  const std::size_t wanted = std::clamp(mapped_bytes_, chunk_bytes_min, chunk_bytes_max);
  const std::size_t bytes =
      round_up(std::max(wanted, header + batch_blocks * block_bytes_), page_bytes());
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RT_CHECK(memory != MAP_FAILED, "the system has memory for the runtime's own blocks");
  chunks_ = ::new (memory) Chunk{chunks_, bytes};
  fresh_ = static_cast<std::byte*>(memory) + header;
  fresh_end_ = static_cast<std::byte*>(memory) + bytes;
  mapped_bytes_ += bytes;
}

Slab::Cache::~Cache() {
  if (blocks_ != nullptr) slab_.give_batch(blocks_, count_);
  if (spare_ != nullptr) slab_.give_batch(spare_, spare_count_);
}

void Slab::Cache::refill() noexcept {
  RT_CHECK(count_ == 0, "a cache counts its blocks");
  if (spare_ != nullptr) {
    blocks_ = std::exchange(spare_, nullptr);
    count_ = std::exchange(spare_count_, 0);
  } else {
    blocks_ = slab_.take_batch(count_);
  }
}

void Slab::Cache::set_aside() noexcept {
  if (spare_ != nullptr) slab_.give_batch(spare_, spare_count_);
  spare_ = std::exchange(blocks_, nullptr);
  spare_count_ = std::exchange(count_, 0);
}

}  // namespace airssys::rt::base
