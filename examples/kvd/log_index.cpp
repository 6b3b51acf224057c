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

// For guesses: a short key with a short value.
constexpr std::size_t record_bytes_typical = 48;

// So few records that a range costs next to nothing, so many that the ranges fit into a cache.
constexpr std::size_t records_per_range = 4;
constexpr int range_bits_min = 8;
constexpr int range_bits_max = 24;

}  // namespace

RecordReader records_of(const MappedFile& file, const fs::path& path) {
  std::string_view bytes = file.bytes();
  if (bytes.empty()) return RecordReader(bytes);
  if (!bytes.starts_with(log_format)) fail_damaged(path, 0);
  return RecordReader(bytes.substr(log_format.size()));
}

LogIndex::LogIndex(const LogFiles& files) {
  std::size_t bytes = 0;
  for (const std::shared_ptr<File>& file : files) {
    MappedFile mapped(*file);
    RecordReader records = records_of(mapped, file->path());
    bytes += mapped.bytes().size();
    sources_.push_back({file->path(), std::move(mapped), records});
  }
  // The first file is the base, if there is one: as many keys, or a little more.
  if (!sources_.empty()) keys_expected_ = sources_[0].file.bytes().size() / record_bytes_typical;
  auto bits = static_cast<int>(std::bit_width(bytes / record_bytes_typical / records_per_range));
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

void LogIndex::forget_all() {
  std::ranges::fill(newest_, nullptr);
  noted_.clear();
}

void LogIndex::apply(std::uint64_t hash, Keyspace& keys) {
  take_history(range_of(hash));
  apply_history(history_, keys);
}

bool LogIndex::apply_some(std::size_t count, Keyspace& keys) {
  return visit_some(count, [&](std::span<const Record> history) { apply_history(history, keys); });
}

std::size_t LogIndex::take_history(std::size_t range) {
  history_.clear();
  std::size_t count = 0;
  const Noted* noted = std::exchange(newest_[range], nullptr);
  for (; noted != nullptr; noted = noted->older) {
    Record record = sound_record(noted->record);
    if (!is_settled(record.key)) history_.push_back(record);
    ++count;
  }
  return count;
}

bool LogIndex::is_settled(std::string_view key) const noexcept {
  return std::ranges::any_of(
      history_, [&](const Record& newer) { return is_final(newer.kind) && newer.key == key; });
}

void LogIndex::prefetch(std::size_t range) const noexcept {
  std::size_t later = range + ranges_ahead;
  if (later < newest_.size()) __builtin_prefetch(newest_[later]);
  const Noted* noted = range < newest_.size() ? newest_[range] : nullptr;
  for (std::size_t n = 0; n < records_per_range && noted != nullptr; ++n, noted = noted->older)
    __builtin_prefetch(noted->record);
}

}  // namespace kvd
