// timer_table.cpp: slots, ids and the chains of one target's timers.
//
// Every public call takes the wheel's mutex once; expiry comes with it held.
#include "scheduler/timer_table.hpp"

#include <bit>
#include <mutex>
#include <utility>

#include "base/assert.hpp"

namespace airssys::rt::scheduler {

TimerTable::TimerTable(TimerWheel& wheel, unsigned number)
    : wheel_(wheel), number_(number), buckets_(new std::uint32_t[bucket_count_]()) {
  RT_CHECK(number < tables_max, "there are too many timer tables for their ids");
}

TimerTable::~TimerTable() {
  RT_CHECK(pending_ == 0, "a timer table is destroyed with timers");
}

std::optional<TimerTable::Created> TimerTable::create(std::int64_t due_ns,
                                                      const TimerOrder& order) noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  if (free_ == 0 && !grow()) return std::nullopt;
  Slot& slot = slot_at(free_);
  free_ = slot.next;
  slot.expire = order.fire;
  slot.payload = order.payload;
  slot.target = order.target;
  ++pending_;
  if (order.target != 0) chain(slot);
  const bool is_sooner = wheel_.arm_locked(slot, due_ns);
  return Created{id_of(slot), is_sooner};
}

std::optional<TimerTable::Cancelled> TimerTable::cancel(TimerId id) noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  Slot* const slot = find(id);
  if (slot == nullptr) return std::nullopt;
  return take_back(*slot);
}

std::optional<std::int64_t> TimerTable::due_ns(TimerId id) const noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  const Slot* const slot = find(id);
  if (slot == nullptr) return std::nullopt;
  return slot->TimerEntry::due_ns;
}

std::optional<TimerTable::Cancelled> TimerTable::cancel_target(std::uint64_t target) noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  for (std::uint32_t number = bucket_of(target); number != 0;) {
    Slot& slot = slot_at(number);
    if (slot.target == target) return take_back(slot);
    if (chained_ > bucket_count_) {
      widen_buckets();
      number = bucket_of(target);
    } else {
      number = slot.next;
    }
  }
  return std::nullopt;
}

std::optional<TimerTable::Cancelled> TimerTable::cancel_any() noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  if (pending_ == 0) return std::nullopt;
  for (; sweep_ < slot_count(); ++sweep_)
    if (Slot& slot = slot_at(sweep_); slot.is_linked()) return take_back(slot);
  sweep_ = 1;
  return std::nullopt;
}

TimerTable::Expired TimerTable::take_expired(TimerEntry& timer) noexcept {
  auto& slot = static_cast<Slot&>(timer);
  const TimerId id = id_of(slot);
  return {retire(slot), id};
}

TimerTable::Slot* TimerTable::find(TimerId id) const noexcept {
  RT_CHECK(id.table() == number_, "a timer's id is asked of another table");
  if (id.slot() >= slot_count()) return nullptr;
  Slot& slot = slot_at(id.slot());
  return slot.is_linked() && slot.generation == id.generation() ? &slot : nullptr;
}

TimerTable::Cancelled TimerTable::take_back(Slot& slot) noexcept {
  const bool was_armed = wheel_.cancel_locked(slot);
  RT_CHECK(was_armed, "a pending timer is on its wheel");
  return {retire(slot), slot.TimerEntry::due_ns};
}

TimerOrder TimerTable::retire(Slot& slot) noexcept {
  if (slot.target != 0) unchain(slot);
  if (++slot.generation == 0) slot.generation = 1;
  slot.next = std::exchange(free_, slot.number);
  --pending_;
  return {slot.expire, slot.payload, slot.target};
}

bool TimerTable::grow() {
  const std::size_t first = slot_count();
  if (first >= timers_max) return false;
  Slot* const chunk = chunks_.emplace_back(new Slot[slots_per_chunk]).get();
  for (std::size_t i = slots_per_chunk; i-- > (first == 0 ? 1 : 0);) {
    chunk[i].number = static_cast<std::uint32_t>(first + i);
    chunk[i].next = std::exchange(free_, chunk[i].number);
  }
  return true;
}

void TimerTable::chain(Slot& slot) noexcept {
  std::uint32_t& bucket = bucket_of(slot.target);
  slot.next = bucket;
  slot.previous = 0;
  if (bucket != 0) slot_at(bucket).previous = slot.number;
  bucket = slot.number;
  ++chained_;
}

void TimerTable::unchain(Slot& slot) noexcept {
  (slot.previous != 0 ? slot_at(slot.previous).next : bucket_of(slot.target)) = slot.next;
  if (slot.next != 0) slot_at(slot.next).previous = slot.previous;
  --chained_;
}

void TimerTable::widen_buckets() {
  const std::size_t old_count = std::exchange(bucket_count_, std::bit_ceil(chained_));
  const auto old =
      std::exchange(buckets_, std::unique_ptr<std::uint32_t[]>(new std::uint32_t[bucket_count_]()));
  chained_ = 0;
  for (std::size_t i = 0; i < old_count; ++i)
    for (std::uint32_t number = old[i]; number != 0;) {
      Slot& slot = slot_at(number);
      number = slot.next;
      chain(slot);
    }
}

std::uint32_t& TimerTable::bucket_of(std::uint64_t target) const noexcept {
  // Multiplying by the golden ratio spreads neighbouring pids; the high bits are the mixed ones.
  const std::uint64_t mixed = target * 0x9E37'79B9'7F4A'7C15U;
  return buckets_[(mixed >> 32) & (bucket_count_ - 1)];
}

TimerTable::Slot& TimerTable::slot_at(std::uint32_t number) const noexcept {
  return chunks_[number / slots_per_chunk][number % slots_per_chunk];
}

TimerId TimerTable::id_of(const Slot& slot) const noexcept {
  return {number_, slot.number, slot.generation};
}

}  // namespace airssys::rt::scheduler
