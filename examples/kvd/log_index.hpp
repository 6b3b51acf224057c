// log_index.hpp: how the files of one shard become its keyspace again, the keys that are asked for
// first.
//
//   LogIndex log(files);
//   while (log.index_some(1000)) continue;          // every record is checked, and noted
//   log.apply(hash_of(key), keys);                  // a key is asked for
//   while (log.apply_some(1000, keys)) continue;    // all the others
//
//   files    │ a=1 │ c=1 │ b=1 │ a=2 │ b gone │ ...    mapped, read once from front to back
//               ▲ ▲     ▲     ▲   │       │
//   noted       │ └─────│─────│───┘       │            each knows the one before it in its range
//               │       └─────└───────────┘
//   newest   │ range 0 │ range 1 │ ...                 hashes in order, a few records in each range
//
// To find and check a record takes a fraction of what it takes to make an entry of it, so a shard
// answers when all are noted and makes its entries when it needs them. A range is read whole, and
// once: a key's history is in the keyspace, or none of it is. It is read from its newest record
// back, for what is older than a key's last `set` or `erase` is of no interest.
//
// Who reads range after range (log.hpp) gets the keys in the order of their hashes.
//
// All of it is work for the CPU as long as the page cache has the files, which their writer has
// left there: so it belongs to the process that needs the keys, and in pieces, so that others can
// have a turn in between.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "examples/kvd/file.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/log_files.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {

class LogIndex {
 public:
  // What the files hold now; nobody may be writing to them until all is indexed, and only behind
  // that afterwards. Throws FileError, LogDamage.
  explicit LogIndex(const LogFiles& files);

  // Notes the next records, at most `count`. False when none is left. Throws LogDamage: each file
  // must be sound to its last byte.
  bool index_some(std::size_t count);
  [[nodiscard]] std::size_t records() const noexcept { return records_; }  // noted or passed over

  // A guess.
  [[nodiscard]] std::size_t keys_expected() const noexcept { return keys_expected_; }

  // When all is indexed. Brings what the log says of the key with this hash into `keys`, unless
  // that was done. Answers how many records that took.
  std::size_t apply(std::uint64_t hash, Keyspace& keys);
  // Brings the next ranges, until about `count` records were applied. False when none is left.
  bool apply_some(std::size_t count, Keyspace& keys);

  // The same with another use for the records: calls `visit` with those of each range that count,
  // newest first. They stay valid as long as the index.
  template <typename Visit>
  bool visit_some(std::size_t count, Visit&& visit);

 private:
  // How far ahead the memory is asked for a range's records, and at twice that for where they are.
  static constexpr std::size_t ranges_ahead = 8;
  // So many that are empty cost what a record does.
  static constexpr std::size_t ranges_per_record = 16;

  struct Source {
    std::filesystem::path path;
    MappedFile file;
    RecordReader records;
  };
  struct Noted {
    const char* record;
    const Noted* older;  // in the same range
  };

  [[nodiscard]] std::size_t range_of(std::uint64_t hash) const noexcept {
    return hash >> (64 - range_bits_);
  }
  void note(const char* at, const Record& record);
  void forget_all();
  // Takes the range's records off the index; into history_ what still counts of them. Answers how
  // many there were.
  std::size_t take_history(std::size_t range);
  void take(const Record& record);
  void prefetch(std::size_t range) const noexcept;

  std::vector<Source> sources_;  // oldest first
  std::size_t current_ = 0;      // the one that is being indexed
  std::size_t records_ = 0;
  std::size_t keys_expected_ = 0;

  std::deque<Noted> noted_;
  std::vector<const Noted*> newest_;  // of each range; null when it was read
  int range_bits_ = 0;
  std::size_t next_range_ = 0;

  // Of the range that is being read, newest first.
  std::vector<Record> history_;
  std::vector<std::string_view> settled_;  // whose older records do not count
};

template <typename Visit>
bool LogIndex::visit_some(std::size_t count, Visit&& visit) {
  const std::size_t end = std::min(newest_.size(), next_range_ + count * ranges_per_record);
  for (std::size_t seen = 0; seen < count && next_range_ < end; ++next_range_) {
    prefetch(next_range_ + ranges_ahead);
    seen += take_history(next_range_);
    if (!history_.empty()) visit(std::span<const Record>(history_));
  }
  return next_range_ < newest_.size();
}

// The records of a file that has its format in front. Throws LogDamage.
[[nodiscard]] RecordReader records_of(const MappedFile& file, const std::filesystem::path& path);

}  // namespace kvd
