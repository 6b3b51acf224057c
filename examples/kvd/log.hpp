// log.hpp: one shard's log is made ready for writing, and made shorter.
//
// Compacting: read all closed segments, write the result as a new base under another name, make it
// durable, rename it into place, remove what it replaces. The shard and its writer go on meanwhile.
// It goes from range to range of the index, so it needs no second copy of the keys.
//
// A program that is killed in the middle of a write leaves the beginning of a record at the end of
// the last segment: `recover_log` cuts it off. Damage anywhere else is not repaired but reported:
// guessing would lose acknowledged writes in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "examples/kvd/file.hpp"
#include "examples/kvd/keyspace.hpp"
#include "examples/kvd/log_files.hpp"
#include "examples/kvd/log_index.hpp"

namespace kvd {

struct Recovered {
  LogFiles files;          // the last one is open for appending
  SegmentNumber base = 0;  // 0: none yet
  SegmentNumber last = 0;
  std::size_t cut_bytes = 0;  // of a record that was never finished
};
// Makes the log ready for writing: creates the directory and the first segment if need be, cuts off
// what a killed writer left. Throws LogDamage, and FileError: that also when a compaction that has
// outlived its writer removes a file just now; the next attempt finds the base that replaced it.
[[nodiscard]] Recovered recover_log(const std::filesystem::path& directory);

// Makes a new base of the old one and segments that nobody writes to any more, a piece at a time.
// May be cut short anywhere, and may run twice at once: both would write the same base.
class Compaction {
 public:
  // `files`: all up to segment `last`. Keys that had expired before `expired_before_ms` are left
  // out. May wait for the disk. Throws LogDamage, FileError.
  Compaction(std::filesystem::path directory,
             const LogFiles& files,
             SegmentNumber last,
             std::int64_t expired_before_ms);
  Compaction(Compaction&&) = default;
  Compaction& operator=(Compaction&&) = delete;
  // What was written is removed again unless it has come into its place.
  ~Compaction();

  // Reads or writes so many records: work for the CPU, and the page cache. False when all is done.
  bool do_some(std::size_t records);

  // Puts the new base into its place. Waits for the disk.
  std::shared_ptr<File> finish();

 private:
  void append_outcome(std::span<const Record> newest_first);

  std::filesystem::path directory_;
  SegmentNumber last_;
  std::int64_t expired_before_ms_;
  LogIndex log_;
  bool is_indexed_ = false;
  std::shared_ptr<File> base_;     // until it is in its place
  std::string bytes_{log_format};  // to be written to it
};

}  // namespace kvd
