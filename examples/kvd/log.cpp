// log.cpp: recover, load, compact.
//
// All three read through `replay`, so there is one idea of what a sound file is.
#include "examples/kvd/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>
#include <utility>

#include "examples/kvd/record.hpp"

namespace kvd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view format = "kvdlog1\n";
constexpr std::string_view base_suffix = ".base";
constexpr std::string_view segment_suffix = ".log";

// For guesses: a short key with a short value.
constexpr std::size_t record_bytes_typical = 48;

// A base is written in pieces of about this size.
constexpr std::size_t write_bytes = 256 * 1024;

fs::path numbered(const fs::path& directory, SegmentNumber number, std::string_view suffix) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08u", number);
  return directory / (std::string(digits) + std::string(suffix));
}

std::optional<SegmentNumber> number_of(const std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  std::string_view digits = std::string_view(name).substr(0, name.size() - suffix.size());
  SegmentNumber number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

[[noreturn]] void fail_damaged(const fs::path& path, std::size_t offset) {
  throw LogDamage("the log " + path.string() + " is damaged at byte " + std::to_string(offset) +
                  " and history goes on behind it: restore the file, or move it away to give up "
                  "what it holds");
}

// Calls visit(record) for each sound record and answers how many bytes of the file they take up.
template <typename Visit>
std::size_t replay(std::string_view file, const fs::path& path, Visit&& visit) {
  // A writer that was killed may have left less than the format.
  if (file.size() < format.size() && format.starts_with(file)) return 0;
  if (!file.starts_with(format)) fail_damaged(path, 0);
  RecordReader reader(file.substr(format.size()));
  Record record;
  while (reader.next(record) == RecordReader::Result::record) visit(record);
  return file.size() - reader.rest().size();
}

// Applies records a few at a time, so that their look-ups wait for memory side by side.
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

// A file that must be sound to its last byte.
void load_file(const MappedFile& file, const fs::path& path, Loaded& into) {
  Applier applier(into.keys);
  std::size_t sound = replay(file.bytes(), path, [&](const Record& record) {
    applier.add(record);
    ++into.records;
  });
  applier.apply_all();
  if (sound != file.bytes().size()) fail_damaged(path, sound);
  into.bytes += sound;
}

Loaded load_files(const fs::path& directory, const LogFiles& files, SegmentNumber last) {
  // All files are opened before any is read: a compaction may remove their names meanwhile.
  std::vector<std::pair<fs::path, MappedFile>> open;
  auto add = [&](fs::path path) {
    MappedFile file(path);
    open.emplace_back(std::move(path), std::move(file));
  };
  if (files.base != 0) add(base_path(directory, files.base));
  for (SegmentNumber number : files.segments)
    if (number <= last) add(segment_path(directory, number));

  Loaded loaded;
  // The first file is the base, if there is one: as many keys, or a little more.
  if (!open.empty()) loaded.keys.reserve(open[0].second.bytes().size() / record_bytes_typical);
  for (const auto& [path, file] : open) load_file(file, path, loaded);
  return loaded;
}

// Writes every key that has not expired before `expired_before_ms`.
std::size_t write_base(File& file, const Keyspace& keys, std::int64_t expired_before_ms) {
  std::string bytes(format);
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

// The name of a base while it is written: nobody else's, whoever else compacts.
fs::path scratch_path(const fs::path& directory, SegmentNumber number) {
  static std::atomic<unsigned> counter = 0;
  // relaxed: only the numbers need to differ.
  unsigned unique = counter.fetch_add(1, std::memory_order_relaxed);
  std::string name = std::to_string(number) + "." + std::to_string(::getpid()) + "." +
                     std::to_string(unique) + ".tmp";
  return directory / name;
}

void remove_replaced(const fs::path& directory, SegmentNumber base) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    std::optional<SegmentNumber> old_base = number_of(name, base_suffix);
    std::optional<SegmentNumber> segment = number_of(name, segment_suffix);
    bool is_replaced = (old_base && *old_base < base) || (segment && *segment <= base);
    std::error_code ignored;  // somebody else may have removed it
    if (is_replaced) fs::remove(entry.path(), ignored);
  }
}

void remove_scratch(const fs::path& directory) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::error_code ignored;
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
}

}  // namespace

fs::path base_path(const fs::path& directory, SegmentNumber number) {
  return numbered(directory, number, base_suffix);
}

fs::path segment_path(const fs::path& directory, SegmentNumber number) {
  return numbered(directory, number, segment_suffix);
}

LogFiles list_log(const fs::path& directory) {
  LogFiles files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    if (std::optional<SegmentNumber> base = number_of(name, base_suffix))
      files.base = std::max(files.base, *base);
    if (std::optional<SegmentNumber> segment = number_of(name, segment_suffix))
      files.segments.push_back(*segment);
  }
  std::erase_if(files.segments, [&](SegmentNumber number) { return number <= files.base; });
  std::ranges::sort(files.segments);
  SegmentNumber expected = files.base;
  for (SegmentNumber number : files.segments) {
    if (number != ++expected)
      throw FileError("the log " + segment_path(directory, expected).string() + " is missing");
  }
  return files;
}

std::shared_ptr<File> create_segment(const fs::path& directory, SegmentNumber number) {
  auto file = std::make_shared<File>(segment_path(directory, number), File::Mode::create_new);
  file->write_all(format);
  sync_directory(directory);
  return file;
}

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
    sound = replay(file.bytes(), path, [](const Record&) {});
    if (holds_a_record(file.bytes().substr(sound))) fail_damaged(path, sound);
  }
  auto segment = std::make_shared<File>(path, File::Mode::append);
  if (sound < size) segment->truncate(sound);
  if (sound == 0) segment->write_all(format);
  return {std::move(segment), number, size - sound};
}

Loaded load_log(const fs::path& directory) {
  constexpr SegmentNumber all = ~SegmentNumber{0};
  for (int attempt = 1;; ++attempt) {
    LogFiles files = list_log(directory);
    try {
      return load_files(directory, files, all);
    } catch (const FileError&) {
      // A compaction has removed a file between the look and the opening: look again.
      if (attempt == 3) throw;
    }
  }
}

std::size_t compact_log(const fs::path& directory,
                        SegmentNumber last,
                        std::int64_t expired_before_ms) {
  Loaded loaded = load_files(directory, list_log(directory), last);
  fs::path scratch = scratch_path(directory, last);
  std::size_t bytes = 0;
  {
    File file(scratch, File::Mode::create_new);
    bytes = write_base(file, loaded.keys, expired_before_ms);
    file.sync();
  }
  fs::rename(scratch, base_path(directory, last));
  sync_directory(directory);
  remove_replaced(directory, last);
  return bytes;
}

}  // namespace kvd
