// wall_clock.hpp: what time of day it is, for people and for logs.
//
// Somebody may set it, so nothing in the runtime waits or decides by it (T13): clock.hpp has the
// time for that.
#pragma once

#include <chrono>
#include <string>

namespace airssys::rt::base {

using WallTime = std::chrono::system_clock::time_point;

WallTime wall_time() noexcept;

/// As RFC 3339 has it, in UTC with milliseconds: "2026-05-01T12:00:00.123Z".
std::string to_rfc3339(WallTime time);

}  // namespace airssys::rt::base
