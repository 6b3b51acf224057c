// backoff.hpp: how long a child that has ended waits until it is started again.
//
// Each failure in a row makes the wait longer, up to a longest one; a child that has run for a
// while is taken for stable again, and its next wait is the first. Some of each wait is left to
// chance, so that children that fail together do not come back together. Plain data, one process;
// times and chance come from outside.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/time.hpp>
#include <cstdint>
#include <string_view>

namespace airssys::rt::supervision {

// What is wrong in these, "factor is less than one"; empty: nothing is.
std::string_view wrong_in(const RestartBackoff& options) noexcept;

class Backoff {
 public:
  // The child has started.
  void started(std::int64_t now_ns) noexcept { started_ns_ = now_ns; }
  // The child has ended, or a start has failed: how long until the next start. `chance` is any
  // number. Zero when the options say not to wait.
  Duration ended(const RestartBackoff& options, std::int64_t now_ns, std::uint64_t chance) noexcept;

 private:
  unsigned failures_ = 0;
  std::int64_t started_ns_ = Deadline::never_ns;  // never: it does not run
};

}  // namespace airssys::rt::supervision
