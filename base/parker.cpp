// parker.cpp: the steps of parking.
//
// The states are chosen so that "take the token, or lie down" is one subtraction: token becomes
// none, none becomes asleep.
#include "base/parker.hpp"

#include "base/assert.hpp"
#include "base/clock.hpp"

namespace airssys::rt::base {

void Parker::park() noexcept {
  // acquire: pairs with the release in unpark. Weaker: the woken thread could miss the work it was
  // woken for.
  const std::uint32_t before = word_.fetch_sub(1, std::memory_order_acquire);
  if (before == token) return;
  RT_CHECK(before == none, "one thread at a time parks at a Parker");
  for (;;) {
    futex_wait(word_, asleep, -1);
    std::uint32_t expected = token;
    // acquire: as above. relaxed on failure: a wake without cause, nothing is taken.
    if (word_.compare_exchange_strong(
            expected, none, std::memory_order_acquire, std::memory_order_relaxed))
      return;
  }
}

Woken Parker::park_for(std::int64_t ns) noexcept {
  // acquire: as in park.
  const std::uint32_t before = word_.fetch_sub(1, std::memory_order_acquire);
  if (before == token) return Woken::unparked;
  RT_CHECK(before == none, "one thread at a time parks at a Parker");
  std::int64_t left = ns;
  if (ns > 0) {
    const std::int64_t start = steady_clock().now_ns();
    do {
      futex_wait(word_, asleep, left);
      left = ns - (steady_clock().now_ns() - start);
      // relaxed: only asks whether to sleep again; the exchange below takes the token.
    } while (left > 0 && word_.load(std::memory_order_relaxed) == asleep);
  }
  // acquire: as in park. One step, so that a token that comes this moment is either taken here or
  // stays for the next park.
  return word_.exchange(none, std::memory_order_acquire) == token ? Woken::unparked
                                                                  : Woken::timed_out;
}

void Parker::unpark() noexcept {
  // release: pairs with the acquires in park and park_for.
  if (word_.exchange(token, std::memory_order_release) == asleep) futex_wake(word_, 1);
}

}  // namespace airssys::rt::base
