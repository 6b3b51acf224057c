// timer_table.cpp: slots, ids and the chains of one target's timers.
//
// Every public call takes the wheel's mutex once; expiry comes with it held.
#include "scheduler/timer_table.hpp"

#include <mutex>
#include <utility>

#include "base/assert.hpp"

namespace airssys::rt::scheduler {

TimerTable::TimerTable(TimerWheel& wheel, unsigned number)
    : wheel_(wheel), number_(number), buckets_(new Slot*[bucket_count_]()) {
  RT_CHECK(number < tables_max, "there are too many timer tables for their ids");
}

TimerTable::~TimerTable() {
  RT_CHECK(pending_ == 0, "a timer table is destroyed with timers");
}

std::optional<TimerTable::Created> TimerTable::create(std::int64_t due_ns,
                                                      const TimerOrder& order) noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  if (free_ == nullptr && !grow()) return std::nullopt;
  Slot& slot = *std::exchange(free_, free_->next);
  slot.is_pending = true;
  slot.order = order;
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
  for (Slot* slot = bucket_of(target); slot != nullptr; slot = slot->next)
    if (slot->order.target == target) return take_back(*slot);
  return std::nullopt;
}

std::optional<TimerTable::Cancelled> TimerTable::cancel_any() noexcept {
  const std::lock_guard lock(wheel_.mutex_);
  if (pending_ == 0) return std::nullopt;
  for (; sweep_ < chunks_.size() * slots_per_chunk; ++sweep_)
    if (Slot& slot = slot_at(sweep_); slot.is_pending) return take_back(slot);
  sweep_ = 0;
  return std::nullopt;
}

// The slot is free and its id is dead before anybody is told, so whoever got the message and asks
// for the timer is told the truth (T5).
void TimerTable::expire_slot(TimerEntry& entry) noexcept {
  auto& slot = static_cast<Slot&>(entry);
  TimerTable& table = *slot.table;
  const TimerId id = table.id_of(slot);
  const TimerOrder order = table.retire(slot);
  order.fire(order, id);
}

TimerTable::Slot* TimerTable::find(TimerId id) const noexcept {
  RT_CHECK(id.table() == number_, "a timer's id is asked of another table");
  if (id.slot() >= chunks_.size() * slots_per_chunk) return nullptr;
  Slot& slot = slot_at(id.slot());
  return slot.is_pending && slot.generation == id.generation() ? &slot : nullptr;
}

TimerTable::Cancelled TimerTable::take_back(Slot& slot) noexcept {
  const bool was_armed = wheel_.cancel_locked(slot);
  RT_CHECK(was_armed, "a pending timer is on its wheel");
  return {retire(slot), slot.TimerEntry::due_ns};
}

TimerOrder TimerTable::retire(Slot& slot) noexcept {
  if (slot.order.target != 0) unchain(slot);
  slot.is_pending = false;
  if (++slot.generation == 0) slot.generation = 1;
  slot.next = std::exchange(free_, &slot);
  --pending_;
  return slot.order;
}

bool TimerTable::grow() {
  const std::size_t first = chunks_.size() * slots_per_chunk;
  if (first >= timers_max) return false;
  Slot* const chunk = chunks_.emplace_back(new Slot[slots_per_chunk]).get();
  for (std::size_t i = slots_per_chunk; i-- > 0;) {
    chunk[i].expire = expire_slot;
    chunk[i].table = this;
    chunk[i].number = static_cast<std::uint32_t>(first + i);
    chunk[i].next = std::exchange(free_, &chunk[i]);
  }
  return true;
}

void TimerTable::chain(Slot& slot) noexcept {
  if (++chained_ > bucket_count_) widen_buckets();
  link_into_bucket(slot);
}

void TimerTable::link_into_bucket(Slot& slot) noexcept {
  Slot*& bucket = bucket_of(slot.order.target);
  slot.next = bucket;
  slot.previous_link = &bucket;
  if (bucket != nullptr) bucket->previous_link = &slot.next;
  bucket = &slot;
}

void TimerTable::unchain(Slot& slot) noexcept {
  *slot.previous_link = slot.next;
  if (slot.next != nullptr) slot.next->previous_link = slot.previous_link;
  --chained_;
}

void TimerTable::widen_buckets() {
  const std::size_t old_count = std::exchange(bucket_count_, bucket_count_ * 2);
  const auto old = std::exchange(buckets_, std::unique_ptr<Slot*[]>(new Slot*[bucket_count_]()));
  for (std::size_t i = 0; i < old_count; ++i)
    for (Slot* slot = old[i]; slot != nullptr;) {
      Slot* const next = slot->next;
      link_into_bucket(*slot);
      slot = next;
    }
}

TimerTable::Slot*& TimerTable::bucket_of(std::uint64_t target) const noexcept {
  // Multiplying by the golden ratio spreads neighbouring pids; the high bits are the mixed ones.
  const std::uint64_t mixed = target * 0x9E37'79B9'7F4A'7C15U;
  return buckets_[(mixed >> 32) & (bucket_count_ - 1)];
}

TimerTable::Slot& TimerTable::slot_at(std::size_t number) const noexcept {
  return chunks_[number / slots_per_chunk][number % slots_per_chunk];
}

TimerId TimerTable::id_of(const Slot& slot) const noexcept {
  return {number_, slot.number, slot.generation};
}

}  // namespace airssys::rt::scheduler
