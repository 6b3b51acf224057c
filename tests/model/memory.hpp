// memory.hpp: what the explorer knows of one atomic word, and the accesses it lets happen.
//
// A Location holds the value that all threads agree on and the clock that an acquiring load of it
// takes over. Stores that still lie in their thread's buffer are not in it. All accesses go through
// the functions below: each is one step of the calling thread, and the place of a decision before.
// Outside of an exploration they just access.
#pragma once

#include <atomic>
#include <cstdint>

#include "tests/model/clock.hpp"

namespace airssys::rt::model {

struct Location {
  explicit Location(std::uint64_t initial) noexcept;
  Location(const Location&) = delete;
  Location& operator=(const Location&) = delete;
  ~Location();

  std::uint64_t bits;
  Clock released;   // what an acquire of this value brings along
  unsigned number;  // how schedules name it: the how-manieth of its run
};

std::uint64_t load(const Location& location, std::memory_order order);
void store(Location& location, std::uint64_t bits, std::memory_order order);

// A read-modify-write is read, a decision without a step between, and write; `begin` is the step.
std::uint64_t begin_update(Location& location);
void end_update(Location& location, std::uint64_t bits, std::memory_order order);
void abandon_update(Location& location, std::memory_order order);

void fence(std::memory_order order);
// Empties the store buffers of all threads.
void membarrier();
// Lets others go on first; for loops that wait for them.
void yield();

// Plain memory: who read it and who wrote it last, by their clocks.
struct Footprint {
  Clock reads;
  Clock writes;
};
void note_read(Footprint& footprint);
void note_write(Footprint& footprint);

}  // namespace airssys::rt::model
