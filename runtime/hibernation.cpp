// hibernation.cpp: rounds over the process table; putting stacks away and fetching them back.
#include "runtime/hibernation.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "fiber/stack.hpp"
#include "runtime/call.hpp"
#include "runtime/system.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt::runtime {

using scheduler::TimerWheel;

namespace {

std::byte* bytes_of(Hibernation& hibernation) noexcept {
  return reinterpret_cast<std::byte*>(&hibernation + 1);
}

// Its time-out, while it is put away.
void stand_in_expires(scheduler::TimerEntry& entry) noexcept {
  auto& hibernation = static_cast<Hibernation&>(entry);
  if (hibernation.is_held) {
    hibernation.has_fired = true;
  } else if (hibernation.process->inbox.claim()) {
    current_system().wake(*hibernation.process);
  }
}

// Ends the claim. False: it must run.
bool try_rest(Hibernation& hibernation) noexcept {
  const auto rest = [&hibernation] {
    hibernation.is_held = false;
    return !hibernation.has_fired && hibernation.process->inbox.try_idle();
  };
  return hibernation.waits ? TimerWheel::under_mutex_of(hibernation, rest) : rest();
}

}  // namespace

fiber::Fiber& thaw(Process& process) noexcept {
  Hibernation* hibernation = process.hibernation;
  fiber::Fiber& fiber = *hibernation->fiber;
  fiber::restore_live_part(fiber, {bytes_of(*hibernation), hibernation->live_bytes});
  process.waits = hibernation->waits;
  process.fiber = &fiber;
  process.stack_class = hibernation->stack_class;
  if (process.waits) process.waits->take_back(*hibernation);
  scheduler::Thread::current()->scheduler().counters.thaws.add(1);
  base::free(hibernation);
  return fiber;
}

Hibernator::Hibernator(System& system, std::int64_t after_ns) noexcept
    : system_(system), after_ns_(after_ns) {}

std::int64_t Hibernator::step(std::int64_t now_ns, bool all_sleep) noexcept {
  // relaxed: see expect.
  if (after_ns_ == 0 || !is_expected_.load(std::memory_order_relaxed)) return TimerWheel::never_ns;
  if (!all_sleep) round_is_quiet_ = is_settled_ = false;
  if (is_settled_) return TimerWheel::never_ns;
  if (next_slot_ == 0) {
    if (now_ns < next_round_ns_) return next_round_ns_;
    begin_round(now_ns);
    round_is_quiet_ = all_sleep;
  }
  const Visit inside(system_);
  for (std::uint32_t seen = 0; seen < slots_per_step; seen += slots_at_once) {
    next_slot_ = system_.table.each(
        next_slot_, next_slot_ + slots_at_once, [this](Process& process) { consider(process); });
    if (next_slot_ == 0 || held_.size() >= batch_max) break;
  }
  drop_and_release();
  if (next_slot_ != 0) return now_ns;
  is_settled_ = round_is_quiet_ && !found_some_;
  return is_settled_ ? TimerWheel::never_ns : next_round_ns_;
}

void Hibernator::begin_round(std::int64_t now_ns) noexcept {
  next_round_ns_ = now_ns + after_ns_;
  found_some_ = false;
}

void Hibernator::consider(Process& process) noexcept {
  if (!process.hibernates) return;
  // relaxed, all: the word is for show and for these rounds. Whoever runs overwrites it, so a mark
  // that is still there tells that it has not run since.
  RestWord word = process.rest.load(std::memory_order_relaxed);
  if (word.reason() == WaitReason::none || word.is_hibernated()) return;
  if (!word.is_marked()) {
    found_some_ = true;
    process.rest.compare_exchange_strong(word, word.marked(), std::memory_order_relaxed);
    return;
  }
  if (!process.inbox.claim()) return;
  if (put_away(process)) {
    found_some_ = true;
  } else if (!process.inbox.try_idle()) {
    system_.wake(process);
  }
}

// Requires: the process is held. False: it stays as it is.
bool Hibernator::put_away(Process& process) noexcept {
  if (!process.fiber || process.pending || !fiber::can_hibernate(*process.fiber)) return false;
  fiber::Fiber& fiber = *process.fiber;
  const auto live = fiber::live_part(fiber);
  if (live.size() > live_bytes_max || (process.waits && process.waits->has_others())) return false;
  void* block = base::allocate(sizeof(Hibernation) + live.size(), alignof(Hibernation));
  auto* hibernation = ::new (block) Hibernation;
  hibernation->expire = stand_in_expires;
  hibernation->process = &process;
  hibernation->fiber = &fiber;
  hibernation->waits = process.waits;
  hibernation->live_bytes = static_cast<std::uint32_t>(live.size());
  hibernation->stack_class = process.stack_class;
  hibernation->is_held = true;
  hibernation->has_fired = false;
  if (process.waits && !process.waits->lend(*hibernation)) {
    base::free(hibernation);
    return false;
  }
  std::memcpy(bytes_of(*hibernation), live.data(), live.size());
  held_.push_back(hibernation);
  return true;
}

void Hibernator::drop_and_release() noexcept {
  std::array<iovec, batch_max + slots_at_once> stacks;
  for (std::size_t i = 0; i < held_.size(); ++i) stacks[i] = usable_part(*held_[i]->fiber);
  fiber::drop_pages(std::span(stacks).first(held_.size()));
  for (Hibernation* hibernation : held_) {
    Process& process = *hibernation->process;
    process.fiber = nullptr;
    process.stack_class = fiber::hibernated;
    process.hibernation = hibernation;
    ...
    if (!try_rest(*hibernation)) system_.wake(process);
  }
  put_away_.fetch_add(held_.size(), std::memory_order_relaxed);  // relaxed: a figure
  held_.clear();
}

}  // namespace airssys::rt::runtime
