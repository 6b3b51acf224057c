// keyspace.cpp: chains of owned entries; a table doubles when it has an entry per bucket.
//
// Growing moves the owning pointers only: no entry moves, no key is compared.
#include "examples/kvd/keyspace.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace kvd {
namespace {

constexpr int bucket_bits_min = 2;

}  // namespace

EntryPointer* Keyspace::owner_of(std::string_view key, std::uint64_t hash) noexcept {
  Table& table = tables_[table_of(hash)];
  if (table.size == 0) return nullptr;
  EntryPointer* owner = &table.buckets[bucket_of(table, hash)];
  while (*owner) {
    if ((*owner)->hash == hash && (*owner)->key() == key) return owner;
    owner = &(*owner)->next;
  }
  return nullptr;
}

Entry* Keyspace::find(std::string_view key, std::uint64_t hash, std::int64_t now_ms) {
  EntryPointer* owner = owner_of(key, hash);
  if (owner == nullptr) return nullptr;
  Entry& entry = **owner;
  if (entry.expire_at_ms != never_expires && entry.expire_at_ms <= now_ms) {
    remove(*owner);
    shrink(tables_[table_of(hash)]);
    return nullptr;
  }
  return &entry;
}

Entry* Keyspace::find_even_expired(std::string_view key, std::uint64_t hash) noexcept {
  EntryPointer* owner = owner_of(key, hash);
  return owner ? owner->get() : nullptr;
}

void Keyspace::prefetch_bucket(std::uint64_t hash) const noexcept {
  const Table& table = tables_[table_of(hash)];
  if (table.size > 0) __builtin_prefetch(&table.buckets[bucket_of(table, hash)]);
}

void Keyspace::prefetch_entry(std::uint64_t hash) const noexcept {
  const Table& table = tables_[table_of(hash)];
  if (table.size > 0) __builtin_prefetch(table.buckets[bucket_of(table, hash)].get());
}

void Keyspace::reserve(std::size_t keys) {
  std::size_t in_each = keys / tables_.size() + 1;
  int bucket_bits = std::max(bucket_bits_min, static_cast<int>(std::bit_width(in_each - 1)));
  for (Table& table : tables_)
    if (bucket_bits > table.bucket_bits) resize(table, bucket_bits);
}

Entry& Keyspace::insert(std::string_view key, std::uint64_t hash) {
  EntryPointer entry = make_entry(key, hash);
  Table& table = tables_[table_of(hash)];
  if (table.buckets.empty()) {
    resize(table, bucket_bits_min);
  } else if (table.size >= table.buckets.size()) {
    resize(table, table.bucket_bits + 1);
  }
  EntryPointer& bucket = table.buckets[bucket_of(table, hash)];
  entry->next = std::move(bucket);
  bucket = std::move(entry);
  ++table.size;
  ++size_;
  used_bytes_ += memory_of(*bucket);
  return *bucket;
}

bool Keyspace::erase(std::string_view key, std::uint64_t hash) {
  EntryPointer* owner = owner_of(key, hash);
  if (owner == nullptr) return false;
  remove(*owner);
  shrink(tables_[table_of(hash)]);
  return true;
}

void Keyspace::remove(EntryPointer& owner) {
  set_expiry(*owner, never_expires);
  used_bytes_ -= memory_of(*owner);
  --tables_[table_of(owner->hash)].size;
  --size_;
  owner = std::exchange(owner->next, nullptr);
}

void Keyspace::set_value(Entry& entry, std::string_view value) {
  used_bytes_ -= memory_of(entry);
  if (value.size() < entry.value.capacity() / 4) {
    std::string(value).swap(entry.value);  // gives back what the much larger value needed
  } else {
    entry.value = value;
  }
  used_bytes_ += memory_of(entry);
}

void Keyspace::append_value(Entry& entry, std::string_view bytes) {
  used_bytes_ -= memory_of(entry);
  entry.value += bytes;
  used_bytes_ += memory_of(entry);
}

void Keyspace::set_expiry(Entry& entry, std::int64_t expire_at_ms) noexcept {
  Table& table = tables_[table_of(entry.hash)];
  std::size_t before = entry.expire_at_ms != never_expires ? 1 : 0;
  std::size_t after = expire_at_ms != never_expires ? 1 : 0;
  table.expiring = table.expiring - before + after;
  expiring_ = expiring_ - before + after;
  entry.expire_at_ms = expire_at_ms;
}

void Keyspace::resize(Table& table, int bucket_bits) {
  std::vector<EntryPointer> old(std::size_t{1} << bucket_bits);
  old.swap(table.buckets);
  table.bucket_bits = bucket_bits;
  for (EntryPointer& chain : old) {
    while (chain) {
      EntryPointer entry = std::move(chain);
      chain = std::move(entry->next);
      EntryPointer& bucket = table.buckets[bucket_of(table, entry->hash)];
      entry->next = std::move(bucket);
      bucket = std::move(entry);
    }
  }
}

void Keyspace::shrink(Table& table) {
  if (table.bucket_bits > bucket_bits_min && table.size < table.buckets.size() / 8)
    resize(table, table.bucket_bits - 1);
}

std::size_t Keyspace::sweep(std::int64_t now_ms, std::size_t budget) {
  std::size_t removed = 0;
  std::size_t seen = 0;
  for (std::size_t tables = 0; tables < tables_.size() && seen < budget; ++tables) {
    if (expiring_ == 0) break;
    Table& table = tables_[next_sweep_];
    next_sweep_ = (next_sweep_ + 1) % tables_.size();
    if (table.expiring == 0) continue;
    seen += table.size;
    removed += sweep_table(table, now_ms);
  }
  return removed;
}

std::size_t Keyspace::sweep_table(Table& table, std::int64_t now_ms) {
  std::size_t removed = 0;
  for (EntryPointer& bucket : table.buckets) {
    EntryPointer* owner = &bucket;
    while (*owner) {
      const Entry& entry = **owner;
      if (entry.expire_at_ms != never_expires && entry.expire_at_ms <= now_ms) {
        remove(*owner);
        ++removed;
      } else {
        owner = &(*owner)->next;
      }
    }
  }
  shrink(table);
  return removed;
}

}  // namespace kvd
