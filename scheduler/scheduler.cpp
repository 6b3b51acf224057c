// scheduler.cpp: who runs next.
#include "scheduler/scheduler.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "scheduler/asked.hpp"
#include "scheduler/pool.hpp"

namespace airssys::rt::scheduler {

Scheduler::Scheduler(Pool& pool, unsigned id, std::uint64_t seed)
    : deferred(wheel),
      timers(wheel, id),
      stacks(pool.stacks),
      pool_(pool),
      id_(id),
      born_ns_(pool.clock.now_ns()),
      ports_{Injector<Task>::Port(pool.injectors[0]),
             Injector<Task>::Port(pool.injectors[1]),
             Injector<Task>::Port(pool.injectors[2]),
             Injector<Task>::Port(pool.injectors[3])},
      homecoming_port_(homecoming_),
      random_(seed) {
  lower_turns_seen_.fill(never_seen);
}

Task* Scheduler::pick_among_all() noexcept {
  take_in_urgent();
  if (Task* task = pick_above_normal()) return task;
  if (turns_to_injector_ <= 0 || queues_[normal].size() <= 1) take_in_lower();
  if (reductions <= 0) {
    if (Task* task = run_next_.take()) push(*task);  // it would inherit a slice that is used up
  }
  // Once more: who has come from there may be asked for at a higher level.
  if (Task* task = pick_above_normal()) return task;
  if (Task* task = run_next_.take()) return task;
  reductions = slice_reductions;
  return pick_lower();
}

Task* Scheduler::pick_highest() noexcept {
  for (unsigned queue = level_count - 1; queue > normal; --queue) {
    if (Task* task = pick_urgent(queue)) {
      urgent_turns_.add(1);
      reductions = slice_reductions;
      return task;
    }
  }
  may_hold_urgent_ = false;
  return nullptr;
}

void Scheduler::send_home(Task& task) noexcept {
  pool_.send_home(task);
}

// With N normal ones and L low ones that wait, L low turns are due for each 8N normal ones.
Task* Scheduler::pick_lower() noexcept {
  const std::uint32_t low_ones = queues_[low].size();
  if (low_ones == 0) [[likely]]
    return queues_[normal].pop();
  const std::uint64_t price = low_turns * queues_[normal].size();
  const bool is_turn_of_low = low_has_due_ >= price;
  low_has_due_ = is_turn_of_low ? low_has_due_ - price : low_has_due_ + low_ones;
  Task* task = queues_[is_turn_of_low ? low : normal].pop();
  return task ? task : queues_[is_turn_of_low ? normal : low].pop();  // thieves left none
}

// The oldest of a queue above normal's, or one below that is asked for at its level.
Task* Scheduler::pick_urgent(unsigned queue) noexcept {
  Task* task = queues_[queue].pop();
  // relaxed: see asked.hpp.
  if (!task || pool_.asked.load(std::memory_order_relaxed) == 0) [[likely]]
    return task;
  Task* asked = take_asked(queue);
  if (!asked) return task;
  push(*task);
  return asked;
}

Task* Scheduler::take_asked(unsigned queue) noexcept {
  take_in_lower();
  if (Task* task = run_next_.take()) {
    if (queue_of(level_now(*task)) >= queue) return task;
    static_cast<void>(run_next_.put(*task));
  }
  for (unsigned below = queue; below-- > 0;) {
    if (Task* task = take_asked_from(below, queue)) return task;
  }
  return nullptr;
}

// Turns the queue round, by so much at a time that a long one does not hold up who was picked.
Task* Scheduler::take_asked_from(unsigned below, unsigned queue) noexcept {
  const std::uint32_t looks = std::min(queues_[below].size(), asked_looks);
  for (std::uint32_t i = 0; i < looks; ++i) {
    Task* task = queues_[below].pop();
    if (!task || queue_of(level_now(*task)) >= queue) return task;
    push(*task);
  }
  return nullptr;
}

void Scheduler::take_in_urgent() noexcept {
  take_in_from(homecoming_, homecoming_port_);
  for (unsigned queue = level_count - 1; queue > normal; --queue)
    take_in_from(pool_.injectors[queue], ports_[queue]);
}

void Scheduler::take_in_lower() noexcept {
  turns_to_injector_ = injector_turns;
  for (const unsigned queue : {normal, low}) take_in_from(pool_.injectors[queue], ports_[queue]);
}

void Scheduler::take_in_from(Injector<Task>& injector, Injector<Task>::Port& port) noexcept {
  if (injector.waiting() == 0) [[likely]]
    return;
  std::array<Task*, take_batch> tasks;
  const std::size_t taken = injector.take(port, tasks);
  for (Task* task : std::span(tasks).first(taken)) push(*task);
}

Task* Scheduler::steal(std::int64_t now_ns, bool& had_stood) noexcept {
  const unsigned count = pool_.count();
  const unsigned first = random_.below(count);
  // Whole queues first: a task in a run-next slot is about to be run where its message was made.
  for (const bool run_next_too : {false, true}) {
    for (unsigned i = 0; i < count; ++i) {
      Scheduler& victim = pool_.scheduler((first + i) % count);
      if (&victim == this) continue;
      if (Task* task = steal_from(victim, now_ns, run_next_too)) {
        had_stood = run_next_too;
        counters.steals.add(1);
        if (!may_run(*task)) [[unlikely]] {
          pool_.send_home(*task);
          return pick();  // of what came with it
        }
        counters.turns.add(1);
        if (task->level > Level::normal) urgent_turns_.add(1);
        reductions = slice_reductions;
        return task;
      }
    }
  }
  return nullptr;
}

Task* Scheduler::steal_from(Scheduler& victim, std::int64_t now_ns, bool run_next_too) noexcept {
  if (run_next_too)
    return victim.run_next_.steal(sightings_[victim.id_], now_ns, pool_.run_next_patience_ns());
  for (unsigned queue = level_count; queue-- > 0;) {
    if (queue <= normal && !is_worth_a_theft(victim, queue, now_ns)) continue;
    if (Task* task = victim.queues_[queue].steal_into(queues_[queue])) {
      if (queue > normal) may_hold_urgent_ = true;
      return task;
    }
  }
  return nullptr;
}

// A queue that stands still is taken after some patience, one that moves if at its pace it will
// last. The reluctant leave more to who has short turns (reluctance.hpp).
bool Scheduler::is_worth_a_theft(const Scheduler& victim,
                                 unsigned queue,
                                 std::int64_t now_ns) noexcept {
  const LevelQueue<Task>& theirs = victim.queues_[queue];
  QueueSighting& sighting = queue_sightings_[queue][victim.id_];
  const std::uint32_t queued = theirs.size();
  const std::uint32_t gone = theirs.taken() - sighting.taken;
  const std::int64_t elapsed = now_ns - sighting.since_ns;
  const std::int64_t patience = pool_.reluctance.patience_ns();
  if (queued != 0 && elapsed < patience) return false;  // too short to know its pace
  sighting = {sighting.taken + gone, now_ns};
  const bool are_turns_short = gone != 0 && elapsed / gone < Reluctance::eager_ns;
  return outlasts_a_theft(
      queued, elapsed, gone, are_turns_short ? std::max(theft_ns, patience) : theft_ns);
}

// One other at a time, so that what all of them look at does not grow with the square of how many
// they are.
void Scheduler::balance(std::int64_t now_ns) noexcept {
  if (now_ns - balanced_at_ns_ < balance_ns || pool_.count() == 1) return;
  balanced_at_ns_ = now_ns;
  // The wake that was refused when it was queued (wake_ration.hpp).
  if (!looks_empty()) pool_.wake_one();
  Scheduler& other = pool_.scheduler((id_ + 1 + random_.below(pool_.count() - 1)) % pool_.count());
  for (unsigned queue = level_count - 1; queue > normal; --queue) even_out(other, queue, false);
  if (may_hold_urgent_) return;
  const std::uint64_t turns = other.lower_turns();
  const bool stands = std::exchange(lower_turns_seen_[other.id_], turns) == turns;
  for (const unsigned queue : {normal, low}) even_out(other, queue, stands);
}

void Scheduler::even_out(Scheduler& other, unsigned queue, bool stands) noexcept {
  const std::uint32_t theirs = other.queues_[queue].size();
  const std::uint32_t mine = queues_[queue].size();
  const std::uint32_t too_many =
      stands ? theirs - theirs / 2 : (theirs - std::min(mine, theirs)) / 2;
  if (too_many == 0) return;
  std::array<Task*, LevelQueue<Task>::batch_max> batch;
  const auto room = std::span(batch).first(std::min(too_many, LevelQueue<Task>::batch_max));
  const std::uint32_t taken = other.queues_[queue].take(room);
  if (taken != 0) counters.steals.add(1);
  for (Task* task : room.first(taken)) {
    if (may_run(*task)) {
      push(*task);
    } else {
      pool_.send_home(*task);
      balanced_at_ns_ += balance_ns;  // they lose their place there: not again soon
    }
  }
}

bool Scheduler::looks_empty() const noexcept {
  for (const auto& queue : queues_) {
    if (queue.size() != 0) return false;
  }
  return run_next_.is_empty();
}

Times Scheduler::times(std::int64_t now_ns) const noexcept {
  // relaxed: a figure; who gets up in between is seen a moment too early or too late.
  const std::int64_t since = abed_since_ns_.load(std::memory_order_relaxed);
  auto slept = static_cast<std::int64_t>(counters.slept_ns.read());
  if (since != up) slept += now_ns - since;
  const std::int64_t total = now_ns - born_ns_;
  return {std::clamp<std::int64_t>(total - slept, 0, total), total};
}

std::uint32_t Scheduler::queued() const noexcept {
  return static_cast<std::uint32_t>(homecoming_.waiting()) + waiting().tasks;
}

Scheduler::Waiting Scheduler::waiting() const noexcept {
  std::uint32_t tasks = run_next_.is_empty() ? 0 : 1;
  for (const auto& queue : queues_) tasks += queue.size();
  return {tasks, lower_turns()};
}

}  // namespace airssys::rt::scheduler
