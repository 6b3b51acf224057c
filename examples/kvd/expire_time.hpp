// expire_time.hpp: from what a client says to a time.
//
// `EX 10`, `PEXPIRE k 10`: so long from now; `EXAT 1900000000`: at a Unix time. Both come in
// seconds or milliseconds, and both may be too large for a clock.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace kvd {

enum class TimeUnit : std::uint8_t { seconds, milliseconds };
enum class TimeFrom : std::uint8_t { now, epoch };

// In milliseconds of Unix time; nothing when the clock does not go that far.
[[nodiscard]] inline std::optional<std::int64_t> expire_time(std::int64_t number,
                                                             TimeUnit unit,
                                                             TimeFrom from,
                                                             std::int64_t now_ms) noexcept {
  std::int64_t time = number;
  if (unit == TimeUnit::seconds && __builtin_mul_overflow(number, 1000, &time)) return std::nullopt;
  if (from == TimeFrom::now && __builtin_add_overflow(time, now_ms, &time)) return std::nullopt;
  return time;
}

}  // namespace kvd
