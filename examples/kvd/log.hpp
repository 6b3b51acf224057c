// log.hpp: the files that hold one shard's history, and how they become a keyspace again.
//
//   data/shard-0/  00000007.base       everything up to segment 7, one `set` for each key
//                  00000008.log        segments: records in the order they were made
//                  00000009.log        the last one is being written
//
// Reading: the base with the highest number, then all segments above it, in order. Older files are
// left-overs of a compaction that was cut short, and are ignored until the next one removes them.
// Compacting: read all closed segments, write the result as a new base under another name, make it
// durable, rename it into place, remove what it replaces. The shard and its writer go on meanwhile.
//
// Every file begins with eight bytes of format. A program that is killed in the middle of a write
// leaves the beginning of a record at the end of the last segment: `recover` cuts it off. Damage
// anywhere else is not repaired but reported: guessing would lose acknowledged writes in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "examples/kvd/file.hpp"
#include "examples/kvd/keyspace.hpp"

namespace kvd {

// A log is damaged; what() names the file and the place.
class LogDamage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using SegmentNumber = std::uint32_t;

// What a directory holds, as of one look at it.
struct LogFiles {
  SegmentNumber base = 0;               // 0: none yet
  std::vector<SegmentNumber> segments;  // above the base, ascending
};
[[nodiscard]] LogFiles list_log(const std::filesystem::path& directory);

[[nodiscard]] std::filesystem::path base_path(const std::filesystem::path& directory,
                                              SegmentNumber number);
[[nodiscard]] std::filesystem::path segment_path(const std::filesystem::path& directory,
                                                 SegmentNumber number);

// Creates a segment that holds no record yet.
[[nodiscard]] std::shared_ptr<File> create_segment(const std::filesystem::path& directory,
                                                   SegmentNumber number);

struct Recovered {
  std::shared_ptr<File> segment;  // open for appending
  SegmentNumber number = 0;
  std::size_t cut_bytes = 0;  // of a record that was never finished
};
// Makes the log ready for writing: creates the directory and the first segment if need be, cuts off
// what a killed writer left. Throws LogDamage, FileError.
[[nodiscard]] Recovered recover_log(const std::filesystem::path& directory);

struct Loaded {
  Keyspace keys;
  std::size_t records = 0;
  std::size_t bytes = 0;
};
// Reads the log. Nobody may be writing to it; a compaction may be going on.
// Throws LogDamage, FileError.
[[nodiscard]] Loaded load_log(const std::filesystem::path& directory);

// Makes a new base of the old one and the segments up to `last`, which nobody writes to any more.
// Keys that had expired before `expired_before_ms` are left out. Answers the base's bytes.
// May be cut short anywhere, and may run twice at once: both would write the same base.
std::size_t compact_log(const std::filesystem::path& directory,
                        SegmentNumber last,
                        std::int64_t expired_before_ms);

}  // namespace kvd
