// mutex.cpp: waiting for a mutex, and the debug check of ranks.
//
// The ranks that a thread holds are bits of one thread-local word. A mutex is released by the
// thread that took it, so the word needs no atomics.
#include "base/mutex.hpp"

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "base/this_thread.hpp"

namespace airssys::rt::base {

void Mutex::lock_contended() noexcept {
  // A guess: sections are tens of nanoseconds, a sleep and its wake are tens of microseconds.
  constexpr int spins_max = 100;
  for (int spins = 0; spins < spins_max; ++spins) {
    std::uint32_t expected = free;
    // relaxed look first, so that spinning does not take the cache line from the holder; then
    // acquire, relaxed as in lock.
    const std::uint32_t seen = word_.load(std::memory_order_relaxed);
    if (seen == free && word_.compare_exchange_weak(
                            expected, held, std::memory_order_acquire, std::memory_order_relaxed))
      return;
    if (seen == contended) break;
    spin_pause();
  }
  // acquire: pairs with unlock. Who takes it from here marks it contended even if it was the last
  // one to wait: one futex call too many at its unlock, never one too few.
  while (word_.exchange(contended, std::memory_order_acquire) != free)
    futex_wait(word_, contended, -1);
}

#ifndef NDEBUG

namespace {

using this_thread::Slot;

std::uintptr_t held_ranks() noexcept {
  return reinterpret_cast<std::uintptr_t>(this_thread::get(Slot::held_locks));
}

void set_held_ranks(std::uintptr_t ranks) noexcept {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a slot holds a word of its user's choice.
  this_thread::set(Slot::held_locks, reinterpret_cast<void*>(ranks));
}

}  // namespace

void Mutex::note_lock() const noexcept {
  const auto rank = static_cast<unsigned>(rank_);
  const std::uintptr_t not_smaller = (std::uintptr_t{2} << rank) - 1;  // held ranks that forbid it
  RT_CHECK((held_ranks() & not_smaller) == 0,
           "a thread takes only mutexes of smaller rank than it holds");
  set_held_ranks(held_ranks() | std::uintptr_t{1} << rank);
}

void Mutex::note_try_lock() const noexcept {
  // An attempt cannot wait in a circle, so only equal ranks, which share a bit, are excluded.
  const std::uintptr_t bit = std::uintptr_t{1} << static_cast<unsigned>(rank_);
  RT_CHECK((held_ranks() & bit) == 0, "mutexes of equal rank never nest");
  set_held_ranks(held_ranks() | bit);
}

void Mutex::note_unlock() const noexcept {
  const std::uintptr_t bit = std::uintptr_t{1} << static_cast<unsigned>(rank_);
  RT_CHECK((held_ranks() & bit) != 0, "a mutex is released by the thread that holds it");
  set_held_ranks(held_ranks() & ~bit);
}

#endif

}  // namespace airssys::rt::base
