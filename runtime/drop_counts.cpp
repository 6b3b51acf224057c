// drop_counts.cpp: counting and adding up.
#include "runtime/drop_counts.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/bounds.hpp"
#include "runtime/extras.hpp"

namespace airssys::rt::runtime {

void DropCounts::note(DropReason reason, Pid from) noexcept {
  // relaxed: a figure.
  by_reason_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (!from) {
    ++others_;
    return;
  }
  auto place = std::ranges::find(senders_, from, &Sender::pid);
  if (place == senders_.end()) {
    // A free place has the fewest of all.
    place = std::ranges::min_element(senders_, {}, &Sender::count);
    others_ += std::exchange(*place, {from, 0}).count;
  }
  ++place->count;
}

DropCounts::Counts DropCounts::counts() const noexcept {
  Counts counts;
  // relaxed: figures.
  for (std::size_t i = 0; i < drop_reasons; ++i)
    counts[i] = by_reason_[i].load(std::memory_order_relaxed);
  return counts;
}

void DropCounts::add_senders(Drops& drops) const {
  const std::lock_guard lock(mutex_);
  drops.others += others_;
  for (const Sender& sender : senders_) {
    if (sender.pid) drops.senders.push_back({sender.pid, sender.count});
  }
  std::ranges::sort(drops.senders, std::ranges::greater(), &Drops::Sender::count);
}

void note_drop(Process& owner, DropReason reason, Pid from) {
  if (Bounds* bounds = bounds_of(owner)) return bounds->drops.note(reason, from);
  Extras& extras = extras_of(owner);
  (reason == DropReason::wrong_type ? extras.wrong_types : extras.inactive_aliases).add(1);
}

DropCounts::Counts drops_of(const Process& process) noexcept {
  if (const Bounds* bounds = bounds_of(process)) return bounds->drops.counts();
  DropCounts::Counts counts{};
  if (const Extras* extras = extras_seen(process)) {
    counts[static_cast<std::size_t>(DropReason::wrong_type)] = extras->wrong_types.read();
    counts[static_cast<std::size_t>(DropReason::inactive_alias)] = extras->inactive_aliases.read();
  }
  return counts;
}

}  // namespace airssys::rt::runtime
