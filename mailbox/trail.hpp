// trail.hpp: who takes in a long list of mail finds its signals in the cache.
//
// An inbox links each signal to the one before, so who walks that way learns an address only when
// the last one has come from memory: 100 ns a step, once the mail is more than a cache holds. So a
// signal also notes the place of the one that came six pushes before it, and who walks fetches that
// in time.
//
//   newest ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ oldest
//              └──────────── ahead ────────────▶
//
// States      words_: the last six places, newest lowest, three in each. A place is the number of a
//             signal's cache line within the 128 MiB that it lies in; 0: none
// Roles       leave: any thread, before it pushes. follow: the owner, when it walks.
// Orders      relaxed, all: a place may be wrong, for pushes race, some fail, and not all mail lies
//             within 128 MiB. Then a line is fetched in vain, maybe from another core
// Progress    wait-free
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "mailbox/signal.hpp"

namespace airssys::rt::mailbox {

class Trail {
 public:
  void leave(Signal& signal, bool behind_others) noexcept {
    if (!behind_others) forget();
    signal.ahead = note(signal);
  }

  static void follow(const Signal& signal) noexcept {
    if (signal.ahead == 0) return;
    const auto here = reinterpret_cast<std::uintptr_t>(&signal);
    const std::uintptr_t there = (here & ~(window_bytes - 1)) | std::uintptr_t{signal.ahead}
                                                                    << line_bits;
    constexpr int for_writing = 1;
    __builtin_prefetch(reinterpret_cast<const void*>(there), for_writing);
  }

 private:
  static constexpr unsigned line_bits = 6;
  static constexpr unsigned place_bits = 21;
  static constexpr std::uint64_t place_field = (std::uint64_t{1} << place_bits) - 1;
  static constexpr std::uintptr_t window_bytes = std::uintptr_t{1} << (place_bits + line_bits);

  // No signal is led to what lay here before.
  void forget() noexcept {
    // relaxed, twice: see Orders.
    words_[0].store(0, std::memory_order_relaxed);
    words_[1].store(0, std::memory_order_relaxed);
  }
  // Answers the place that was noted six times before, or 0.
  std::uint32_t note(const Signal& signal) noexcept {
    // relaxed, twice: see Orders.
    const std::uint64_t older = words_[1].load(std::memory_order_relaxed);
    const std::uint64_t newer = words_[0].load(std::memory_order_relaxed);
    // relaxed, twice: as above.
    words_[1].store(older << place_bits | oldest_of(newer), std::memory_order_relaxed);
    words_[0].store(newer << place_bits | place_of(signal), std::memory_order_relaxed);
    return static_cast<std::uint32_t>(oldest_of(older));
  }
  static std::uint64_t place_of(const Signal& signal) noexcept {
    return reinterpret_cast<std::uintptr_t>(&signal) >> line_bits & place_field;
  }
  static std::uint64_t oldest_of(std::uint64_t word) noexcept {
    return word >> 2 * place_bits & place_field;
  }

  // Any thread.
  base::Atomic<std::uint64_t> words_[2]{};
};

}  // namespace airssys::rt::mailbox
