// log.cpp: recovery and compaction.
//
// Both read through `records_of`, as a shard does, so there is one idea of what a sound file is.
#include "examples/kvd/log.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "examples/kvd/log_index.hpp"
#include "examples/kvd/record.hpp"

namespace kvd {
namespace {

namespace fs = std::filesystem;

// How much of the file is sound, from its beginning on.
std::size_t sound_bytes(const MappedFile& file, const fs::path& path) {
  // A writer that was killed may have left less than the format.
  if (file.bytes().size() < log_format.size() && log_format.starts_with(file.bytes())) return 0;
  RecordReader records = records_of(file, path);
  Record record;
  while (records.next(record) == RecordReader::Result::record) continue;
  return file.bytes().size() - records.rest().size();
}

// Where nobody writes any more, the last file has its format as well.
const LogFiles& all_closed(const LogFiles& files) {
  if (files.back()->size() == 0) fail_damaged(files.back()->path(), 0);
  return files;
}

}  // namespace

Recovered recover_log(const fs::path& directory) {
  fs::create_directories(directory);
  remove_scratch(directory);
  LogNames names = list_log(directory);
  if (names.segments.empty()) {
    (void)create_segment(directory, names.base + 1);
    names.segments.push_back(names.base + 1);
  }
  sync_directory(directory);  // who created the last segment may have died before it was durable
  Recovered log{
      .files = open_log(directory, names), .base = names.base, .last = names.segments.back()};
  File& segment = *log.files.back();
  std::size_t sound = 0;
  {
    MappedFile file(segment);
    sound = sound_bytes(file, segment.path());
    if (holds_a_record(file.bytes().substr(sound))) fail_damaged(segment.path(), sound);
    log.cut_bytes = file.bytes().size() - sound;
  }
  if (log.cut_bytes > 0) segment.truncate(sound);
  if (sound == 0) segment.write_all(log_format);
  return log;
}

Compaction::Compaction(fs::path directory,
                       const LogFiles& files,
                       SegmentNumber last,
                       std::int64_t expired_before_ms)
    : directory_(std::move(directory)),
      last_(last),
      expired_before_ms_(expired_before_ms),
      log_(all_closed(files)),
      base_(std::make_shared<File>(scratch_path(directory_, last), File::Mode::create_new)) {}

Compaction::~Compaction() {
  std::error_code ignored;  // a writer that starts may have removed it
  if (base_) fs::remove(base_->path(), ignored);
}

bool Compaction::do_some(std::size_t records) {
  if (!is_indexed_) {
    is_indexed_ = !log_.index_some(records);
    return true;
  }
  bool is_more =
      log_.visit_some(records, [&](std::span<const Record> history) { append_outcome(history); });
  base_->write_all(bytes_);
  bytes_.clear();
  return is_more;
}

void Compaction::append_outcome(std::span<const Record> newest_first) {
  auto append = [&](const Record& set) {
    bool is_gone = set.expire_at_ms != never_expires && set.expire_at_ms < expired_before_ms_;
    if (!is_gone) append_record(bytes_, set);
  };
  bool needs_no_keyspace = std::ranges::all_of(newest_first, is_final, &Record::kind);
  if (needs_no_keyspace) {
    for (const Record& record : newest_first)
      if (record.kind == Record::Kind::set) append(record);
    return;
  }
  Keyspace keys;
  apply_history(newest_first, keys);
  keys.scan(0, keys.size() + 1, [&](const Entry& entry) {
    append({Record::Kind::set, entry.expire_at_ms, entry.key(), entry.value});
  });
}

std::shared_ptr<File> Compaction::finish() {
  base_->sync();
  base_->rename(base_path(directory_, last_));
  std::shared_ptr<File> base = std::move(base_);  // in its place, and not to be removed any more
  sync_directory(directory_);
  remove_replaced(directory_, last_);
  return base;
}

}  // namespace kvd
