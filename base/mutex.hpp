// mutex.hpp: a mutex of four bytes with a rank; debug builds check the order of ranks.
//
// States   free ──lock──▶ held ──lock by another──▶ contended (somebody sleeps or is about to)
//          unlock: held → free; contended → free and wakes one sleeper, who sets contended again.
// Rules    Sections are short and never block. No mutex is held across a switch of fibers: the
//          holder would be resumed by a thread that does not hold it (debug builds notice).
// Ranks    A thread that holds a mutex takes only mutexes of smaller rank, so no circle of waiting
//          threads can form. LockRank is the order as data, for all rooms; a new edge is a new
//          line.
// Progress spins for about a microsecond, unless others wait already; then sleeps in the kernel. So
//          a hand-over moves the line to one or two waiters, not to all. Not recursive, not fair.
// Works with std::lock_guard and std::unique_lock. Not explored by the model: it is a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/futex.hpp"

namespace airssys::rt::base {

/// From the innermost to the outermost. Equal ranks never nest.
enum class LockRank : std::uint8_t {
  leaf,   // takes nothing else while held
  names,  // takes a shard of them
  slab,
  stack_depot,
  queue,  // injection, blocking pool, boards of idle threads
  timer,
  poller,
  quiescence,
  tenure,
  scheduler,
  table,     // process table, timers by name
  registry,  // dead letters
  runtime,   // start and stop
  host,      // process-wide hooks
};

class Mutex {
 public:
  constexpr explicit Mutex(LockRank rank = LockRank::leaf) noexcept : rank_(rank) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  ~Mutex() = default;

  void lock() noexcept {
    note_lock();
    std::uint32_t expected = free;
    // acquire: pairs with the release in unlock; what the last holder wrote is seen. relaxed on
    // failure: nothing was taken yet, lock_contended tries again with acquire.
    if (!word_.compare_exchange_strong(
            expected, held, std::memory_order_acquire, std::memory_order_relaxed))
      lock_contended();
  }

  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t expected = free;
    // acquire, relaxed: as in lock.
    if (!word_.compare_exchange_strong(
            expected, held, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    note_try_lock();
    return true;
  }

  void unlock() noexcept {
    note_unlock();
    // release: hands over what the section wrote. Weaker, the next holder would read old values.
    if (word_.exchange(free, std::memory_order_release) == contended) futex_wake(word_, 1);
  }

 private:
  static constexpr std::uint32_t free = 0;
  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t contended = 2;

  void lock_contended() noexcept;

#ifdef NDEBUG
  void note_lock() const noexcept {}
  void note_try_lock() const noexcept {}
  void note_unlock() const noexcept {}
#else
  void note_lock() const noexcept;
  void note_try_lock() const noexcept;
  void note_unlock() const noexcept;
#endif

  FutexWord word_{free};
  [[maybe_unused]] LockRank rank_;  // read by debug builds
};

}  // namespace airssys::rt::base
