// log_replay.cpp: records are applied a few at a time, so that their look-ups wait for memory side
// by side.
#include "examples/kvd/log_replay.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace kvd {
namespace {

namespace fs = std::filesystem;

// For guesses: a short key with a short value.
constexpr std::size_t record_bytes_typical = 48;

class Applier {
 public:
  explicit Applier(Keyspace& keys) : keys_(keys) {}

  void add(const Record& record) {
    std::uint64_t hash = hash_of(record.key);
    keys_.prefetch_bucket(hash);
    waiting_[count_++] = {record, hash};
    if (count_ == waiting_.size()) apply_all();
  }
  void apply_all() {
    auto waiting = std::span(waiting_).first(std::exchange(count_, 0));
    for (const auto& [record, hash] : waiting) keys_.prefetch_entry(hash);
    for (const auto& [record, hash] : waiting) apply(keys_, record, hash);
  }

 private:
  struct Waiting {
    Record record;
    std::uint64_t hash = 0;
  };
  Keyspace& keys_;
  std::array<Waiting, 16> waiting_;
  std::size_t count_ = 0;
};

}  // namespace

RecordReader records_of(const MappedFile& file, const fs::path& path) {
  std::string_view bytes = file.bytes();
  if (bytes.empty()) return RecordReader(bytes);
  if (!bytes.starts_with(log_format)) fail_damaged(path, 0);
  return RecordReader(bytes.substr(log_format.size()));
}

LogReplay::LogReplay(const LogFiles& files) {
  for (const std::shared_ptr<File>& file : files) {
    MappedFile mapped(*file);
    RecordReader records = records_of(mapped, file->path());
    sources_.push_back({file->path(), std::move(mapped), records});
  }
  // The first file is the base, if there is one: as many keys, or a little more.
  if (!sources_.empty()) keys_.reserve(sources_[0].file.bytes().size() / record_bytes_typical);
}

bool LogReplay::apply_some(std::size_t count) {
  Applier applier(keys_);
  while (count > 0 && current_ < sources_.size()) {
    Source& source = sources_[current_];
    Record record;
    if (source.records.next(record) == RecordReader::Result::record) {
      applier.add(record);
      ++records_;
      --count;
    } else {
      std::size_t left = source.records.rest().size();
      if (left > 0) fail_damaged(source.path, source.file.bytes().size() - left);
      ++current_;
    }
  }
  applier.apply_all();
  return current_ < sources_.size();
}

}  // namespace kvd
