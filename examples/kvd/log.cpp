// log.cpp: recovery and compaction.
//
// Both read through `records_of`, as replay does, so there is one idea of what a sound file is.
#include "examples/kvd/log.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "examples/kvd/log_replay.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {
namespace {

namespace fs = std::filesystem;

// A base is written in pieces of about this size.
constexpr std::size_t write_bytes = 256 * 1024;

// How much of the file is sound, from its beginning on.
std::size_t sound_bytes(const MappedFile& file, const fs::path& path) {
  // A writer that was killed may have left less than the format.
  if (file.bytes().size() < log_format.size() && log_format.starts_with(file.bytes())) return 0;
  RecordReader records = records_of(file, path);
  Record record;
  while (records.next(record) == RecordReader::Result::record) continue;
  return file.bytes().size() - records.rest().size();
}

// Writes every key that has not expired before `expired_before_ms`.
std::size_t write_base(File& file, const Keyspace& keys, std::int64_t expired_before_ms) {
  std::string bytes(log_format);
  std::size_t total = 0;
  auto flush = [&] {
    file.write_all(bytes);
    total += bytes.size();
    bytes.clear();
  };
  keys.scan(0, keys.size() + 1, [&](const Entry& entry) {
    if (entry.expire_at_ms != never_expires && entry.expire_at_ms < expired_before_ms) return;
    append_record(bytes, {Record::Kind::set, entry.expire_at_ms, entry.key(), entry.value});
    if (bytes.size() >= write_bytes) flush();
  });
  flush();
  return total;
}

}  // namespace

Recovered recover_log(const fs::path& directory) {
  fs::create_directories(directory);
  remove_scratch(directory);
  LogFiles files = list_log(directory);
  if (files.segments.empty()) {
    SegmentNumber first = files.base + 1;
    return {create_segment(directory, first), first, 0};
  }
  SegmentNumber number = files.segments.back();
  fs::path path = segment_path(directory, number);
  std::size_t sound = 0;
  std::size_t size = 0;
  {
    MappedFile file(path);
    size = file.bytes().size();
    sound = sound_bytes(file, path);
    if (holds_a_record(file.bytes().substr(sound))) fail_damaged(path, sound);
  }
  auto segment = std::make_shared<File>(path, File::Mode::append);
  if (sound < size) segment->truncate(sound);
  if (sound == 0) segment->write_all(log_format);
  return {std::move(segment), number, size - sound};
}

std::size_t compact_log(const fs::path& directory,
                        SegmentNumber last,
                        std::int64_t expired_before_ms) {
  LogReplay replay(directory, list_log(directory), last);
  replay.apply_all();
  fs::path scratch = scratch_path(directory, last);
  std::size_t bytes = 0;
  {
    File file(scratch, File::Mode::create_new);
    bytes = write_base(file, replay.keys(), expired_before_ms);
    file.sync();
  }
  fs::rename(scratch, base_path(directory, last));
  sync_directory(directory);
  remove_replaced(directory, last);
  return bytes;
}

}  // namespace kvd
