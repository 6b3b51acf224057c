// schedulers.hpp: where a process runs, keeping it there (D16), and what its place does (D22).
//
// A runtime has Options::schedulers schedulers, numbered from 1; the numbers stay. A process runs
// on any of them, wherever there is time. One that is pinned (SpawnOptions::scheduler, or
// `set_scheduler`) runs on its own alone, and waits for it while others are idle. What it does
// without a call of the runtime for long goes on beside all schedulers, as that of others does.
//
// For what has to stay near something: pinned processes of one scheduler never run two at a time.
// It makes nothing faster by itself: who wakes a pinned process from another scheduler sends it
// through that one's door, under a mutex, and the others cannot take work over.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstdint>
#include <vector>

namespace airssys::rt {

// How many there are. For processes; never suspends.
unsigned schedulers();

// On which one the caller runs, 1 to `schedulers()`. It may be another after the next safe point,
// unless the caller is pinned. For processes; never suspends.
unsigned current_scheduler();

// Pins the caller to this scheduler, and returns there; 0: it is free again. Answers what it was
// before. Throws BadArgument when there is no such scheduler. For processes; a safe point.
unsigned set_scheduler(unsigned scheduler);

// What a scheduler has done since the runtime began, and what waits for it now.
struct SchedulerStatistics {
  unsigned scheduler = 0;        // its number
  std::uint32_t queued = 0;      // processes that are ready to run
  std::uint64_t turns = 0;       // switches to a process
  std::uint64_t reductions = 0;  // counted when a turn ends
  std::uint64_t steals = 0;      // times that it took work from another one
  std::uint64_t sleeps = 0;      // times that it found no work and slept
  std::uint64_t timers = 0;      // that fired
  std::uint64_t hand_overs = 0;  // times that it went on on another thread, its own being stuck
  Duration busy = {};            // the time that it did not sleep
  Duration total = {};           // all its time
};

// Of each, by its number. The figures need not belong to one moment, and those of the last turns
// may be missing; airs-inspect shows the same. For processes, and for a Runtime::Guest; never
// suspends.
std::vector<SchedulerStatistics> scheduler_statistics();

}  // namespace airssys::rt
