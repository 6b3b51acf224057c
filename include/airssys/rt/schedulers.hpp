// schedulers.hpp: where a process runs, and keeping it there (D16).
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

namespace airssys::rt {

// How many there are. For processes; never suspends.
unsigned schedulers();

// On which one the caller runs, 1 to `schedulers()`. It may be another after the next safe point,
// unless the caller is pinned. For processes; never suspends.
unsigned current_scheduler();

// Pins the caller to this scheduler, and returns there; 0: it is free again. Answers what it was
// before. Throws BadArgument when there is no such scheduler. For processes; a safe point.
unsigned set_scheduler(unsigned scheduler);

}  // namespace airssys::rt
