// executor_shard.cpp: what concerns all keys of a shard.
//
// KEYS visits every key while its shard does nothing else: SCAN is the polite way. Expired keys
// that are still in memory are not shown.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "examples/kvd/executor.hpp"
#include "examples/kvd/glob.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"
#include "examples/kvd/scan_cursor.hpp"

namespace kvd {
namespace {

bool is_expired(const Entry& entry, std::int64_t now_ms) noexcept {
  return entry.expire_at_ms != never_expires && entry.expire_at_ms <= now_ms;
}

struct ScanOptions {
  std::string_view pattern = "*";
  std::size_t count = 10;
  bool wants_strings = true;
};

// The text of the error, if there is one.
std::string_view parse_scan_options(const Arguments& arguments, ScanOptions& options) {
  for (std::size_t n = 1; n < arguments.size(); n += 2) {
    if (n + 1 == arguments.size()) return syntax_error;
    std::string_view value = arguments[n + 1];
    if (is_word(arguments[n], "match")) {
      options.pattern = value;
    } else if (is_word(arguments[n], "count")) {
      std::optional<std::int64_t> count = parse_integer(value);
      if (!count) return not_an_integer;
      if (*count < 1) return syntax_error;
      options.count = static_cast<std::size_t>(*count);
    } else if (is_word(arguments[n], "type")) {
      options.wants_strings = is_word(value, "string");
    } else {
      return syntax_error;
    }
  }
  return {};
}

}  // namespace

void Executor::do_keys(const Arguments& arguments) {
  std::string found;
  std::size_t count = 0;
  keys_.scan(0, keys_.size() + 1, [&](const Entry& entry) {
    if (is_expired(entry, now_ms_) || !glob_matches(arguments[0], entry.key())) return;
    append_bulk(found, entry.key());
    ++count;
  });
  append_array(*out_, count);
  *out_ += found;
}

void Executor::do_scan(const Arguments& arguments) {
  ScanOptions options;
  std::string_view error = parse_scan_options(arguments, options);
  if (!error.empty()) return append_error(*out_, error);
  ScanCursor from = parse_cursor(arguments[0]).value_or(ScanCursor{});

  std::string found;
  std::size_t count = 0;
  std::optional<Keyspace::Position> next =
      keys_.scan(from.position, options.count, [&](const Entry& entry) {
        if (is_expired(entry, now_ms_) || !options.wants_strings) return;
        if (!glob_matches(options.pattern, entry.key())) return;
        append_bulk(found, entry.key());
        ++count;
      });
  append_array(*out_, 2);
  append_bulk(*out_, std::to_string(cursor_after(limits_.shard, limits_.shards, next).to_number()));
  append_array(*out_, count);
  *out_ += found;
}

void Executor::do_flush() {
  keys_ = Keyspace();
  append_record(*records_, {.kind = Record::Kind::flush});
  append_simple(*out_, "OK");
}

void Executor::do_numbers() {
  ShardNumbers numbers{
      .keys = static_cast<std::int64_t>(keys_.size()),
      .expiring = static_cast<std::int64_t>(keys_.expiring()),
      .memory_bytes = static_cast<std::int64_t>(keys_.used_bytes()),
      .expired = expired_,
      .hits = hits_,
      .misses = misses_,
  };
  for (auto number : shard_numbers_in_order) append_integer(*out_, numbers.*number);
}

}  // namespace kvd
