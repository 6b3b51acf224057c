// deferred_timers.hpp: time-outs that are not on their wheel yet, for most never get there.
//
// Who waits with a time-out is nearly always woken by something else, and soon. So its timer stands
// in a row first, where the thread of its scheduler puts it and takes it back without a lock. What
// still stands there goes to the wheel when one of it is due, when the row is full, or when the
// thread is about to sleep.
//
//   add ──▶ in the row ── arm_all ──▶ on the wheel ──▶ fired
//               └──── take_back, cancel ────┴──▶ back
//
// Roles       cancel: any thread. All others: the thread that drives the scheduler, inside.
// Invariants  D1 from add to its end an entry is in the row or on the wheel. D2 a place whose entry
//             was cancelled from elsewhere stays empty until arm_all: nobody else knows its number.
// Orders      all places are relaxed: the wheel's mutex orders cancel with arm_all, and nobody but
//             these two, add and take_back, which one thread calls, touches the same entry. An
//             entry that is cancelled from elsewhere was added before: its wake has brought it.
// Progress    add and take_back: a few loads and stores, but for one add in `places`
// Not here    looking at next_due_ns, and arm_all before a sleep: thread.cpp
// Proof       tests/model/deferred_timers_model.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/atomic.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::scheduler {

struct DeferredEntry : TimerEntry {
  std::size_t place = 0;  // written by add
};

// The model test brings a wheel, an entry and a row of its own.
template <class Wheel, class Entry, std::size_t places>
class BasicDeferredTimers {
 public:
  explicit BasicDeferredTimers(Wheel& wheel) noexcept : wheel_(wheel) {}
  BasicDeferredTimers(const BasicDeferredTimers&) = delete;
  BasicDeferredTimers& operator=(const BasicDeferredTimers&) = delete;

  // As TimerWheel::arm.
  void add(Entry& entry, std::int64_t due_ns) noexcept {
    if (count_ == places) [[unlikely]]
      arm_all();
    soonest_ns_ = std::min(soonest_ns_, due_ns);
    entry.due_ns = due_ns;
    entry.place = count_++;
    row_[entry.place].store(&entry, std::memory_order_relaxed);  // relaxed: see Orders
  }
  // As TimerWheel::cancel, of an entry that was added here.
  bool take_back(Entry& entry) noexcept {
    // relaxed, twice: see Orders.
    if (row_[entry.place].load(std::memory_order_relaxed) != &entry) [[unlikely]]
      return wheel_.cancel(entry);
    row_[entry.place].store(nullptr, std::memory_order_relaxed);
    if (entry.place + 1 == count_ && --count_ == 0) soonest_ns_ = Wheel::never_ns;
    return true;
  }
  bool cancel(Entry& entry) noexcept {
    const std::lock_guard lock(wheel_.mutex_);
    // relaxed, twice: see Orders.
    if (row_[entry.place].load(std::memory_order_relaxed) != &entry)
      return wheel_.cancel_locked(entry);
    row_[entry.place].store(nullptr, std::memory_order_relaxed);
    return true;
  }

  // None of them is due before this.
  std::int64_t next_due_ns() const noexcept { return soonest_ns_; }
  [[gnu::noinline]] void arm_all() noexcept {
    if (count_ == 0) return;
    const std::lock_guard lock(wheel_.mutex_);
    for (std::size_t place = 0; place < count_; ++place) {
      // relaxed, twice: see Orders.
      Entry* const entry = row_[place].load(std::memory_order_relaxed);
      if (!entry) continue;
      row_[place].store(nullptr, std::memory_order_relaxed);
      wheel_.arm_locked(*entry, entry->due_ns);
    }
    count_ = 0;
    soonest_ns_ = Wheel::never_ns;
  }

 private:
  Wheel& wheel_;
  std::size_t count_ = 0;  // the places behind are empty; before, some may be
  std::int64_t soonest_ns_ = Wheel::never_ns;
  std::array<base::Atomic<Entry*>, places> row_{};
};

using DeferredTimers = BasicDeferredTimers<TimerWheel, DeferredEntry, 64>;

}  // namespace airssys::rt::scheduler
