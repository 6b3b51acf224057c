// executor_keys.cpp: whether a key is there, and until when.
//
// An expiry that lies in the past removes the key at once, and logs that.
#include <optional>
#include <string>
#include <string_view>

#include "examples/kvd/executor.hpp"
#include "examples/kvd/expire_time.hpp"
#include "examples/kvd/integer.hpp"
#include "examples/kvd/reply.hpp"

namespace kvd {
namespace {

// [NX | XX | GT | LT] behind EXPIRE key seconds.
struct ExpireConditions {
  bool only_without = false;  // NX
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_sooner = false;   // LT
};

// The text of the error, if there is one.
std::string parse_conditions(const Arguments& arguments, ExpireConditions& conditions) {
  for (std::size_t n = 2; n < arguments.size(); ++n) {
    if (is_word(arguments[n], "nx")) {
      conditions.only_without = true;
    } else if (is_word(arguments[n], "xx")) {
      conditions.only_with = true;
    } else if (is_word(arguments[n], "gt")) {
      conditions.only_later = true;
    } else if (is_word(arguments[n], "lt")) {
      conditions.only_sooner = true;
    } else {
      return "ERR Unsupported option " + std::string(quotable(arguments[n], std::string::npos));
    }
  }
  const auto& [nx, xx, gt, lt] = conditions;
  if (nx && (xx || gt || lt))
    return "ERR NX and XX, GT or LT options at the same time are not compatible";
  if (gt && lt) return "ERR GT and LT options at the same time are not compatible";
  return {};
}

// A key that never expires counts as one that expires after all others.
bool allow(const ExpireConditions& conditions, std::int64_t now_set, std::int64_t wanted) noexcept {
  bool has_expiry = now_set != never_expires;
  if (conditions.only_without && has_expiry) return false;
  if (conditions.only_with && !has_expiry) return false;
  if (conditions.only_later && (!has_expiry || wanted <= now_set)) return false;
  return !(conditions.only_sooner && has_expiry && wanted >= now_set);
}

}  // namespace

void Executor::do_delete(const Arguments& arguments) {
  Entry* entry = find(arguments[0]);
  if (entry) erase(arguments[0]);
  append_integer(*out_, entry ? 1 : 0);
}

void Executor::do_exists(const Arguments& arguments) {
  append_integer(*out_, find_for_reading(arguments[0]) ? 1 : 0);
}

void Executor::do_type(const Arguments& arguments) {
  append_simple(*out_, find_for_reading(arguments[0]) ? "string" : "none");
}

void Executor::do_expire(const Arguments& arguments, Command command) {
  ExpireConditions conditions;
  std::string error = parse_conditions(arguments, conditions);
  if (!error.empty()) return append_error(*out_, error);
  std::optional<std::int64_t> number = parse_integer(arguments[1]);
  if (!number) return append_error(*out_, not_an_integer);
  TimeUnit unit = command == Command::expire ? TimeUnit::seconds : TimeUnit::milliseconds;
  std::optional<std::int64_t> time = expire_time(*number, unit, TimeFrom::now, now_ms_);
  if (!time) {
    std::string name(info_of(command).name);
    return append_error(*out_, "ERR invalid expire time in '" + name + "' command");
  }

  Entry* entry = find(arguments[0]);
  if (entry == nullptr || !allow(conditions, entry->expire_at_ms, *time))
    return append_integer(*out_, 0);
  if (*time <= now_ms_) {
    erase(arguments[0]);
  } else {
    keys_.set_expiry(*entry, *time);
    append_record(*records_,
                  {.kind = Record::Kind::expiry, .expire_at_ms = *time, .key = arguments[0]});
  }
  append_integer(*out_, 1);
}

void Executor::do_ttl(const Arguments& arguments, Command command) {
  constexpr std::int64_t no_key = -2;
  constexpr std::int64_t no_expiry = -1;
  const Entry* entry = find_for_reading(arguments[0]);
  if (entry == nullptr) return append_integer(*out_, no_key);
  if (entry->expire_at_ms == never_expires) return append_integer(*out_, no_expiry);
  std::int64_t left_ms = entry->expire_at_ms - now_ms_;
  append_integer(*out_, command == Command::pttl ? left_ms : (left_ms + 500) / 1000);
}

void Executor::do_persist(const Arguments& arguments) {
  Entry* entry = find(arguments[0]);
  bool changes = entry && entry->expire_at_ms != never_expires;
  if (changes) {
    keys_.set_expiry(*entry, never_expires);
    append_record(*records_, {.kind = Record::Kind::expiry, .key = arguments[0]});
  }
  append_integer(*out_, changes ? 1 : 0);
}

}  // namespace kvd
