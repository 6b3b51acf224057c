// machine.hpp: as many cores as one likes, one simulated clock each, on one real thread.
//
//   pthread_create ─▶ a core of its own, with a stack of its own
//   an atomic access, a futex, the clock ─▶ costs time; who is ahead of the others lets them go on
//
// A discrete-event simulation whose events are the accesses of the real code: the rooms of the
// project are compiled unchanged (instead/base/atomic.hpp), and this machine is below them. The
// core whose clock is least goes on, equal ones by their number; so a run is the same each time.
// Each thread has a core, which is what a scheduler expects of a machine that is its own.
//
// Not simulated: plain memory (but what a workload says by `touches`), moodycamel's queues, the
// allocator, the caches' sizes, sockets of different distance. What costs nothing here costs the
// same on each core there, but for these.
#pragma once

#include <cstddef>
#include <cstdint>

#include "benchmarks/simulated/cache.hpp"
#include "benchmarks/simulated/costs.hpp"

namespace airssys::rt::simulated {

struct Counts {
  std::uint64_t wakes = 0;   // threads woken by others
  std::uint64_t sleeps = 0;  // times that a thread went to sleep in the kernel
  std::uint64_t membarriers = 0;
  std::uint64_t interrupts = 0;  // of running cores, by membarriers
};

// The calling thread becomes core 0, and all threads that are made from now on have cores. Once.
void power_on(const Costs& costs);

// --- By whoever runs on a core.
std::int64_t now_ns() noexcept;
// Computes for so long, without any shared memory.
void computes(double ns) noexcept;
// Reads or writes plain memory that others touch as well.
void touches(const void* memory, std::size_t bytes, bool writes) noexcept;
unsigned core() noexcept;

// How often a scheduler has looked at the others for work (steal.cpp).
std::uint64_t searches() noexcept;

// --- For the kernel (kernel.cpp).
const Costs& costs() noexcept;
Counts& counts() noexcept;
Cache& cache() noexcept;
void start_thread(void* (*code)(void*), void* argument);
// The calling core sleeps until it is woken by this key, or until then (negative: for ever). False:
// the time was over.
bool sleeps(const void* key, std::int64_t until_ns) noexcept;
// Who sleeps longest with this key; false: nobody does.
bool wakes(const void* key) noexcept;
void interrupts_all_others() noexcept;
bool is_asleep(unsigned core) noexcept;
std::int64_t cpu_time_ns(unsigned core) noexcept;

}  // namespace airssys::rt::simulated
