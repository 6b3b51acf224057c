// process_table.hpp: pid → process; looking up writes nothing and takes no lock.
//
//   chunks_[slot / 1024] ──▶ | Process | Process | ... |      a pid is alive while the slot's own
//                                                              pid_bits are equal to it
//
//         take              publish                         retire           grace period
//   free ──────▶ being made ─────────▶ alive, maybe exiting ────────▶ retired ─────────────▶ free
//
// Roles       find, each: any thread, inside (base/quiescence.hpp). take, retire: one caller at a
//             time for each Local.
// Invariants  I6 a slot is taken again only after a grace period, with another generation: a stale
//             pid finds nobody, and who has found a process may push into its inbox until it leaves
//             the runtime.
// Orders      publish releases pid_bits, find acquires: the block is as its maker left it
// Progress    find is wait-free; take and retire touch the shared depot once in a batch
// Proof       tests/model: table reuse over base/quiescence.hpp
#pragma once

#include <airssys/rt/pid.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/mutex.hpp"
#include "base/quiescence.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class ProcessTable {
 public:
  static constexpr std::uint32_t chunk_slots = 1024;
  static constexpr std::uint32_t slots_max = 1U << 24;

  // Blocks that are free, or wait for their grace period, together.
  struct Batch {
    base::Quiescence::Stamp stamp = 0;
    std::uint32_t count = 0;
    std::array<Process*, 256> blocks;
  };

  // Free and retired blocks of one scheduler; one caller at a time.
  class alignas(base::cache_line_bytes) Local {
   private:
    friend class ProcessTable;
    Batch free_;
    Batch retired_;
    std::deque<Batch> waiting_;
    std::uint64_t last_born_ = 0;
    // Taken less retired, here: below zero, that is, wrapped, where more die than are born.
    base::Atomic<std::size_t> alive_{0};
  };

  ProcessTable(base::Quiescence& quiescence, unsigned locals)
      : quiescence_(quiescence), locals_(locals) {}
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;
  ~ProcessTable();  // Requires: no process is alive.

  Local& local(unsigned number) noexcept { return locals_[number]; }

  // A fresh process block, not yet to be found, of one that is born now; null when no slot is left.
  [[gnu::always_inline]] Process* take(Local& local, std::int64_t now_ns) {
    if (local.free_.count == 0 && !refill(local)) [[unlikely]]
      return nullptr;
    count(local.alive_, 1);
    Process* process = local.free_.blocks[--local.free_.count];
    process->renew();
    process->born = local.last_born_ =
        std::max(local.last_born_ + 1, static_cast<std::uint64_t>(now_ns));
    return process;
  }
  // It has a new pid, by which `find` answers it from now on.
  Pid publish(Process& process) noexcept {
    const Pid last = process.pid();
    const Pid next(last.slot(), last.generation() + 1);
    const Pid pid = next.generation() ? next : Pid(last.slot(), 1);
    // release: pairs with find: whoever finds it sees it whole.
    process.pid_bits.store(pid.bits(), std::memory_order_release);
    return pid;
  }
  // It is not found any more, and its block is used again after a grace period.
  void retire(Local& local, Process& process) noexcept {
    // relaxed: a batch's stamp publishes it; a look-up that still sees it finds a closed inbox.
    process.pid_bits.store(process.pid().bits() | Process::free_bit, std::memory_order_relaxed);
    count(local.alive_, std::size_t{0} - 1);
    local.retired_.blocks[local.retired_.count++] = &process;
    if (local.retired_.count == local.retired_.blocks.size()) [[unlikely]]
      lay_aside(local);
  }

  // The process, exiting or not, or null.
  Process* find(Pid pid) noexcept {
    const std::uint64_t place = pid.bits() >> Pid::generation_bits;  // its node and its slot
    if (place >= slots_max) return nullptr;
    Process* process = at(static_cast<std::uint32_t>(place));
    // acquire: pairs with publish. Weaker: the inbox could be seen as its last owner closed it.
    if (!process || process->pid_bits.load(std::memory_order_acquire) != pid.bits()) return nullptr;
    return process;
  }

  // Calls visit(process) for each that is alive at some moment of the call; those that live through
  // all of it are among them (P19).
  template <class Visit>
  void each(Visit visit) {
    each(0, slots_max, visit);
  }
  // The same, of those with slots from first to before last. Answers where to go on, 0 when there
  // is nobody beyond.
  template <class Visit>
  std::uint32_t each(std::uint32_t first, std::uint32_t last, Visit visit) {
    // acquire: pairs with the release in take_fresh.
    const std::uint32_t end = slots_.load(std::memory_order_acquire);
    last = std::min(last, end);
    for (std::uint32_t slot = first; slot < last; ++slot) {
      Process* process = at(slot);
      // acquire: as in find.
      if (process && !(process->pid_bits.load(std::memory_order_acquire) & Process::free_bit))
        visit(*process);
    }
    return last < end ? last : 0;
  }

  // How many are alive; a figure, exact when nobody spawns or dies.
  std::size_t alive() const noexcept { return sum(&Local::alive_); }
  std::size_t reserved_bytes() const noexcept;

 private:
  static constexpr std::size_t batches_kept = 4;  // by a scheduler; the rest goes to the depot

  Process* at(std::uint32_t slot) noexcept {
    if (slot >= slots_max) return nullptr;
    // acquire: pairs with make_chunk: the chunk's blocks have been constructed.
    Process* chunk = chunks_[slot / chunk_slots].load(std::memory_order_acquire);
    return chunk ? chunk + slot % chunk_slots : nullptr;
  }
  [[gnu::noinline]] bool refill(Local& local);
  [[gnu::noinline]] void lay_aside(Local& local) noexcept;
  bool take_rested(std::deque<Batch>& batches, Local& local);
  bool take_fresh(Batch& fresh);
  void make_chunk(std::uint32_t number);  // under mutex_, if it is not there

  using Counter = base::Atomic<std::size_t>;

  static void count(Counter& counter, std::size_t more) noexcept {
    // relaxed, twice: a figure with one writer; an end's news releases what was counted before it.
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::size_t sum(Counter Local::* counter) const noexcept {
    std::size_t sum = 0;
    for (const Local& local : locals_)
      sum += (local.*counter).load(std::memory_order_relaxed);  // relaxed: a figure
    return sum;
  }

  base::Quiescence& quiescence_;
  std::vector<Local> locals_;  // as many as the constructor was told

  // Any thread, atomic.
  std::array<base::Atomic<Process*>, slots_max / chunk_slots> chunks_{};
  base::Atomic<std::uint32_t> slots_{0};  // handed out at least once

  base::Mutex mutex_{base::LockRank::table};
  // Under mutex_; slots_ is written under it, too.
  std::deque<Batch> depot_;
};

}  // namespace airssys::rt::runtime
