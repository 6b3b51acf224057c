// clock.hpp: the one place that is asked what time it is.
//
// Everything that waits, measures or times out asks a Clock it was given. The real one is
// monotonic; ManualClock stands still until a test moves it, so a test's result depends on no
// machine's speed. A reading costs some 20 ns (8 ns of it the counter): callers read it at slice
// ends and timers, not at each message.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace airssys::rt::base {

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Nanoseconds since a fixed point of the clock's own; never goes backwards. Any thread.
  virtual std::int64_t now_ns() noexcept = 0;
};

/// The system's monotonic clock. Lives for ever.
Clock& steady_clock() noexcept;

/// Stands still until it is advanced. Any thread may read and advance it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ns = 0) noexcept : now_ns_(start_ns) {}

  // acquire: pairs with advance, so who sees the new time sees what was done before it was set.
  std::int64_t now_ns() noexcept override { return now_ns_.load(std::memory_order_acquire); }

  // acq_rel: two advances both count, and each publishes what was done before it.
  void advance(std::int64_t ns) noexcept { now_ns_.fetch_add(ns, std::memory_order_acq_rel); }

 private:
  Atomic<std::int64_t> now_ns_;
};

}  // namespace airssys::rt::base
