// entry.cpp: one block from operator new, the entry in front, the key behind it.
#include "examples/kvd/entry.hpp"

#include <cstring>
#include <new>

namespace kvd {

EntryPointer make_entry(std::string_view key, std::uint64_t hash) {
  void* block = ::operator new(sizeof(Entry) + key.size());
  auto* entry = new (block) Entry(hash, static_cast<std::uint32_t>(key.size()));
  std::memcpy(static_cast<void*>(entry + 1), key.data(), key.size());
  return EntryPointer(entry);
}

void EntryDeleter::operator()(Entry* entry) const noexcept {
  entry->~Entry();
  ::operator delete(static_cast<void*>(entry));
}

std::size_t memory_of(const Entry& entry) noexcept {
  constexpr std::size_t block_overhead = 16;
  static const std::size_t in_place = std::string().capacity();
  bool is_on_heap = entry.value.capacity() > in_place;
  return sizeof(Entry) + entry.key_bytes + block_overhead + sizeof(entry.next) +
         (is_on_heap ? entry.value.capacity() + block_overhead : 0);
}

}  // namespace kvd
