// census.cpp: names for addresses. Compiled with -fno-access-control, for they are private.
#include "benchmarks/simulated/census.hpp"

#include <algorithm>
#include <map>

#include "base/cache_line.hpp"
#include "scheduler/monitor.hpp"

namespace airssys::rt::simulated {

namespace {

// The lines from `first` to before `last`.
struct Region {
  std::uintptr_t first;
  std::uintptr_t last;
  const char* name;
};

class Map {
 public:
  // The first name of a line counts.
  void add(const void* from, std::size_t bytes, const char* name) {
    const auto address = reinterpret_cast<std::uintptr_t>(from);
    regions_.push_back({address / base::cache_line_bytes,
                        (address + bytes - 1) / base::cache_line_bytes + 1,
                        name});
  }
  template <class T>
  void add(const T& object, const char* name) {
    add(&object, sizeof object, name);
  }
  const char* name_of(std::uintptr_t line) const {
    const auto found = std::ranges::find_if(regions_, [line](const Region& region) {
      return region.first <= line && line < region.last;
    });
    return found == regions_.end() ? "messages, stacks, other blocks" : found->name;
  }

 private:
  std::vector<Region> regions_;
};

void add_scheduler(Map& map, scheduler::Scheduler& scheduler) {
  for (auto& queue : scheduler.queues_) {
    map.add(queue.ring_.head_, "run queue: head and tail");
    map.add(queue.ring_.slots_, "run queue: slots");
  }
  map.add(scheduler.run_next_, "run-next slot");
  map.add(scheduler.wheel, "timer wheel");
  map.add(scheduler.timers, "timer table");
  map.add(scheduler.homecoming_, "homecoming");
  map.add(scheduler.counters, "scheduler: counters");
  map.add(scheduler, "scheduler: rest");
}

void add_pool(Map& map, scheduler::Pool& pool) {
  map.add(pool.idle, "idle set");
  map.add(pool.ration, "wake ration");
  map.add(pool.quiescence.epoch_, "grace periods: epoch");
  map.add(pool.quiescence, "grace periods: rest");
  map.add(pool.injectors, "injectors");
  map.add(pool.keeper, "keeper");
  map.add(pool.asked, "asked");
  map.add(pool.poller, "poller");
  map.add(pool.rotation, "rotation");
  map.add(pool.stacks, "stack depot");
  map.add(pool.drivers_, "pool: drivers");
  map.add(*pool.monitor_, "monitor");
  for (const auto& scheduler : pool.schedulers_) add_scheduler(map, *scheduler);
  for (const auto& thread : pool.threads_) {
    map.add(thread->tenure_.place(), "thread: place");
    map.add(*thread, "thread: parker and rest");
  }
}

}  // namespace

std::vector<Moved> census(runtime::System& system, const Cache& cache) {
  Map map;
  map.add(system.names, "names");
  for (auto& chunk : system.table.chunks_) {
    // relaxed: nobody else goes on meanwhile.
    const auto* processes = chunk.load(std::memory_order_relaxed);
    if (!processes) break;
    map.add(
        processes, sizeof(runtime::Process) * runtime::ProcessTable::chunk_slots, "process blocks");
  }
  map.add(system.table.locals_.data(),
          system.table.locals_.size() * sizeof system.table.locals_[0],
          "process table: locals");
  map.add(system.table, "process table");
  add_pool(map, system);
  map.add(system, "system: rest");

  std::map<std::string, Moved> found;
  for (const auto& [address, line] : cache.lines()) {
    if (line.transfers == 0) continue;
    Moved& moved = found[map.name_of(address)];
    moved.transfers += line.transfers;
    moved.busiest_ps = std::max(moved.busiest_ps, line.in_transit_ps);
  }
  std::vector<Moved> sorted;
  for (auto& [name, moved] : found) {
    moved.structure = name;
    sorted.push_back(std::move(moved));
  }
  std::ranges::sort(sorted, std::greater(), &Moved::transfers);
  return sorted;
}

}  // namespace airssys::rt::simulated
