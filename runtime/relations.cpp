// relations.cpp: a small array, with a hash index once it is not small any more.
//
// The index holds positions in the array plus one; open addressing, linear probing, and deletion by
// shifting back, so that it never fills with marks of the deleted.
#include "runtime/relations.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/block_cache.hpp"

namespace airssys::rt::runtime {

std::uint32_t Relations::hash_of(const Key& key) noexcept {
  const std::uint64_t mixed = (key.first + key.second * 0xD6E8FEB86659FD93U) * 0x9E3779B97F4A7C15U;
  return static_cast<std::uint32_t>(mixed >> 32) ^ static_cast<std::uint32_t>(mixed);
}

Relations::Block* Relations::new_block(std::uint32_t capacity) {
  auto* block = static_cast<Block*>(base::allocate_small(Block::bytes_for(capacity)));
  *block = {0, capacity, nullptr, 0};
  return block;
}

void Relations::make_room() {
  if (!block_) {
    block_ = new_block(1);
    return;
  }
  Block* full = std::exchange(block_, new_block(block_->capacity * 2));
  block_->count = full->count;
  std::copy_n(full->items(), full->count, block_->items());
  base::free(full->index);
  base::free_small(full, Block::bytes_for(full->capacity));
  if (block_->capacity > searched_max) build_index();
}

Relation* Relations::look_up(const Key& key) noexcept {
  Relation* items = block_->items();
  const std::uint32_t mask = block_->index_slots - 1;
  for (std::uint32_t slot = hash_of(key) & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t entry = block_->index[slot];
    if (entry == 0) return nullptr;
    if (key_of(items[entry - 1]) == key) return &items[entry - 1];
  }
}

void Relations::remove(Relation& relation) noexcept {
  Relation* items = block_->items();
  Relation& last = items[block_->count - 1];
  if (block_->index) {
    index_erase(index_place(relation));
    if (&relation != &last) *index_place(last) = entry_of(relation);
  }
  if (&relation != &last) relation = last;
  if (--block_->count == 0) clear();
}

void Relations::clear() noexcept {
  if (!block_) return;
  if (block_->index) base::free(block_->index);
  base::free_small(block_, Block::bytes_for(block_->capacity));
  block_ = nullptr;
}

std::size_t Relations::heap_bytes() const noexcept {
  if (!block_) return 0;
  return Block::bytes_for(block_->capacity) +
         (block_->index ? block_->index_slots * sizeof(std::uint32_t) : 0);
}

void Relations::build_index() {
  block_->index_slots = block_->capacity * 2;
  const std::size_t bytes = block_->index_slots * sizeof(std::uint32_t);
  block_->index = static_cast<std::uint32_t*>(base::allocate(bytes));
  std::memset(block_->index, 0, bytes);
  for (Relation& relation : all()) index_insert(relation);
}

void Relations::index_insert(Relation& relation) noexcept {
  relation.hash = hash_of(key_of(relation));
  const std::uint32_t mask = block_->index_slots - 1;
  std::uint32_t slot = relation.hash & mask;
  while (block_->index[slot] != 0) slot = (slot + 1) & mask;
  block_->index[slot] = entry_of(relation);
}

// Where the index names this relation. Requires: it is in the array.
std::uint32_t* Relations::index_place(const Relation& relation) noexcept {
  const std::uint32_t mask = block_->index_slots - 1;
  const std::uint32_t entry = entry_of(relation);
  std::uint32_t slot = relation.hash & mask;
  while (block_->index[slot] != entry) {
    RT_CHECK(block_->index[slot] != 0, "a relation that its index does not know");
    slot = (slot + 1) & mask;
  }
  return &block_->index[slot];
}

void Relations::index_erase(std::uint32_t* place) noexcept {
  const std::uint32_t mask = block_->index_slots - 1;
  auto hole = static_cast<std::uint32_t>(place - block_->index);
  for (std::uint32_t slot = (hole + 1) & mask; block_->index[slot] != 0; slot = (slot + 1) & mask) {
    // An entry may move into the hole unless its own place lies behind the hole.
    const std::uint32_t home = block_->items()[block_->index[slot] - 1].hash & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    block_->index[hole] = block_->index[slot];
    hole = slot;
  }
  block_->index[hole] = 0;
}

}  // namespace airssys::rt::runtime
