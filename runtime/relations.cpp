// relations.cpp: a small array, with a hash index once it is not small any more.
//
// The index holds positions in the array plus one; open addressing, linear probing, and deletion by
// shifting back, so that it never fills with marks of the deleted.
#include "runtime/relations.hpp"

#include <algorithm>
#include <cstring>

#include "base/block_cache.hpp"

namespace airssys::rt::runtime {

std::uint32_t Relations::hash_of(const Key& key) noexcept {
  std::uint64_t mixed = key.first * 0x9E3779B97F4A7C15U;
  mixed = (mixed ^ (mixed >> 32) ^ key.second) * 0xD6E8FEB86659FD93U;
  mixed ^= static_cast<std::uint64_t>(key.kind) * 0xBF58476D1CE4E5B9U;
  return static_cast<std::uint32_t>(mixed >> 32) ^ static_cast<std::uint32_t>(mixed);
}

void Relations::add_seldom(const Relation& relation) {
  if (!block_ || block_->count == block_->capacity) grow();
  block_->items()[block_->count] = relation;
  ++block_->count;
  if (block_->index) index_insert(block_->count - 1);
}

Relation* Relations::look_up(const Key& key) noexcept {
  Relation* items = block_->items();
  const std::uint32_t mask = block_->index_slots - 1;
  for (std::uint32_t slot = hash_of(key) & mask;; slot = (slot + 1) & mask) {
    const std::uint32_t position = block_->index[slot];
    if (position == 0) return nullptr;
    if (key_of(items[position - 1]) == key) return &items[position - 1];
  }
}

void Relations::remove(Relation& relation) noexcept {
  Relation* items = block_->items();
  Relation& last = items[block_->count - 1];
  if (block_->index) {
    index_erase(index_place(relation));
    if (&relation != &last) *index_place(last) = static_cast<std::uint32_t>(&relation - items) + 1;
  }
  if (&relation != &last) relation = last;
  if (--block_->count == 0) clear();
}

std::span<Relation> Relations::all() noexcept {
  if (!block_) return {};
  return {block_->items(), block_->count};
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

void Relations::grow() {
  const std::uint32_t count = block_ ? block_->count : 0;
  const std::uint32_t capacity = block_ ? block_->capacity * 2 : 1;
  auto* grown = static_cast<Block*>(base::allocate_small(Block::bytes_for(capacity)));
  *grown = {count, capacity, nullptr, 0};
  if (block_) {
    std::copy_n(block_->items(), count, grown->items());
    base::free(block_->index);
    base::free_small(block_, Block::bytes_for(block_->capacity));
  }
  block_ = grown;
  if (capacity > searched_max) build_index();
}

void Relations::build_index() {
  block_->index_slots = block_->capacity * 2;
  const std::size_t bytes = block_->index_slots * sizeof(std::uint32_t);
  block_->index = static_cast<std::uint32_t*>(base::allocate(bytes));
  std::memset(block_->index, 0, bytes);
  for (std::uint32_t position = 0; position < block_->count; ++position) index_insert(position);
}

void Relations::index_insert(std::uint32_t position) noexcept {
  const std::uint32_t mask = block_->index_slots - 1;
  std::uint32_t slot = hash_of(key_of(block_->items()[position])) & mask;
  while (block_->index[slot] != 0) slot = (slot + 1) & mask;
  block_->index[slot] = position + 1;
}

// Where the index names this relation. Requires: it is in the array.
std::uint32_t* Relations::index_place(const Relation& relation) noexcept {
  const std::uint32_t mask = block_->index_slots - 1;
  const auto position = static_cast<std::uint32_t>(&relation - block_->items()) + 1;
  std::uint32_t slot = hash_of(key_of(relation)) & mask;
  while (block_->index[slot] != position) {
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
    const std::uint32_t home = hash_of(key_of(block_->items()[block_->index[slot] - 1])) & mask;
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    block_->index[hole] = block_->index[slot];
    hole = slot;
  }
  block_->index[hole] = 0;
}

}  // namespace airssys::rt::runtime
