// log.hpp: one shard's log is made ready for writing, and made shorter.
//
// Compacting: read all closed segments, write the result as a new base under another name, make it
// durable, rename it into place, remove what it replaces. The shard and its writer go on meanwhile.
//
// A program that is killed in the middle of a write leaves the beginning of a record at the end of
// the last segment: `recover_log` cuts it off. Damage anywhere else is not repaired but reported:
// guessing would lose acknowledged writes in silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "examples/kvd/file.hpp"
#include "examples/kvd/log_files.hpp"

namespace kvd {

struct Recovered {
  std::shared_ptr<File> segment;  // open for appending
  SegmentNumber number = 0;
  std::size_t cut_bytes = 0;  // of a record that was never finished
};
// Makes the log ready for writing: creates the directory and the first segment if need be, cuts off
// what a killed writer left. Throws LogDamage, FileError.
[[nodiscard]] Recovered recover_log(const std::filesystem::path& directory);

// Makes a new base of the old one and the segments up to `last`, which nobody writes to any more.
// Keys that had expired before `expired_before_ms` are left out. Answers the base's bytes.
// May be cut short anywhere, and may run twice at once: both would write the same base.
std::size_t compact_log(const std::filesystem::path& directory,
                        SegmentNumber last,
                        std::int64_t expired_before_ms);

}  // namespace kvd
