// memory.cpp: what one access of a modelled thread does: to the value, to the clocks, to the trace.
#include "tests/model/memory.hpp"

#include <utility>

#include "tests/model/engine.hpp"

namespace airssys::rt::model {
namespace {

bool acquires(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
bool releases(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_acquire &&
         order != std::memory_order_consume;
}
const char* name_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
    default:
      return "consume";
  }
}

}  // namespace

bool Explorer::chooses_to_delay(const Location& location) {
  if (current_ == nobody || !somebody_may_notice({&location, true})) return false;
  if (!current().buffer.empty()) return true;  // stores come out in order
  if (delays_ == bounds_.delayed_stores || choose(2) == 0) return false;
  ++delays_;
  return true;
}

void Explorer::acquire(const Location& location, bool acquires) {
  (acquires ? current().clock : current().acquirable).join(location.released);
}

const Clock& Explorer::clock_to_release(bool releases) {
  return releases ? current().clock : current().released_by_fence;
}

void Explorer::commit(const BufferedStore& store) {
  store.location->bits = store.bits;
  store.location->released = store.released;
}

void Explorer::drain(Thread& thread) {
  for (const BufferedStore& store : thread.buffer) commit(store);
  thread.buffer.clear();
}

void Explorer::drain_all() {
  for (Thread& thread : threads_) drain(thread);
}

void Explorer::forget(const Location& location) {
  for (Thread& thread : threads_) {
    std::erase_if(thread.buffer,
                  [&](const BufferedStore& store) { return store.location == &location; });
  }
}

Location::Location(std::uint64_t initial) noexcept : bits(initial), number(0) {
  if (Explorer* explorer = Explorer::active()) number = explorer->next_location();
}

Location::~Location() {
  if (Explorer* explorer = Explorer::active()) explorer->forget(*this);
}

std::uint64_t load(const Location& location, std::memory_order order) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return location.bits;
  explorer->step({&location, false});
  Thread& thread = explorer->current();
  std::uint64_t bits = location.bits;
  bool is_own = false;
  for (const BufferedStore& store : thread.buffer) {
    if (store.location == &location) {
      bits = store.bits;
      is_own = true;
    }
  }
  if (!is_own) {
    explorer->acquire(location, acquires(order) && !explorer->has(Weakness::loads_do_not_acquire));
  }
  explorer->trace(
      "T%u load    #%u = %#lx %s", explorer->number(), location.number, bits, name_of(order));
  return bits;
}

void store(Location& location, std::uint64_t bits, std::memory_order order) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) {
    location.bits = bits;
    return;
  }
  explorer->step({&location, true});
  Thread& thread = explorer->current();
  const bool is_release = releases(order) && !explorer->has(Weakness::stores_do_not_release);
  const BufferedStore entry{&location, bits, explorer->clock_to_release(is_release)};
  const bool in_order = order == std::memory_order_seq_cst;
  if (in_order) explorer->drain(thread);
  const bool delayed = !in_order && explorer->chooses_to_delay(location);
  if (delayed) {
    thread.buffer.push_back(entry);
  } else {
    explorer->commit(entry);
  }
  explorer->tick();
  explorer->trace("T%u store   #%u = %#lx %s%s",
                  explorer->number(),
                  location.number,
                  bits,
                  name_of(order),
                  delayed ? ", buffered" : "");
}

std::uint64_t begin_update(Location& location) {
  if (Explorer* explorer = Explorer::active()) {
    explorer->step({&location, true});
    explorer->drain(explorer->current());
  }
  return location.bits;
}

void end_update(Location& location, std::uint64_t bits, std::memory_order order) {
  const std::uint64_t before = std::exchange(location.bits, bits);
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  explorer->acquire(location, acquires(order) && !explorer->has(Weakness::updates_do_not_acquire));
  // Joined, not replaced: a read-modify-write carries on the release sequence it continues.
  location.released.join(explorer->clock_to_release(
      releases(order) && !explorer->has(Weakness::updates_do_not_release)));
  explorer->tick();
  explorer->trace("T%u update  #%u = %#lx -> %#lx %s",
                  explorer->number(),
                  location.number,
                  before,
                  bits,
                  name_of(order));
}

void abandon_update(Location& location, std::memory_order order) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  explorer->acquire(location, acquires(order) && !explorer->has(Weakness::updates_do_not_acquire));
  explorer->trace("T%u no swap #%u = %#lx %s",
                  explorer->number(),
                  location.number,
                  location.bits,
                  name_of(order));
}

void fence(std::memory_order order) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  Thread& thread = explorer->current();
  if (order == std::memory_order_seq_cst) explorer->drain(thread);
  if (acquires(order)) thread.clock.join(thread.acquirable);
  if (releases(order)) thread.released_by_fence = thread.clock;
  explorer->tick();
  explorer->trace("T%u fence   %s", explorer->number(), name_of(order));
}

void membarrier() {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  explorer->step({});
  if (!explorer->has(Weakness::no_membarrier)) explorer->drain_all();
  explorer->trace("T%u membarrier", explorer->number());
}

void yield() {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  explorer->current().has_yielded = true;
  explorer->step({});
}

void note_read(Footprint& footprint) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  const Clock& clock = explorer->current().clock;
  if (!clock.covers(footprint.writes)) explorer->fail("data race: read of what another one wrote");
  footprint.reads.seen[explorer->number()] = clock.seen[explorer->number()];
}

void note_write(Footprint& footprint) {
  Explorer* explorer = Explorer::active();
  if (explorer == nullptr) return;
  const Clock& clock = explorer->current().clock;
  if (!clock.covers(footprint.writes)) explorer->fail("data race: write after another one's write");
  if (!clock.covers(footprint.reads)) explorer->fail("data race: write after another one's read");
  footprint.writes.seen[explorer->number()] = clock.seen[explorer->number()];
}

}  // namespace airssys::rt::model
