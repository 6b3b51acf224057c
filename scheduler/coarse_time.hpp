// coarse_time.hpp: when something happened, in 32 bits: for show.
//
// In units of about a millisecond, so that they come round after 52 days. Small enough for each
// fiber to keep one in the line that every switch touches.
#pragma once

#include <cstdint>

namespace airssys::rt::scheduler {

inline constexpr unsigned coarse_shift = 20;

constexpr std::uint32_t coarse_time(std::int64_t now_ns) noexcept {
  return static_cast<std::uint32_t>(now_ns >> coarse_shift);
}

// How long ago it was; never negative.
constexpr std::int64_t ns_since(std::uint32_t then, std::int64_t now_ns) noexcept {
  return std::int64_t{coarse_time(now_ns) - then} << coarse_shift;
}

}  // namespace airssys::rt::scheduler
