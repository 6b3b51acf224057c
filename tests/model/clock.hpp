// clock.hpp: vector clocks: what each of the modelled threads is known to have done before.
//
// Entry t counts the releases of thread t that have been seen, directly or through others. Thread 0
// is the one that sets the program up and looks at it in the end.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace airssys::rt::model {

inline constexpr unsigned threads_max = 5;  // with thread 0

struct Clock {
  std::array<std::uint32_t, threads_max> seen{};

  void join(const Clock& other) noexcept {
    for (unsigned t = 0; t < threads_max; ++t) seen[t] = std::max(seen[t], other.seen[t]);
  }
  bool covers(const Clock& other) const noexcept {
    for (unsigned t = 0; t < threads_max; ++t) {
      if (seen[t] < other.seen[t]) return false;
    }
    return true;
  }
};

}  // namespace airssys::rt::model
