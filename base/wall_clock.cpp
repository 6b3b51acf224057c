// wall_clock.cpp: reading it, and writing it down.
#include "base/wall_clock.hpp"

#include <cstdio>

namespace airssys::rt::base {

WallTime wall_time() noexcept {
  return std::chrono::system_clock::now();
}

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time) - day);
  char text[64];
  const int length = std::snprintf(text,
                                   sizeof(text),
                                   "%04d-%02u-%02uT%02lld:%02lld:%02lld.%03lldZ",
                                   static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()),
                                   static_cast<long long>(clock.hours().count()),
                                   static_cast<long long>(clock.minutes().count()),
                                   static_cast<long long>(clock.seconds().count()),
                                   static_cast<long long>(clock.subseconds().count()));
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace airssys::rt::base
