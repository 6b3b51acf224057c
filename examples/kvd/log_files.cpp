// log_files.cpp: a number in eight digits, and a suffix.
//
// Numbers are compared as numbers, so a ninth digit would do no harm.
#include "examples/kvd/log_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace kvd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view base_suffix = ".base";
constexpr std::string_view segment_suffix = ".log";
constexpr std::string_view scratch_suffix = ".tmp";

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

}  // namespace

void fail_damaged(const fs::path& path, std::size_t offset) {
  throw LogDamage("the log " + path.string() + " is damaged at byte " + std::to_string(offset) +
                  " and history goes on behind it: restore the file, or move it away to give up "
                  "what it holds");
}

fs::path base_path(const fs::path& directory, SegmentNumber number) {
  return numbered(directory, number, base_suffix);
}

fs::path segment_path(const fs::path& directory, SegmentNumber number) {
  return numbered(directory, number, segment_suffix);
}

LogNames list_log(const fs::path& directory) {
  LogNames names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    std::string name = entry.path().filename().string();
    if (std::optional<SegmentNumber> base = number_of(name, base_suffix))
      names.base = std::max(names.base, *base);
    if (std::optional<SegmentNumber> segment = number_of(name, segment_suffix))
      names.segments.push_back(*segment);
  }
  std::erase_if(names.segments, [&](SegmentNumber number) { return number <= names.base; });
  std::ranges::sort(names.segments);
  SegmentNumber expected = names.base;
  for (SegmentNumber number : names.segments) {
    if (number != ++expected)
      throw FileError("the log " + segment_path(directory, expected).string() + " is missing");
  }
  return names;
}

LogFiles open_log(const fs::path& directory, const LogNames& names) {
  LogFiles files;
  auto open = [&](fs::path path, File::Mode mode) {
    files.push_back(std::make_shared<File>(std::move(path), mode));
  };
  if (names.base != 0) open(base_path(directory, names.base), File::Mode::read);
  for (SegmentNumber number : names.segments) {
    bool is_last = number == names.segments.back();
    open(segment_path(directory, number), is_last ? File::Mode::append : File::Mode::read);
  }
  return files;
}

std::shared_ptr<File> create_segment(const fs::path& directory, SegmentNumber number) {
  auto file = std::make_shared<File>(segment_path(directory, number), File::Mode::create_new);
  file->write_all(log_format);
  sync_directory(directory);
  return file;
}

fs::path scratch_path(const fs::path& directory, SegmentNumber number) {
  static std::atomic<unsigned> counter = 0;
  // relaxed: only the numbers need to differ.
  unsigned unique = counter.fetch_add(1, std::memory_order_relaxed);
  std::string name = std::to_string(number) + "." + std::to_string(::getpid()) + "." +
                     std::to_string(unique) + std::string(scratch_suffix);
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
    if (entry.path().extension() == scratch_suffix) fs::remove(entry.path(), ignored);
  }
}

}  // namespace kvd
