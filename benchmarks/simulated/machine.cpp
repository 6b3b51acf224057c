// machine.cpp: whose turn it is.
#include "benchmarks/simulated/machine.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/cache_line.hpp"
#include "base/this_thread.hpp"
#include "benchmarks/simulated/access.hpp"
#include "fiber/exception_state.hpp"
#include "fiber/jump.hpp"

namespace airssys::rt::simulated {

namespace {

namespace this_thread = base::this_thread;

constexpr std::int64_t ps_per_ns = 1000;
constexpr std::size_t stack_bytes = std::size_t{1} << 20;

std::int64_t ps_of(double ns) noexcept {
  return static_cast<std::int64_t>(ns * ps_per_ns);
}

// A thread, and the core that it has for itself.
struct Core {
  unsigned number = 0;
  std::int64_t now_ps = 0;
  std::int64_t owed_ps = 0;  // for interrupts since it went on last
  std::int64_t slept_ps = 0;
  std::uint64_t turn = 0;  // an Event with another one is out of date
  bool is_asleep = false;
  bool was_woken = false;
  const void* sleeps_by = nullptr;
  std::int64_t asleep_since_ps = 0;

  // While another core goes on: what the thread's words hold.
  fiber::Place place = nullptr;
  void* slots[static_cast<unsigned>(this_thread::Slot::count)] = {};
  fiber::ExceptionState exceptions;

  void* (*code)(void*) = nullptr;
  void* argument = nullptr;
};

// When a core goes on.
struct Event {
  std::int64_t at_ps;
  unsigned core;
  std::uint64_t turn;
  bool operator>(const Event& other) const noexcept {
    return at_ps != other.at_ps ? at_ps > other.at_ps : core > other.core;
  }
};

struct Machine {
  explicit Machine(const Costs& its_costs) : costs(its_costs), cache(ps_of(its_costs.transfer)) {}

  const Costs costs;
  Cache cache;
  Counts counts;
  std::vector<std::unique_ptr<Core>> cores;
  Core* running = nullptr;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
};

// Never destroyed: the program ends in the middle of what its cores do.
Machine* machine = nullptr;

void put_words_away(Core& core) noexcept {
  std::memcpy(core.slots, this_thread::detail::slots, sizeof core.slots);
  std::memcpy(&core.exceptions, this_thread::exception_globals(), sizeof core.exceptions);
}

void put_words_back(const Core& core) noexcept {
  std::memcpy(this_thread::detail::slots, core.slots, sizeof core.slots);
  std::memcpy(this_thread::exception_globals(), &core.exceptions, sizeof core.exceptions);
}

Core& take_next() noexcept {
  for (;;) {
    if (machine->events.empty()) {
      std::fputs("simulated: every core sleeps, and for ever\n", stderr);
      std::abort();
    }
    const Event event = machine->events.top();
    machine->events.pop();
    Core& core = *machine->cores[event.core];
    if (event.turn != core.turn) continue;
    ++core.turn;
    core.now_ps = event.at_ps + std::exchange(core.owed_ps, 0);
    return core;
  }
}

void go_on_with(Core& next) noexcept {
  Core& me = *machine->running;
  if (&me == &next) return;
  put_words_away(me);
  put_words_back(next);
  machine->running = &next;
  fiber::jump(me.place, next.place, nullptr);
}

void at(Core& core, std::int64_t at_ps) {
  machine->events.push({at_ps, core.number, core.turn});
}

// Returns when no other core is behind.
Core& in_order() noexcept {
  Core& me = *machine->running;
  while (!machine->events.empty() && machine->events.top().at_ps < me.now_ps) {
    at(me, me.now_ps);
    go_on_with(take_next());
  }
  return me;
}

void thread_main(void* /*unused*/) {
  Core& me = *machine->running;
  me.code(me.argument);
  ++me.turn;
  go_on_with(take_next());
  RT_UNREACHABLE("a thread that has ended has no more turns");
}

}  // namespace

void power_on(const Costs& costs) {
  machine = new Machine(costs);
  machine->cores.push_back(std::make_unique<Core>());
  machine->running = machine->cores.front().get();
}

void reads(const void* word) noexcept {
  if (!machine) return;
  Core& me = in_order();
  me.now_ps = machine->cache.read(word, me.number, me.now_ps + ps_of(machine->costs.access));
}

void writes(const void* word) noexcept {
  if (!machine) return;
  Core& me = in_order();
  me.now_ps = machine->cache.write(word, me.number, me.now_ps + ps_of(machine->costs.access));
}

void updates(const void* word) noexcept {
  if (!machine) return;
  fences();
  writes(word);
}

void fences() noexcept {
  if (machine) computes(machine->costs.locked);
}

void pauses() noexcept {
  if (machine) computes(machine->costs.pause);
}

void computes(double ns) noexcept {
  machine->running->now_ps += ps_of(ns);
}

void touches(const void* memory, std::size_t bytes, bool writes_it) noexcept {
  const auto* const begin = static_cast<const std::byte*>(memory);
  for (std::size_t at = 0; at < bytes; at += base::cache_line_bytes)
    writes_it ? writes(begin + at) : reads(begin + at);
}

std::int64_t now_ns() noexcept {
  return machine ? machine->running->now_ps / ps_per_ns : 0;
}

unsigned core() noexcept {
  return machine ? machine->running->number : 0;
}

const Costs& costs() noexcept {
  return machine->costs;
}

Counts& counts() noexcept {
  return machine->counts;
}

Cache& cache() noexcept {
  return machine->cache;
}

void start_thread(void* (*code)(void*), void* argument) {
  RT_CHECK(machine->cores.size() < cores_max, "the simulated machine has a core for each thread");
  void* const stack =
      ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RT_CHECK(stack != MAP_FAILED, "there is memory for a core's stack");
  Core& core = *machine->cores.emplace_back(std::make_unique<Core>());
  core.number = static_cast<unsigned>(machine->cores.size() - 1);
  core.code = code;
  core.argument = argument;
  core.place = fiber::begin<&thread_main>(static_cast<std::byte*>(stack) + stack_bytes);
  computes(machine->costs.thread);
  at(core, machine->running->now_ps);
}

bool sleeps(const void* key, std::int64_t until_ns) noexcept {
  Core& me = *machine->running;
  ++machine->counts.sleeps;
  me.is_asleep = true;
  me.was_woken = false;
  me.sleeps_by = key;
  me.asleep_since_ps = me.now_ps;
  if (until_ns >= 0)
    at(me, std::max(until_ns * ps_per_ns, me.now_ps) + ps_of(machine->costs.wake_latency));
  go_on_with(take_next());
  me.is_asleep = false;
  me.slept_ps += me.now_ps - me.asleep_since_ps;
  return me.was_woken;
}

bool wakes(const void* key) noexcept {
  Core* longest = nullptr;
  for (const auto& core : machine->cores) {
    if (!core->is_asleep || core->was_woken || core->sleeps_by != key) continue;
    if (!longest || core->asleep_since_ps < longest->asleep_since_ps) longest = core.get();
  }
  if (!longest) return false;
  ++machine->counts.wakes;
  computes(machine->costs.wake);
  longest->was_woken = true;
  ++longest->turn;
  at(*longest, machine->running->now_ps + ps_of(machine->costs.wake_latency));
  return true;
}

void interrupts_all_others() noexcept {
  in_order();
  ++machine->counts.membarriers;
  double ns = machine->costs.membarrier;
  for (const auto& core : machine->cores) {
    if (core.get() == machine->running || core->is_asleep) continue;
    ++machine->counts.interrupts;
    core->owed_ps += ps_of(machine->costs.interrupt);
    ns += machine->costs.membarrier_core;
  }
  computes(ns);
}

bool is_asleep(unsigned core) noexcept {
  return core < machine->cores.size() && machine->cores[core]->is_asleep;
}

std::int64_t cpu_time_ns(unsigned number) noexcept {
  const Core& core = *machine->cores[number];
  const std::int64_t until = core.is_asleep ? core.asleep_since_ps : core.now_ps;
  return (until - core.slept_ps) / ps_per_ns;
}

}  // namespace airssys::rt::simulated
