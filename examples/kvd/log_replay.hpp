// log_replay.hpp: how the files of one shard become its keyspace again, a piece at a time.
//
//   LogReplay replay = open_log(directory);      may wait for the disk
//   while (replay.apply_some(1000)) continue;    work for the CPU alone
//   Keyspace keys = replay.take_keys();
//
// The two are apart because they belong to different places: waiting to the blocking pool, work to
// the process that needs the keys, which can let others have a turn in between.
#pragma once

#include <cstddef>
#include <filesystem>
#include <utility>
#include <vector>

#include "examples/kvd/file.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/log_files.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {

class LogReplay {
 public:
  // Opens the base and the segments up to `last`; their names may be gone afterwards. Throws
  // FileError, LogDamage.
  LogReplay(const std::filesystem::path& directory, const LogFiles& files, SegmentNumber last);

  // Applies the next records, at most `count`. False when none is left. Throws LogDamage: each file
  // must be sound to its last byte.
  bool apply_some(std::size_t count);

  // Applies all that is left.
  void apply_all();

  [[nodiscard]] std::size_t records() const noexcept { return records_; }  // applied so far
  [[nodiscard]] const Keyspace& keys() const noexcept { return keys_; }
  [[nodiscard]] Keyspace take_keys() noexcept { return std::move(keys_); }

 private:
  struct OpenFile {
    std::filesystem::path path;
    MappedFile file;
    RecordReader records;
  };

  void open(std::filesystem::path path);

  std::vector<OpenFile> files_;  // oldest first
  std::size_t current_ = 0;      // the one that is being read
  Keyspace keys_;
  std::size_t records_ = 0;
};

// Opens a shard's whole log. Nobody may be writing to it; a compaction may be going on. Throws
// FileError, LogDamage.
[[nodiscard]] LogReplay open_log(const std::filesystem::path& directory);

// The records of a file that has its format in front, or of an empty one. Throws LogDamage.
[[nodiscard]] RecordReader records_of(const MappedFile& file, const std::filesystem::path& path);

}  // namespace kvd
