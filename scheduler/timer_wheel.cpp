// timer_wheel.cpp: placing, cascading and firing.
//
// Lists are rings around a head, so an entry leaves its list without knowing which it is; only when
// that leaves a head alone does the head's place in `slots_` tell which bit to clear.
#include "scheduler/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <mutex>

#include "base/assert.hpp"

namespace airssys::rt::scheduler {

namespace {

bool is_empty(const base::ListHook& head) noexcept {
  return head.next == &head;
}

void make_empty(base::ListHook& head) noexcept {
  head.previous = head.next = &head;
}

void append(base::ListHook& head, base::ListHook& entry) noexcept {
  entry.previous = head.previous;
  entry.next = &head;
  head.previous->next = &entry;
  head.previous = &entry;
}

void move_all(base::ListHook& from, base::ListHook& to) noexcept {
  if (is_empty(from)) return;
  from.next->previous = to.previous;
  from.previous->next = &to;
  to.previous->next = from.next;
  to.previous = from.previous;
  make_empty(from);
}

TimerEntry& first(base::ListHook& head) noexcept {
  return static_cast<TimerEntry&>(*head.next);
}

// The tick at whose beginning the entry is due: rounded up, so never early.
std::uint64_t due_tick(const TimerEntry& entry, std::uint64_t tick_max) noexcept {
  if (entry.due_ns <= 0) return 0;
  const auto due = static_cast<std::uint64_t>(entry.due_ns);
  const std::uint64_t tick_ns = TimerWheel::tick_ns;
  return std::min((due + tick_ns - 1) / tick_ns, tick_max);
}

std::int64_t start_ns(std::uint64_t tick) noexcept {
  return static_cast<std::int64_t>(tick << TimerWheel::tick_bits);
}

}  // namespace

TimerWheel::TimerWheel() noexcept {
  make_empty(due_);
  make_empty(cascading_);
  for (auto& level : slots_) std::ranges::for_each(level, make_empty);
}

TimerWheel::~TimerWheel() {
  RT_CHECK(armed() == 0, "a timer wheel is destroyed with armed timers");
}

bool TimerWheel::arm(TimerEntry& entry, std::int64_t due_ns) noexcept {
  const std::lock_guard lock(mutex_);
  return arm_locked(entry, due_ns);
}

bool TimerWheel::cancel(TimerEntry& entry) noexcept {
  const std::lock_guard lock(mutex_);
  return cancel_locked(entry);
}

std::size_t TimerWheel::expire_until(std::int64_t now_ns, std::size_t at_most) noexcept {
  if (now_ns < next_due_ns()) return 0;
  const std::lock_guard lock(mutex_);
  const std::uint64_t until = std::min(static_cast<std::uint64_t>(now_ns) >> tick_bits, tick_max);
  std::size_t fired = 0;
  for (std::size_t touched = 0; touched < at_most;) {
    if (!is_empty(due_)) {
      fire_first_due();
      ++fired;
      ++touched;
    } else if (!is_empty(cascading_)) {
      TimerEntry& entry = first(cascading_);
      unlink(entry);
      place(entry);
      ++touched;
    } else if (!advance(until)) {
      break;
    }
  }
  publish(find_next_due_ns());
  return fired;
}

bool TimerWheel::arm_locked(TimerEntry& entry, std::int64_t due_ns) noexcept {
  RT_CHECK(!entry.is_linked(), "a timer entry is armed twice");
  RT_CHECK(entry.expire != nullptr, "a timer entry has nothing to call");
  entry.due_ns = due_ns;
  place(entry);
  count_armed(+1);
  const std::int64_t due = start_ns(due_tick(entry, tick_max));
  if (due >= next_due_ns()) return false;
  publish(due);
  return true;
}

bool TimerWheel::cancel_locked(TimerEntry& entry) noexcept {
  if (!entry.is_linked()) return false;
  unlink(entry);
  count_armed(-1);
  if (start_ns(due_tick(entry, tick_max)) <= next_due_ns()) publish(find_next_due_ns());
  return true;
}

void TimerWheel::place(TimerEntry& entry) noexcept {
  const std::uint64_t due = due_tick(entry, tick_max);
  if (due <= now_tick_) {
    append(due_, entry);
    return;
  }
  const auto highest_bit = static_cast<unsigned>(std::bit_width(due ^ now_tick_)) - 1;
  const unsigned level = highest_bit / digit_bits;
  const auto digit = static_cast<unsigned>(due >> (level * digit_bits)) & (slots_per_level - 1);
  append(slots_[level][digit], entry);
  busy_slots_[level] |= std::uint64_t{1} << digit;
  busy_levels_ |= 1U << level;
}

void TimerWheel::unlink(TimerEntry& entry) noexcept {
  base::ListHook* const neighbour = entry.next;
  entry.previous->next = neighbour;
  neighbour->previous = entry.previous;
  entry.previous = entry.next = nullptr;
  if (is_empty(*neighbour)) clear_bit_of(*neighbour);
}

void TimerWheel::clear_bit_of(const base::ListHook& head) noexcept {
  const base::ListHook* const begin = slots_.front().data();
  const base::ListHook* const end = begin + slots_in_all;
  if (std::less{}(&head, begin) || !std::less{}(&head, end)) return;  // due_ or cascading_
  const auto index = static_cast<unsigned>(&head - begin);
  const unsigned level = index / slots_per_level;
  busy_slots_[level] &= ~(std::uint64_t{1} << (index % slots_per_level));
  if (busy_slots_[level] == 0) busy_levels_ &= ~(1U << level);
}

void TimerWheel::fire_first_due() noexcept {
  TimerEntry& entry = first(due_);
  unlink(entry);
  count_armed(-1);
  entry.expire(entry);  // the entry may be gone now
}

bool TimerWheel::advance(std::uint64_t until) noexcept {
  if (busy_levels_ == 0 || soonest_slot().start > until) {
    now_tick_ = std::max(now_tick_, until);
    return false;
  }
  const Slot slot = soonest_slot();
  RT_INVARIANT(slot.start > now_tick_, "W1: a slot lies in the wheel's past");
  now_tick_ = slot.start;
  move_all(*slot.head, slot.level == 0 ? due_ : cascading_);
  clear_bit_of(*slot.head);
  return true;
}

TimerWheel::Slot TimerWheel::soonest_slot() noexcept {
  const auto level = static_cast<unsigned>(std::countr_zero(busy_levels_));
  const auto digit = static_cast<unsigned>(std::countr_zero(busy_slots_[level]));
  const unsigned shift = level * digit_bits;
  const std::uint64_t above = (now_tick_ >> (shift + digit_bits)) << (shift + digit_bits);
  return {&slots_[level][digit], level, above | (std::uint64_t{digit} << shift)};
}

std::int64_t TimerWheel::find_next_due_ns() noexcept {
  if (!is_empty(due_) || !is_empty(cascading_)) return start_ns(now_tick_);
  if (busy_levels_ == 0) return never_ns;
  const Slot slot = soonest_slot();
  // A slot with one entry need not be cascaded before that is due: a lonely timer wakes nobody
  // twice.
  const TimerEntry& entry = first(*slot.head);
  if (entry.next == slot.head) return start_ns(due_tick(entry, tick_max));
  return start_ns(slot.start);
}

void TimerWheel::publish(std::int64_t next_due_ns) noexcept {
  // relaxed: see next_due_ns(); only the holder of mutex_ writes.
  next_due_ns_.store(next_due_ns, std::memory_order_relaxed);
}

void TimerWheel::count_armed(std::ptrdiff_t change) noexcept {
  // relaxed: a statistic; only the holder of mutex_ writes.
  armed_.store(armed() + static_cast<std::size_t>(change), std::memory_order_relaxed);
}

}  // namespace airssys::rt::scheduler
