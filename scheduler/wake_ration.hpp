// wake_ration.hpp: how often a busy scheduler wakes another one for work that it would come to
// itself.
//
// To wake a thread costs its waker some 15 us, and the woken one's search disturbs the waker's
// caches for another 20. Two processes that send each other messages make one runnable every 50 ns,
// and no thief ever gets it; a receiver whose sender goes on computing waits until a thief comes.
// Nobody knows beforehand which it is, so wakes are rationed by what the last ones brought: one
// that found a task which had been standing for a while, or that worked for longer than a wake
// costs, gives back full freedom; each that brought nothing doubles the time until the next.
//
// Not here    what must be woken for: work from outside, timers, I/O, work found by a thief. The
//             owner of rationed work is awake and comes to it (I4); where it does not, behind a
//             long turn or below a busy level, the monitor wakes for what stands.
// Progress    plain loads and stores; of two threads that judge at once one may be overwritten,
//             which costs a wake too many or some latency
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::scheduler {

class WakeRation {
 public:
  // Work that lasts this long was worth waking for.
  static constexpr std::int64_t worth_ns = 30'000;

  // Who has made work visible that it will come to itself. `last_ns` is the caller's own note of
  // when it was last allowed to.
  [[nodiscard]] bool allows(std::int64_t now_ns, std::int64_t& last_ns) const noexcept {
    // relaxed, here and below: a figure that steers; nothing is handed over.
    if (now_ns - last_ns < gap_ns_.load(std::memory_order_relaxed)) return false;
    last_ns = now_ns;
    return true;
  }

  // A woken thread, when it knows what its waking has brought.
  void was_worth_it() noexcept {
    // relaxed, twice: as above; read first, for that leaves the line shared.
    if (gap_ns_.load(std::memory_order_relaxed) != 0) gap_ns_.store(0, std::memory_order_relaxed);
  }
  void was_futile() noexcept {
    // relaxed, twice: as above.
    const std::int64_t longer = gap_ns_.load(std::memory_order_relaxed) * 2;
    gap_ns_.store(std::clamp(longer, gap_min_ns, gap_max_ns), std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t gap_min_ns = 50'000;
  static constexpr std::int64_t gap_max_ns = 1'600'000;  // some two percent for futile wakes

  // Any thread, atomic. Read at each such wake, seldom written.
  alignas(base::cache_line_bytes) base::Atomic<std::int64_t> gap_ns_{0};
};

}  // namespace airssys::rt::scheduler
