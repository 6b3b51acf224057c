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
  const std::lock_guard lock(mutex_);
  return take_rested(depot_, local) || take_fresh(local);
}

bool ProcessTable::take_rested(std::deque<Batch>& batches, Local& local) {
  if (batches.empty() || !quiescence_.has_passed(batches.front().stamp)) return false;
  local.free_ = batches.front();
  batches.pop_front();
  return true;
}

bool ProcessTable::take_fresh(Local& local) {
  Batch& fresh = local.free_;
  // relaxed: written under the mutex only.
  const std::uint32_t first = slots_.load(std::memory_order_relaxed);
  fresh.count = std::min(static_cast<std::uint32_t>(fresh.blocks.size()), slots_max - first);
  if (fresh.count == 0) return false;
  const std::uint32_t end = first + fresh.count;
  const std::uint32_t last_chunk = (end - 1) / chunk_slots;
  // relaxed: as above.
  if (!chunks_[last_chunk].load(std::memory_order_relaxed)) {
    auto* chunk =
        static_cast<Process*>(base::allocate(sizeof(Process) * chunk_slots, alignof(Process)));
    std::uninitialized_default_construct_n(chunk, chunk_slots);
    // release: pairs with at: the blocks are there before the chunk is found.
    chunks_[last_chunk].store(chunk, std::memory_order_release);
  }
  for (std::uint32_t i = 0; i < fresh.count; ++i) {
    const std::uint32_t slot = end - 1 - i;
    fresh.blocks[i] = at(slot);
    // relaxed: still free; publish hands the block over.
    fresh.blocks[i]->pid_bits.store(Pid(slot, 0).bits() | Process::free_bit,
                                    std::memory_order_relaxed);
  }
  // release: pairs with each.
  slots_.store(end, std::memory_order_release);
  return true;
}

std::size_t ProcessTable::reserved_bytes() const noexcept {
  // relaxed: a figure.
  const std::size_t slots = slots_.load(std::memory_order_relaxed);
  return (slots + chunk_slots - 1) / chunk_slots * chunk_slots * sizeof(Process);
}

}  // namespace airssys::rt::runtime
