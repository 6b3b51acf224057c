// scheduler.cpp: run queue, run-next slot and timer wheel, each by its owner and undisturbed.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "scheduler/run_next.hpp"
#include "scheduler/run_queue.hpp"
#include "scheduler/task.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::scheduler {
namespace {

void run_queue_push_and_pop(benchmark::State& state) {
  RunQueue<Task> queue;
  Task task;
  for (auto _ : state) {
    benchmark::DoNotOptimize(queue.push(task));
    benchmark::DoNotOptimize(queue.pop());
  }
}
BENCHMARK(run_queue_push_and_pop);

// A thief takes half of 64 tasks; they go back one by one.
void run_queue_steal_half(benchmark::State& state) {
  RunQueue<Task> victim;
  RunQueue<Task> mine;
  std::vector<Task> tasks(64);
  for (Task& task : tasks) benchmark::DoNotOptimize(victim.push(task));
  for (auto _ : state) {
    Task* task = victim.steal_into(mine);
    while (task != nullptr) {
      benchmark::DoNotOptimize(victim.push(*task));
      task = mine.pop();
    }
  }
}
BENCHMARK(run_queue_steal_half);

void run_next_put_and_take(benchmark::State& state) {
  RunNext<Task> slot;
  Task task;
  for (auto _ : state) {
    benchmark::DoNotOptimize(slot.put(task));
    benchmark::DoNotOptimize(slot.take());
  }
}
BENCHMARK(run_next_put_and_take);

void nobody_is_there(TimerEntry&) noexcept {}

// A time-out that does not come, as with every call: armed and cancelled among so many others.
void timer_arm_and_cancel(benchmark::State& state) {
  constexpr std::int64_t second_ns = 1'000'000'000;
  TimerWheel wheel;
  std::vector<TimerEntry> others(static_cast<std::size_t>(state.range(0)));
  std::int64_t due = second_ns;
  for (TimerEntry& entry : others) {
    entry.expire = &nobody_is_there;
    wheel.arm(entry, due += 1'000'000);
  }
  TimerEntry mine;
  mine.expire = &nobody_is_there;
  for (auto _ : state) {
    wheel.arm(mine, 5 * second_ns);
    if (!wheel.cancel(mine)) state.SkipWithError("it was armed");
  }
  for (TimerEntry& entry : others) wheel.cancel(entry);
}
BENCHMARK(timer_arm_and_cancel)->Arg(0)->Arg(100'000);

}  // namespace
}  // namespace airssys::rt::scheduler
