// restart_window.hpp: how many restarts there have been lately (V28).
//
// With intensity n, n restarts within the period are admitted and the next one is not. Times come
// from outside, in nanoseconds of one clock that does not run backwards. A restart that lies
// exactly one period back still counts. Holds at most n + 1 times. Plain data, one process.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstdint>
#include <deque>

namespace airssys::rt::supervision {

class RestartWindow {
 public:
  RestartWindow(unsigned intensity, Duration period) noexcept
      : intensity_(intensity), period_(period) {}

  // Counts a restart at this time. False: it is one too many, and the supervisor has to end.
  bool admit(std::int64_t now_ns);

 private:
  unsigned intensity_;
  Duration period_;
  std::deque<std::int64_t> times_;  // oldest first
};

}  // namespace airssys::rt::supervision
