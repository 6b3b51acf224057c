// timer_table.hpp: timers that are known by an id, for messages sent later.
//
// A table belongs to one wheel and lives under its mutex: to look an id up, to take its timer off
// the wheel and to free its slot is one step, so exactly one of "cancel answered a time" and
// "fire was called" holds for each timer under any race (T4). Slots are type-stable
// and carry a generation: an id that has fired or was cancelled names nobody (T3, T5), until its
// slot has been used some 2^32 times more.
//
// Timers aimed at one target are chained, so that its death can take them all back (T9). Targets
// share a bucket until one that dies meets another's timers there: where all timers are aimed at
// one, they need no more.
//
// Slots are used again, the last that was freed first, but a table does not shrink: it keeps 64
// bytes for each timer of its peak, and up to 8 more where many targets made it widen its buckets.
//
//   free ── create ──▶ pending ── cancel, cancel_target, expiry ──▶ free, next generation
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/cache_line.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::scheduler {

// A value that anyone may keep. Which table, which slot of it, and the how-manieth use of that
// slot; never zero for a timer that was made, so zero may mean "none".
//
//   63     56 55            32 31            0
//  |  table  |      slot      |  generation   |
class TimerId {
 public:
  constexpr TimerId() noexcept = default;
  constexpr TimerId(unsigned table, std::uint32_t slot, std::uint32_t generation) noexcept
      : bits_((std::uint64_t{table} << 56) | (std::uint64_t{slot} << 32) | generation) {}
  static constexpr TimerId from_bits(std::uint64_t bits) noexcept {
    TimerId id;
    id.bits_ = bits;
    return id;
  }

  constexpr std::uint64_t bits() const noexcept { return bits_; }
  constexpr unsigned table() const noexcept { return static_cast<unsigned>(bits_ >> 56); }
  constexpr std::uint32_t slot() const noexcept {
    return static_cast<std::uint32_t>(bits_ >> 32) & 0x00FF'FFFFU;
  }
  constexpr std::uint32_t generation() const noexcept { return static_cast<std::uint32_t>(bits_); }
  friend constexpr bool operator==(TimerId, TimerId) noexcept = default;

 private:
  std::uint64_t bits_ = 0;
};

// What is to happen when the time has come. The table only keeps it.
struct TimerOrder {
  // As TimerEntry::expire: called at most once. It begins with TimerTable::take_expired, and owns
  // the payload then.
  void (*fire)(TimerEntry& timer) noexcept = nullptr;
  void* payload = nullptr;
  std::uint64_t target = 0;  // the key of cancel_target; 0: none
};

class TimerTable {
 public:
  static constexpr std::size_t timers_max = (1U << 24) - 1;
  static constexpr unsigned tables_max = 256;

  // `number` stands in every id this table makes, so that its holder finds the way back.
  TimerTable(TimerWheel& wheel, unsigned number);
  ~TimerTable();  // Requires: nothing is pending.
  TimerTable(const TimerTable&) = delete;
  TimerTable& operator=(const TimerTable&) = delete;

  struct Created {
    TimerId id;
    bool is_sooner;  // as TimerWheel::arm answers
  };
  // Empty when timers_max are pending. Any thread; allocates when it grows, and no memory is the
  // end.
  std::optional<Created> create(std::int64_t due_ns, const TimerOrder& order) noexcept;

  struct Cancelled {
    TimerOrder order;  // its payload is the caller's again
    std::int64_t due_ns;
  };
  // The order, if it was pending: its fire is never called. Empty: it has been called and has
  // returned, or was cancelled, or this id never was. Any thread.
  std::optional<Cancelled> cancel(TimerId id) noexcept;

  struct Expired {
    TimerOrder order;
    TimerId id;
  };
  // For the order's `fire`, first of all: the slot is free and the id is dead before anybody is
  // told, so whoever got the message and asks for the timer is told the truth (T5).
  Expired take_expired(TimerEntry& timer) noexcept;

  // When it is due, if it is pending. Any thread.
  std::optional<std::int64_t> due_ns(TimerId id) const noexcept;

  // Takes back one of the timers aimed at this target; empty when there is none. One at a time, so
  // that a dying target with many of them can let others run in between (T12). Any thread.
  std::optional<Cancelled> cancel_target(std::uint64_t target) noexcept;

  // Takes back one of those that are still pending, whichever; for the end of the runtime.
  std::optional<Cancelled> cancel_any() noexcept;

 private:
  static constexpr std::size_t slots_per_chunk = 256;

  // A line: who has a million timers pays for memory first. Pending: on the wheel, and `expire` is
  // its order's `fire`.
  struct alignas(base::cache_line_bytes) Slot : TimerEntry {
    void* payload = nullptr;
    std::uint64_t target = 0;
    std::uint32_t number = 0;  // its own; that of the first is 1
    std::uint32_t generation = 1;
    // Numbers, 0: none. Free: the next free slot. Pending with a target: its neighbours in the
    // target's bucket.
    std::uint32_t next = 0;
    std::uint32_t previous = 0;
  };
  static_assert(sizeof(Slot) == base::cache_line_bytes);

  // All below: under the wheel's mutex.
  Slot* find(TimerId id) const noexcept;
  bool grow();
  Cancelled take_back(Slot& slot) noexcept;
  TimerOrder retire(Slot& slot) noexcept;
  void chain(Slot& slot) noexcept;
  void unchain(Slot& slot) noexcept;
  void widen_buckets();
  std::uint32_t& bucket_of(std::uint64_t target) const noexcept;
  std::size_t slot_count() const noexcept { return chunks_.size() * slots_per_chunk; }
  Slot& slot_at(std::uint32_t number) const noexcept;
  TimerId id_of(const Slot& slot) const noexcept;

  // Fixed after construction.
  TimerWheel& wheel_;
  const unsigned number_;

  // Under the wheel's mutex.
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::uint32_t free_ = 0;
  std::size_t pending_ = 0;
  std::size_t chained_ = 0;
  std::uint32_t sweep_ = 1;        // where cancel_any goes on
  std::size_t bucket_count_ = 64;  // a power of two
  std::unique_ptr<std::uint32_t[]> buckets_;
};

}  // namespace airssys::rt::scheduler
