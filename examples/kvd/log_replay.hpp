// log_replay.hpp: how the files of one shard become its keyspace again, a piece at a time.
//
//   LogReplay replay(files);
//   while (replay.apply_some(1000)) continue;
//   Keyspace keys = replay.take_keys();
//
// All of it is work for the CPU as long as the page cache has the files, which their writer has
// left there: so it belongs to the process that needs the keys, and in pieces, so that others can
// have a turn in between.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "examples/kvd/file.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/log_files.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {

class LogReplay {
 public:
  // What the files hold now; nobody may be writing to them. Throws FileError, LogDamage.
  explicit LogReplay(const LogFiles& files);

  // Applies the next records, at most `count`. False when none is left. Throws LogDamage: each file
  // must be sound to its last byte.
  bool apply_some(std::size_t count);

  [[nodiscard]] std::size_t records() const noexcept { return records_; }  // applied so far
  [[nodiscard]] const Keyspace& keys() const noexcept { return keys_; }
  [[nodiscard]] Keyspace take_keys() noexcept { return std::move(keys_); }

 private:
  struct Source {
    std::filesystem::path path;
    MappedFile file;
    RecordReader records;
  };

  std::vector<Source> sources_;  // oldest first
  std::size_t current_ = 0;      // the one that is being read
  Keyspace keys_;
  std::size_t records_ = 0;
};

// The records of a file that has its format in front, or of an empty one. Throws LogDamage.
[[nodiscard]] RecordReader records_of(const MappedFile& file, const std::filesystem::path& path);

}  // namespace kvd
