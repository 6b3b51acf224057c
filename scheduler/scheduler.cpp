// scheduler.cpp: who runs next.
#include "scheduler/scheduler.hpp"

#include <algorithm>
#include <span>

#include "scheduler/asked.hpp"
#include "scheduler/pool.hpp"

namespace airssys::rt::scheduler {

Scheduler::Scheduler(Pool& pool, unsigned id, std::uint64_t seed)
    : timers(wheel, id),
      stacks(pool.stacks),
      pool_(pool),
      id_(id),
      born_ns_(pool.clock.now_ns()),
      ports_{Injector<Task>::Port(pool.injectors[0]),
             Injector<Task>::Port(pool.injectors[1]),
             Injector<Task>::Port(pool.injectors[2])},
      homecoming_port_(homecoming_),
      random_(seed) {}

void Scheduler::push(Task& task) noexcept {
  const unsigned queue = queue_of(task.level);
  if (queue != 0) may_hold_urgent_ = true;
  if (queues_[queue].push(task)) return;
  // Full: half of it goes where every scheduler looks, in one step.
  std::array<Task*, RunQueue<Task>::batch_max> batch;
  const std::uint32_t moved = queues_[queue].take_half_for_overflow(batch);
  pool_.injectors[queue].put(ports_[queue], std::span<Task* const>(batch.data(), moved));
  RT_CHECK(queues_[queue].push(task), "I1: no room in a queue that was just halved");
}

void Scheduler::push_behind_all(Task& task) noexcept {
  const unsigned queue = queue_of(task.level);
  if (pool_.injectors[queue].waiting() == 0) [[likely]]
    return push(task);
  Task* const yielder = &task;
  pool_.injectors[queue].put(ports_[queue], std::span<Task* const>(&yielder, 1));
}

Task* Scheduler::pick_among_all() noexcept {
  if (turns_to_injector_ <= 0) {
    turns_to_injector_ = injector_turns;
    if (Task* task = take_injected()) return task;
    if (Task* task = take_homecoming()) return task;
  }
  return pick_local();
}

void Scheduler::send_home(Task& task) noexcept {
  pool_.send_home(task);
}

Task* Scheduler::pick_local() noexcept {
  for (unsigned queue = queue_count - 1; queue > 0; --queue) {
    if (Task* task = queues_[queue].pop()) {
      urgent_turns_.add(1);
      reductions = slice_reductions;
      // relaxed: see asked.hpp.
      if (pool_.asked.load(std::memory_order_relaxed) == 0) [[likely]]
        return task;
      Task* asked = take_asked(queue);
      if (!asked) return task;
      push(*task);
      return asked;
    }
  }
  may_hold_urgent_ = false;
  if (Task* task = run_next_.take()) {
    if (reductions > 0) return task;
    push(*task);  // it would inherit a slice that is used up
  }
  reductions = slice_reductions;
  // One that yields over and over must not pass those that overflowed: it would be alone here.
  if (queues_[0].size() <= 1) {
    if (Task* task = take_homecoming()) return task;
    if (Task* task = take_injected()) return task;
  }
  return take_fairly();
}

// From the queue that low and normal share: a low task is put back until its turn has come.
Task* Scheduler::take_fairly() noexcept {
  for (;;) {
    Task* task = queues_[0].pop();
    if (!task || level_now(*task) != Level::low) return task;
    if (++task->passed_over == low_turns) {
      task->passed_over = 0;
      return task;
    }
    push(*task);
  }
}

// One that is asked for at the level of this queue, from below it.
Task* Scheduler::take_asked(unsigned queue) noexcept {
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

Task* Scheduler::take_injected() noexcept {
  for (unsigned queue = queue_count; queue-- > 0;) {
    std::array<Task*, take_batch> tasks;
    const std::size_t taken = pool_.injectors[queue].take(ports_[queue], tasks);
    if (taken == 0) continue;
    if (queue != 0) urgent_turns_.add(1);
    return push_all_but_first(std::span(tasks).first(taken));
  }
  return nullptr;
}

Task* Scheduler::take_homecoming() noexcept {
  std::array<Task*, take_batch> tasks;
  const std::size_t taken = homecoming_.take(homecoming_port_, tasks);
  return taken == 0 ? nullptr : push_all_but_first(std::span(tasks).first(taken));
}

Task* Scheduler::push_all_but_first(std::span<Task* const> tasks) noexcept {
  for (Task* task : tasks.subspan(1)) push(*task);
  reductions = slice_reductions;
  return tasks.front();
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
        if (queue_of(task->level) != 0) urgent_turns_.add(1);
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
  for (unsigned queue = queue_count; queue-- > 0;) {
    if (queue == 0 && !outlasts_a_theft(victim, now_ns)) continue;
    if (Task* task = victim.queues_[queue].steal_into(queues_[queue])) {
      if (queue != 0) may_hold_urgent_ = true;
      return task;
    }
  }
  return nullptr;
}

// Tasks that are taken elsewhere find their messages in another core's cache. What its own
// scheduler does in less time than that costs stays there: a queue that stands still is taken after
// this patience, one that moves if at its pace it will last long enough.
bool Scheduler::outlasts_a_theft(const Scheduler& victim, std::int64_t now_ns) noexcept {
  const RunQueue<Task>& queue = victim.queues_[0];
  QueueSighting& sighting = queue_sightings_[victim.id_];
  const std::uint32_t queued = queue.size();
  const std::uint32_t gone = queue.taken() - sighting.taken;
  const std::int64_t elapsed = now_ns - sighting.since_ns;
  if (queued != 0 && elapsed < patience_ns) return false;  // too short to know its pace
  sighting = {sighting.taken + gone, now_ns};
  return queued != 0 && (gone == 0 || elapsed / gone * queued >= theft_ns);
}

bool Scheduler::looks_empty() const noexcept {
  for (const auto& queue : queues_) {
    if (!queue.is_empty()) return false;
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
  auto sum = static_cast<std::uint32_t>(homecoming_.waiting());
  if (!run_next_.is_empty()) ++sum;
  for (const auto& queue : queues_) sum += queue.size();
  return sum;
}

}  // namespace airssys::rt::scheduler
