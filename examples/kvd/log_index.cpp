// log_index.cpp: two passes over the records, the first from front to back, the second by hash.
//
// A key that is appended to, or given another expiry, over and over has a long history that all
// counts. One that is set over and over has one record that does.
#include "examples/kvd/log_index.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <ranges>
#include <string_view>
#include <utility>

#include "examples/kvd/hash.hpp"

namespace kvd {
namespace {

namespace fs = std::filesystem;

// So few records that a range costs next to nothing, so many that the ranges fit into a cache. In
// bytes, for there may never be many in a range, wherever in the files the short ones are.
constexpr std::size_t records_per_range = 4;
constexpr std::size_t bytes_per_range = records_per_range * 48;
constexpr int range_bits_min = 8;
constexpr int range_bits_max = 24;

// What a guess at the number of a file's records is made from.
constexpr std::size_t records_sampled = 64;

// How many records there are, if all are as long as the first ones.
std::size_t guess_count(RecordReader records) noexcept {
  std::size_t bytes = records.rest().size();
  std::size_t sampled = 0;
  for (Record record; sampled < records_sampled; ++sampled)
    if (records.next(record) != RecordReader::Result::record) break;
  std::size_t sampled_bytes = bytes - records.rest().size();
  return sampled_bytes == 0 ? 0 : bytes * sampled / sampled_bytes;
}

}  // namespace

RecordReader records_of(const MappedFile& file, const fs::path& path) {
  std::string_view bytes = file.bytes();
  if (!bytes.starts_with(log_format)) fail_damaged(path, 0);
  return RecordReader(bytes.substr(log_format.size()));
}

LogIndex::LogIndex(const LogFiles& files) {
  std::size_t bytes = 0;
  for (const std::shared_ptr<File>& file : files) {
    MappedFile mapped(*file);
    // Only the one that is being written may have nothing in it, where nothing can be written.
    bool is_empty = mapped.bytes().empty() && file == files.back();
    RecordReader records = is_empty ? RecordReader({}) : records_of(mapped, file->path());
    // The first file is the base, if there is one: as many keys, or a little more.
    if (sources_.empty()) keys_expected_ = guess_count(records);
    bytes += mapped.bytes().size();
    sources_.push_back({file->path(), std::move(mapped), records});
  }
  auto bits = static_cast<int>(std::bit_width(bytes / bytes_per_range));
  range_bits_ = std::clamp(bits, range_bits_min, range_bits_max);
  newest_.resize(std::size_t{1} << range_bits_);
}

bool LogIndex::index_some(std::size_t count) {
  while (count > 0 && current_ < sources_.size()) {
    Source& source = sources_[current_];
    const char* at = source.records.rest().data();
    Record record;
    if (source.records.next(record) == RecordReader::Result::record) {
      note(at, record);
      ++records_;
      --count;
    } else {
      std::size_t left = source.records.rest().size();
      if (left > 0) fail_damaged(source.path, source.file.bytes().size() - left);
      ++current_;
    }
  }
  return current_ < sources_.size();
}

void LogIndex::note(const char* at, const Record& record) {
  if (record.kind == Record::Kind::flush) return forget_all();
  const Noted*& newest = newest_[range_of(hash_of(record.key))];
  newest = &noted_.emplace_back(at, newest);
}

// Where there is little to forget it costs little: logs of tests are full of flushes.
void LogIndex::forget_all() {
  if (noted_.size() >= newest_.size()) {
    std::ranges::fill(newest_, nullptr);
  } else {
    for (const Noted& noted : noted_)
      newest_[range_of(hash_of(sound_record(noted.record).key))] = nullptr;
  }
  noted_.clear();
}

std::size_t LogIndex::apply(std::uint64_t hash, Keyspace& keys) {
  std::size_t count = take_history(range_of(hash));
  apply_history(history_, keys);
  return count;
}

bool LogIndex::apply_some(std::size_t count, Keyspace& keys) {
  return visit_some(count, [&](std::span<const Record> history) { apply_history(history, keys); });
}

std::size_t LogIndex::take_history(std::size_t range) {
  history_.clear();
  settled_.clear();
  std::size_t count = 0;
  const Noted* noted = std::exchange(newest_[range], nullptr);
  for (; noted != nullptr; noted = noted->older) {
    take(sound_record(noted->record));
    ++count;
  }
  return count;
}

void LogIndex::take(const Record& record) {
  // Few: a range has a handful of keys, however many records one of them has.
  if (std::ranges::find(settled_, record.key) != settled_.end()) return;
  history_.push_back(record);
  if (is_final(record.kind)) settled_.push_back(record.key);
}

void LogIndex::prefetch(std::size_t range) const noexcept {
  std::size_t later = range + ranges_ahead;
  if (later < newest_.size()) __builtin_prefetch(newest_[later]);
  const Noted* noted = range < newest_.size() ? newest_[range] : nullptr;
  for (std::size_t n = 0; n < records_per_range && noted != nullptr; ++n, noted = noted->older)
    __builtin_prefetch(noted->record);
}

}  // namespace kvd
