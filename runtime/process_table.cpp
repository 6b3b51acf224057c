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

Process* ProcessTable::take(Local& local) {
  if (local.free_.empty() && !refill(local)) return nullptr;
  const std::uint32_t slot = local.free_.back();
  local.free_.pop_back();
  count(local, 1);
  Process* process = at(slot);
  process->renew();
  const std::uint32_t generation = process->pid().generation() + 1;
  const Pid next(slot, generation);
  // relaxed: still free; publish hands the block over.
  process->pid_bits.store((next.generation() ? next : Pid(slot, 1)).bits() | Process::free_bit,
                          std::memory_order_relaxed);
  return process;
}

Pid ProcessTable::publish(Process& process) noexcept {
  const Pid pid = Pid::from_bits(process.pid().bits() & ~Process::free_bit);
  // release: pairs with find: whoever finds it sees it whole.
  process.pid_bits.store(pid.bits(), std::memory_order_release);
  return pid;
}

void ProcessTable::retire(Local& local, Process& process) noexcept {
  const Pid pid = process.pid();
  // relaxed: retire's stamp publishes it; a look-up that still sees it finds a closed inbox.
  process.pid_bits.store(pid.bits() | Process::free_bit, std::memory_order_relaxed);
  count(local, std::size_t{0} - 1);
  local.retired_.push_back(pid.slot());
  if (local.retired_.size() < batch) return;
  local.waiting_.push_back({quiescence_.retire(), std::move(local.retired_)});
  local.retired_.clear();
  if (local.waiting_.size() <= batches_kept) return;
  // Who spawns may be another scheduler than the one on which they die.
  const std::lock_guard lock(mutex_);
  depot_.push_back(std::move(local.waiting_.front()));
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
  local.free_ = std::move(batches.front().slots);
  batches.pop_front();
  return true;
}

bool ProcessTable::take_fresh(Local& local) {
  // relaxed: written under the mutex only.
  const std::uint32_t first = slots_.load(std::memory_order_relaxed);
  const std::uint32_t count = std::min(batch, slots_max - first);
  if (count == 0) return false;
  const std::uint32_t last_chunk = (first + count - 1) / chunk_slots;
  // relaxed: as above.
  if (!chunks_[last_chunk].load(std::memory_order_relaxed)) {
    auto* chunk =
        static_cast<Process*>(base::allocate(sizeof(Process) * chunk_slots, alignof(Process)));
    std::uninitialized_default_construct_n(chunk, chunk_slots);
    // release: pairs with at: the blocks are there before the chunk is found.
    chunks_[last_chunk].store(chunk, std::memory_order_release);
  }
  for (std::uint32_t i = count; i-- > 0;) local.free_.push_back(first + i);
  // release: pairs with each.
  slots_.store(first + count, std::memory_order_release);
  return true;
}

std::size_t ProcessTable::reserved_bytes() const noexcept {
  // relaxed: a figure.
  const std::size_t slots = slots_.load(std::memory_order_relaxed);
  return (slots + chunk_slots - 1) / chunk_slots * chunk_slots * sizeof(Process);
}

}  // namespace airssys::rt::runtime
