// entry.hpp: one key with its value.
//
// The key's bytes lie right behind the entry, in the same block: a look-up that has found the entry
// has its key in the cache too, and a key costs one allocation less. So entries are made by
// make_entry only, and never copied or moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kvd {

inline constexpr std::int64_t never_expires = 0;

struct Entry;

// Destroys an entry and frees the block that it shares with its key.
struct EntryDeleter {
  void operator()(Entry* entry) const noexcept;
};
using EntryPointer = std::unique_ptr<Entry, EntryDeleter>;

struct Entry {
  Entry(std::uint64_t key_hash, std::uint32_t key_length) noexcept
      : hash(key_hash), key_bytes(key_length) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() = default;

  [[nodiscard]] std::string_view key() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), key_bytes};
  }

  std::uint64_t hash;
  EntryPointer next;                          // in the same bucket
  std::int64_t expire_at_ms = never_expires;  // Unix time
  std::uint32_t key_bytes;
  std::string value;
};

[[nodiscard]] EntryPointer make_entry(std::string_view key, std::uint64_t hash);

// What an entry takes up, with what the allocator adds, roughly.
[[nodiscard]] std::size_t memory_of(const Entry& entry) noexcept;

}  // namespace kvd
