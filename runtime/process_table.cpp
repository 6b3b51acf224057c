// process_table.cpp: slots, batches and generations.
#include "runtime/process_table.hpp"

#include <algorithm>
#include <new>

#include "base/assert.hpp"
#include "base/memory.hpp"

namespace airssys::rt::runtime {

ProcessTable::~ProcessTable() {
  RT_CHECK(alive() == 0, "I6: the table goes while a process is alive");
  for (auto& chunk : chunks_) {
    // relaxed: nobody else is left.
    Process* processes = chunk.load(std::memory_order_relaxed);
    if (!processes) break;
    std::destroy_n(processes, chunk_slots);
    base::free(processes);
  }
}

void ProcessTable::lay_aside(Local& local) noexcept {
  local.retired_.stamp = quiescence_.retire();
  local.waiting_.push_back(local.retired_);
  local.retired_.count = 0;
  if (local.waiting_.size() <= batches_kept) return;
  // Who spawns may be another scheduler than the one on which they die.
  const std::lock_guard lock(mutex_);
  depot_.push_back(local.waiting_.front());
  local.waiting_.pop_front();
}

// First what has rested long enough, here or in the depot, then slots nobody has used.
bool ProcessTable::refill(Local& local) {
  if (take_rested(local.waiting_, local)) return true;
  {
    const std::lock_guard lock(mutex_);
    if (take_rested(depot_, local)) return true;
  }
  return take_fresh(local.free_);
}

bool ProcessTable::take_rested(std::deque<Batch>& batches, Local& local) {
  if (batches.empty() || !quiescence_.has_passed(batches.front().stamp)) return false;
  local.free_ = batches.front();
  batches.pop_front();
  return true;
}

// Blocks look free from their making on, so nobody has to wait until they have their numbers.
bool ProcessTable::take_fresh(Batch& fresh) {
  std::uint32_t end = 0;
  std::uint32_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    // relaxed: written under the mutex only.
    const std::uint32_t first = slots_.load(std::memory_order_relaxed);
    count = std::min(static_cast<std::uint32_t>(fresh.blocks.size()), slots_max - first);
    if (count == 0) return false;
    end = first + count;
    make_chunk((end - 1) / chunk_slots);
    // release: pairs with each.
    slots_.store(end, std::memory_order_release);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t slot = end - 1 - i;
    fresh.blocks[i] = at(slot);
    // relaxed: still free; publish hands the block over.
    fresh.blocks[i]->pid_bits.store(Pid(slot, 0).bits() | Process::free_bit,
                                    std::memory_order_relaxed);
  }
  fresh.count = count;
  return true;
}

void ProcessTable::make_chunk(std::uint32_t number) {
  // relaxed: written under the mutex only.
  if (chunks_[number].load(std::memory_order_relaxed)) return;
  auto* chunk =
      static_cast<Process*>(base::allocate(sizeof(Process) * chunk_slots, alignof(Process)));
  std::uninitialized_default_construct_n(chunk, chunk_slots);
  // release: pairs with at: the blocks are there before the chunk is found.
  chunks_[number].store(chunk, std::memory_order_release);
}

std::size_t ProcessTable::reserved_bytes() const noexcept {
  // relaxed: a figure.
  const std::size_t slots = slots_.load(std::memory_order_relaxed);
  return (slots + chunk_slots - 1) / chunk_slots * chunk_slots * sizeof(Process);
}

}  // namespace airssys::rt::runtime
