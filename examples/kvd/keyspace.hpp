// keyspace.hpp: the keys of one shard: a hash table kept in the order of the hashes.
//
// The top eight bits of a hash choose one of 256 small tables, the bits below them a bucket in it,
// and the buckets of a table stand in the order of the hashes.
//  - SCAN's cursor is a place in that order. It stays right while tables grow and shrink around
//    it: a key that is there during the whole scan is seen once, exactly.
//  - Each table grows alone, so no insert ever pays for all the keys.
//
// A key that has expired is gone for `find`, which removes it; `sweep` removes those that nobody
// asks for. `find_even_expired` is for replaying the log: there the clock of the writer counts,
// not ours.
//
// One owner, no locks: the keyspace belongs to its shard's process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "examples/kvd/entry.hpp"
#include "examples/kvd/hash.hpp"

namespace kvd {

class Keyspace {
 public:
  // A place in the order of the hashes: their top 56 bits.
  using Position = std::uint64_t;
  static constexpr int position_bits = 56;

  [[nodiscard]] Entry* find(std::string_view key, std::uint64_t hash, std::int64_t now_ms);
  [[nodiscard]] Entry* find_even_expired(std::string_view key, std::uint64_t hash) noexcept;

  // Makes room for so many keys, so that it need not be made step by step.
  void reserve(std::size_t keys);

  // The caller has made sure that the key is not there.
  Entry& insert(std::string_view key, std::uint64_t hash);
  // False when the key was not there.
  bool erase(std::string_view key, std::uint64_t hash);

  // Asks the memory for what a look-up of this hash will need; harmless if it never comes. In two
  // steps, the bucket and then what is in it, so that the look-ups of a burst wait side by side.
  void prefetch_bucket(std::uint64_t hash) const noexcept;
  void prefetch_entry(std::uint64_t hash) const noexcept;

  // All changes of an entry go through here, so that the books are right.
  void set_value(Entry& entry, std::string_view value);
  void append_value(Entry& entry, std::string_view bytes);
  void set_expiry(Entry& entry, std::int64_t expire_at_ms) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t expiring() const noexcept { return expiring_; }
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }

  // Visits entries from `from` on, whole buckets, until at least `count` were visited. Answers
  // where to go on, or nothing at the end. `visit` must not change the keyspace.
  template <typename Visit>
  std::optional<Position> scan(Position from, std::size_t count, Visit&& visit) const;

  // Removes expired entries, looking at about `budget` entries; goes on where it ended last time.
  // Answers how many it removed.
  std::size_t sweep(std::int64_t now_ms, std::size_t budget);

 private:
  static constexpr int table_bits = 8;

  struct Table {
    std::vector<EntryPointer> buckets;  // none, or a power of two of them
    int bucket_bits = 0;
    std::size_t size = 0;
    std::size_t expiring = 0;
  };

  static std::size_t table_of(std::uint64_t hash) noexcept { return hash >> (64 - table_bits); }
  static std::size_t bucket_of(const Table& table, std::uint64_t hash) noexcept {
    return (hash << table_bits) >> (64 - table.bucket_bits);
  }
  static void resize(Table& table, int bucket_bits);

  // The pointer that owns the key's entry; null when there is no such key.
  EntryPointer* owner_of(std::string_view key, std::uint64_t hash) noexcept;
  void remove(EntryPointer& owner);
  void shrink(Table& table);
  std::size_t sweep_table(Table& table, std::int64_t now_ms);

  std::array<Table, std::size_t{1} << table_bits> tables_;
  std::size_t size_ = 0;
  std::size_t expiring_ = 0;
  std::size_t used_bytes_ = 0;
  std::size_t next_sweep_ = 0;
};

template <typename Visit>
std::optional<Keyspace::Position> Keyspace::scan(Position from,
                                                 std::size_t count,
                                                 Visit&& visit) const {
  std::uint64_t hash = from << (64 - position_bits);
  std::size_t visited = 0;
  for (std::size_t number = table_of(hash); number < tables_.size(); ++number) {
    const Table& table = tables_[number];
    bool starts_inside = number == table_of(hash);
    std::size_t bucket = starts_inside && table.size > 0 ? bucket_of(table, hash) : 0;
    for (; table.size > 0 && bucket < table.buckets.size(); ++bucket) {
      if (visited >= count) {
        std::uint64_t start = (std::uint64_t{number} << table.bucket_bits) + bucket;
        return start << (position_bits - table_bits - table.bucket_bits);
      }
      for (const Entry* entry = table.buckets[bucket].get(); entry; entry = entry->next.get()) {
        // A table that has shrunk since may have the place in the middle of a bucket.
        if (entry->hash < hash) continue;
        visit(*entry);
        ++visited;
      }
    }
  }
  return std::nullopt;
}

}  // namespace kvd
