// timer_wheel.hpp: a hierarchical timer wheel; each scheduler has one.
//
// Time is cut into ticks of 2^10 ns. A due time is rounded up to its tick and the clock down, so a
// timer is never early and at most one tick late before scheduling adds its share (R9, T7).
// Nine levels of 64 slots cover the whole clock. An entry lies on the level of the highest digit
// (six bits of the tick) in which its due tick differs from the wheel's own time:
//
//   level 8 ... level 1            level 0
//   slots of 64^8 ... 64 ticks     slots of one tick      a bit per slot says whether it is empty
//                  └── cascade ────▶  └── expire_until ────▶ due_ ───▶ expire(entry)
//
// Invariants  W1 an entry on level n agrees with the wheel's time in all digits above n and is
//             greater in digit n; so whatever a level holds is due before what a higher level
//             holds. W2 the wheel's time never passes a slot that is not empty.
// Any thread may call anything; one mutex guards it all but next_due_ns(). Arming, cancelling and
// firing are O(1) each; empty slots are never visited, so a long idle time costs nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/atomic.hpp"
#include "base/intrusive_list.hpp"
#include "base/mutex.hpp"

namespace airssys::rt::scheduler {

// One timer: lies where its owner waits, or in a slot of a TimerTable. Its memory must stay until
// it has been cancelled or `expire` was called.
struct TimerEntry : base::ListHook {
  // Fixed by the owner before the first arm. Called once for each arm that is not cancelled, on the
  // thread that drives the wheel and under the wheel's mutex: it must be short, may push to inboxes
  // and run queues, may not touch a wheel, and the entry may be gone as soon as it has told its
  // owner.
  void (*expire)(TimerEntry&) noexcept = nullptr;

  std::int64_t due_ns = 0;  // written by arm
};

class TimerWheel {
 public:
  static constexpr int tick_bits = 10;
  static constexpr std::int64_t tick_ns = std::int64_t{1} << tick_bits;
  static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

  TimerWheel() noexcept;
  ~TimerWheel();  // Requires: no entry is armed.
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms an entry that is not armed, for a point on the monotonic clock; a past one fires at the
  // next expire_until. Answers true when next_due_ns() became sooner: whoever arms a wheel that
  // another thread drives then owes that thread a wake.
  bool arm(TimerEntry& entry, std::int64_t due_ns) noexcept;

  // True: it was pending and `expire` is not called any more; entry.due_ns still says when it was
  // due. False: it is not armed, and if it was, its `expire` has returned: it runs under the mutex
  // that this call takes. Requires: no other wheel has it.
  bool cancel(TimerEntry& entry) noexcept;

  // No timer is due before this; never_ns when there is none. It may be sooner than the soonest
  // timer (when a slot must be cascaded first), never later. Any thread, without the mutex.
  std::int64_t next_due_ns() const noexcept {
    // relaxed: a bound to sleep by. Who may miss an arm that races with going to sleep has the
    // fences of scheduler/idle.hpp between its own announcement and this load.
    return next_due_ns_.load(std::memory_order_relaxed);
  }

  // Fires what is due at now_ns, an earlier tick before a later one and each tick in the order of
  // arming, but for what is armed while a cascade is interrupted: it may overtake. Touches at most
  // `at_most` entries under one hold of the mutex (moving one to a lower level counts); if more is
  // due, next_due_ns() <= now_ns says so. Answers how many fired.
  std::size_t expire_until(std::int64_t now_ns, std::size_t at_most) noexcept;

  // How many entries are armed; a statistic. Any thread.
  std::size_t armed() const noexcept {
    return armed_.load(std::memory_order_relaxed);  // relaxed: a statistic
  }

 private:
  // Keeps its slots under the wheel's mutex, so that a timer's id and its place change as one.
  friend class TimerTable;
  // Moves many at a time to the wheel.
  template <class, class, std::size_t>
  friend class BasicDeferredTimers;

  static constexpr unsigned digit_bits = 6;
  static constexpr unsigned slots_per_level = 1U << digit_bits;
  static constexpr unsigned levels = 9;
  static constexpr std::size_t slots_in_all = std::size_t{levels} * slots_per_level;
  // The last one that begins at a time which the clock can show.
  static constexpr std::uint64_t tick_max = never_ns >> tick_bits;
  static_assert(tick_max >> (digit_bits * levels) == 0);

  struct Slot {
    base::ListHook* head;
    unsigned level;
    std::uint64_t start;  // the first tick it is about
  };

  // All below: under mutex_.
  bool arm_locked(TimerEntry& entry, std::int64_t due_ns) noexcept;
  bool cancel_locked(TimerEntry& entry) noexcept;
  void place(TimerEntry& entry) noexcept;
  void unlink(TimerEntry& entry) noexcept;
  void clear_bit_of(const base::ListHook& head) noexcept;
  void fire_first_due() noexcept;
  // Moves the wheel's time to the next slot that is not empty, at most to `until`, and empties it
  // into due_ or cascading_. False: there is none up to then. Requires: both are empty.
  bool advance(std::uint64_t until) noexcept;
  Slot soonest_slot() noexcept;  // Requires: there is one.
  std::int64_t find_next_due_ns() noexcept;
  void publish(std::int64_t next_due_ns) noexcept;
  void count_armed(std::ptrdiff_t change) noexcept;

  mutable base::Mutex mutex_{base::LockRank::timer};

  // Under mutex_. Lists are rings around a head that lies here.
  std::uint64_t now_tick_ = 0;     // the wheel's time
  std::uint32_t busy_levels_ = 0;  // a bit per level: some slot is not empty
  std::array<std::uint64_t, levels> busy_slots_{};
  std::array<std::array<base::ListHook, slots_per_level>, levels> slots_;
  base::ListHook due_;        // due at now_tick_ or before, in order of due ticks
  base::ListHook cascading_;  // taken out of a slot that starts at now_tick_, to be placed anew

  // Written under mutex_, read by anyone.
  base::Atomic<std::int64_t> next_due_ns_{never_ns};
  base::Atomic<std::size_t> armed_{0};
};

}  // namespace airssys::rt::scheduler
