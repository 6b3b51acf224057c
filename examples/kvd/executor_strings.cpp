// executor_strings.cpp: values, and numbers in them.
//
// The order of the checks is that of Redis, because it decides which of two errors a client sees.
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "examples/kvd/executor.hpp"
#include "examples/kvd/expire_time.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"
#include "examples/kvd/set_options.hpp"

namespace kvd {

void Executor::reply_value(const Entry* entry) {
  if (entry) {
    append_bulk(*out_, entry->value);
  } else {
    append_null(*out_);
  }
}

void Executor::do_get(const Arguments& arguments) {
  reply_value(find_for_reading(arguments[0]));
}

void Executor::do_strlen(const Arguments& arguments) {
  const Entry* entry = find_for_reading(arguments[0]);
  append_integer(*out_, entry ? static_cast<std::int64_t>(entry->value.size()) : 0);
}

void Executor::do_set(const Arguments& arguments) {
  std::optional<SetOptions> options = parse_set_options(arguments);
  if (!options) return append_error(*out_, syntax_error);

  std::int64_t expire_at = never_expires;
  if (options->expire) {
    std::optional<std::int64_t> number = parse_integer(*options->expire);
    if (!number) return append_error(*out_, not_an_integer);
    std::optional<std::int64_t> time = expire_time(*number, options->unit, options->from, now_ms_);
    if (*number <= 0 || !time)
      return append_error(*out_, "ERR invalid expire time in 'set' command");
    expire_at = *time;
  }

  Entry* entry = options->get ? find_for_reading(arguments[0]) : find(arguments[0]);
  if (options->get) reply_value(entry);
  bool is_refused = (options->only_if_missing && entry) || (options->only_if_there && !entry);
  if (is_refused) {
    if (!options->get) append_null(*out_);
    return;
  }
  if (options->keep_expiry && entry) expire_at = entry->expire_at_ms;
  store(entry, arguments[0], arguments[1], expire_at);
  if (!options->get) append_simple(*out_, "OK");
}

void Executor::do_getset(const Arguments& arguments) {
  Entry* entry = find_for_reading(arguments[0]);
  reply_value(entry);
  store(entry, arguments[0], arguments[1], never_expires);
}

void Executor::do_append(const Arguments& arguments) {
  Entry* entry = find(arguments[0]);
  std::string_view bytes = arguments[1];
  if (entry == nullptr) {
    store(entry, arguments[0], bytes, never_expires);
    return append_integer(*out_, static_cast<std::int64_t>(bytes.size()));
  }
  if (entry->value.size() + bytes.size() > limits_.value_bytes_max) {
    return append_error(*out_, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  }
  keys_.append_value(*entry, bytes);
  append_record(*records_, {.kind = Record::Kind::append, .key = arguments[0], .value = bytes});
  append_integer(*out_, static_cast<std::int64_t>(entry->value.size()));
}

void Executor::do_increment_by(const Arguments& arguments, bool down) {
  std::optional<std::int64_t> by = parse_integer(arguments[1]);
  if (!by) return append_error(*out_, not_an_integer);
  if (down && *by == std::numeric_limits<std::int64_t>::min())
    return append_error(*out_, "ERR decrement would overflow");
  do_increment(arguments, down ? -*by : *by);
}

void Executor::do_increment(const Arguments& arguments, std::int64_t by) {
  Entry* entry = find(arguments[0]);
  std::optional<std::int64_t> value = entry ? parse_integer(entry->value) : 0;
  if (!value) return append_error(*out_, not_an_integer);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*value, by, &sum))
    return append_error(*out_, "ERR increment or decrement would overflow");

  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, sum).ptr;
  std::int64_t expire_at = entry ? entry->expire_at_ms : never_expires;
  store(entry, arguments[0], {digits, end}, expire_at);
  append_integer(*out_, sum);
}

}  // namespace kvd
