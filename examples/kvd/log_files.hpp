// log_files.hpp: the files that hold one shard's history: their names, their order.
//
//   data/shard-0/  00000007.base       everything up to segment 7, one `set` for each key
//                  00000008.log        segments: records in the order they were made
//                  00000009.log        the last one is being written
//
// History is the base with the highest number, then all segments above it, in order. Older files
// are left-overs of a compaction that was cut short, and are ignored until the next one removes
// them. Every file begins with eight bytes of format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "examples/kvd/file.hpp"

namespace kvd {

// A log is damaged; what() names the file and the place.
class LogDamage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
[[noreturn]] void fail_damaged(const std::filesystem::path& path, std::size_t offset);

inline constexpr std::string_view log_format = "kvdlog1\n";

using SegmentNumber = std::uint32_t;

// The base, if there is one, and the segments above it: the whole history, oldest first. Who holds
// the open files can read them whatever becomes of their names.
using LogFiles = std::vector<std::shared_ptr<File>>;

// What a directory holds, as of one look at it.
struct LogNames {
  SegmentNumber base = 0;               // 0: none yet
  std::vector<SegmentNumber> segments;  // above the base, ascending
};
// Throws FileError when a segment is missing.
[[nodiscard]] LogNames list_log(const std::filesystem::path& directory);

[[nodiscard]] std::filesystem::path base_path(const std::filesystem::path& directory,
                                              SegmentNumber number);
[[nodiscard]] std::filesystem::path segment_path(const std::filesystem::path& directory,
                                                 SegmentNumber number);
// A base while it is written: nobody else's name, whoever else compacts.
[[nodiscard]] std::filesystem::path scratch_path(const std::filesystem::path& directory,
                                                 SegmentNumber number);

// Opens all that is named, the last segment for writing. Throws FileError.
[[nodiscard]] LogFiles open_log(const std::filesystem::path& directory, const LogNames& names);

// Creates a segment that holds no record yet.
[[nodiscard]] std::shared_ptr<File> create_segment(const std::filesystem::path& directory,
                                                   SegmentNumber number);

// Removes what a base has replaced: older bases, and the segments up to it.
void remove_replaced(const std::filesystem::path& directory, SegmentNumber base);
// Removes what compactions that were cut short have left. Nobody may be compacting.
void remove_scratch(const std::filesystem::path& directory);

}  // namespace kvd
