// backoff.cpp: how long a child that has ended waits until it is started again.
#include "supervision/backoff.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace airssys::rt::supervision {

std::string_view wrong_in(const RestartBackoff& options) noexcept {
  if (options.first < Duration::zero()) return "first is negative";
  if (options.longest < Duration::zero()) return "longest is negative";
  if (!(options.factor >= 1.0)) return "factor is less than one";
  if (!(options.jitter >= 0.0 && options.jitter <= 1.0)) return "jitter is not within 0 to 1";
  if (options.stable_after < Duration::zero()) return "stable_after is negative";
  return {};
}

Duration Backoff::ended(const RestartBackoff& options,
                        std::int64_t now_ns,
                        std::uint64_t chance) noexcept {
  // No wait, however often it fails; nor is nothing times a growth beyond all bounds a number.
  if (options.first == Duration::zero()) return {};
  const std::int64_t started_ns = std::exchange(started_ns_, Deadline::never_ns);
  const bool was_stable =
      started_ns != Deadline::never_ns && Duration(now_ns - started_ns) >= options.stable_after;
  if (was_stable) failures_ = 0;
  // Infinite is as good as a century, of which a double and its way back make a duration.
  constexpr Duration century = std::chrono::years(100);
  const auto longest = static_cast<double>(std::min(options.longest, century).count());
  const double whole = std::min(
      longest, static_cast<double>(options.first.count()) * std::pow(options.factor, failures_));
  if (whole < longest) ++failures_;
  // The upper 53 bits of the number, as a fraction.
  const double fraction = static_cast<double>(chance >> 11U) * 0x1.0p-53;
  return Duration(static_cast<std::int64_t>(whole * (1.0 - options.jitter * fraction)));
}

}  // namespace airssys::rt::supervision
