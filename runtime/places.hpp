// places.hpp: how many processes may live at a time, where there is a limit to it.
//
//   take: one of `max`, or none is left    take_beyond: one more, for the runtime's own processes
//   give_back: when a process has closed its mailbox, before anybody can hear of its end
//
// Roles       all: any thread
// Invariants  O1 users' processes with an open mailbox are never more than `max`. O2 who has heard
//             of an end, or was refused by the closed mailbox, finds that one's place free.
// Orders      relaxed throughout: one word, and nothing lies behind it. O2 needs no more: the news
//             of the end orders give_back before the look of who has heard.
// Progress    lock-free. Without a limit nothing is written, for all schedulers would write it.
// Rejected    a count for each scheduler: their sum is true of no moment, so it refused a restart
//             while others were born and died
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::runtime {

class Places {
 public:
  // From `limitless` on there is no limit.
  Places(std::size_t max, std::size_t limitless) noexcept
      : max_(max), is_limited_(max < limitless) {}

  [[nodiscard]] bool take() noexcept {
    if (!is_limited_) [[likely]]
      return true;
    // relaxed, three times: see Orders.
    std::size_t taken = taken_.load(std::memory_order_relaxed);
    do {
      if (taken >= max_) return false;
    } while (!taken_.compare_exchange_weak(
        taken, taken + 1, std::memory_order_relaxed, std::memory_order_relaxed));
    return true;
  }
  void take_beyond() noexcept { add(1); }
  void give_back() noexcept { add(std::size_t{0} - 1); }

 private:
  void add(std::size_t count) noexcept {
    if (is_limited_) [[unlikely]]
      taken_.fetch_add(count, std::memory_order_relaxed);  // relaxed: see Orders
  }

  const std::size_t max_;
  const bool is_limited_;
  alignas(base::cache_line_bytes) base::Atomic<std::size_t> taken_{0};
};

}  // namespace airssys::rt::runtime
