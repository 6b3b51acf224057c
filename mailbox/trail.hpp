// trail.hpp: who walks a long list of mail finds its signals in the cache.
//
// A list of signals tells an address only when the signal before it has come from memory: 100 ns a
// step, once the mail is more than a cache holds. So each signal also notes where the one lies that
// is six steps further on, and who walks fetches that in time. Mail is walked twice or more: once
// from the newest to the oldest, when it is taken out of its inbox, then in the order in which it
// came. The notes for the first walk are made by those who push, the notes for the others by the
// first walk.
//
//   newest ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ s ──▶ oldest
//              └──────────── ahead ────────────▶
//
// States      six places, newest lowest, three in a word. A place is the number of a signal's cache
//             line within 128 MiB; of two places their distance is known if it is less than half of
//             that. Where there are fewer than six signals, the first one's place stands for those
//             before it
// Roles       leave: any thread, before it pushes. follow: the owner, when it walks. Back: of one
//             walk of the owner's.
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
  // The notes of who pushes: `behind_others` says whether there is mail already.
  void leave(Signal& signal, bool behind_others) noexcept {
    const std::uint64_t place = place_of(signal);
    // relaxed, all: see Orders.
    const Places before = behind_others ? Places{words_[0].load(std::memory_order_relaxed),
                                                 words_[1].load(std::memory_order_relaxed)}
                                        : all_at(place);
    signal.ahead = distance(place, oldest_of(before.older));
    const Places now = with(before, place);
    // relaxed, twice: as above.
    words_[0].store(now.newer, std::memory_order_relaxed);
    words_[1].store(now.older, std::memory_order_relaxed);
  }

  static void follow(const Signal& signal) noexcept {
    constexpr int for_writing = 1;
    __builtin_prefetch(what_is_ahead(signal), for_writing);
  }
  static const void* what_is_ahead(const Signal& signal) noexcept {
    const auto lines = static_cast<std::uintptr_t>(std::intptr_t{signal.ahead});
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(&signal) +
                                         (lines << line_bits));
  }

  class Back;

 private:
  static constexpr unsigned line_bits = 6;
  static constexpr unsigned place_bits = 21;
  static constexpr std::uint64_t place_field = (std::uint64_t{1} << place_bits) - 1;

  // Three in each, newest lowest.
  struct Places {
    std::uint64_t newer = 0;
    std::uint64_t older = 0;
  };

  static Places all_at(std::uint64_t place) noexcept {
    const std::uint64_t three = place | place << place_bits | place << 2 * place_bits;
    return {three, three};
  }
  static Places with(Places before, std::uint64_t place) noexcept {
    return {before.newer << place_bits | place,
            before.older << place_bits | oldest_of(before.newer)};
  }
  static std::uint64_t place_of(const Signal& signal) noexcept {
    return reinterpret_cast<std::uintptr_t>(&signal) >> line_bits & place_field;
  }
  static std::uint64_t oldest_of(std::uint64_t word) noexcept {
    return word >> 2 * place_bits & place_field;
  }
  // In cache lines; the shorter way.
  static std::int32_t distance(std::uint64_t from, std::uint64_t to) noexcept {
    constexpr unsigned unused = 64 - place_bits;
    return static_cast<std::int32_t>(static_cast<std::int64_t>((to - from) << unused) >> unused);
  }

  // Any thread.
  base::Atomic<std::uint64_t> words_[2]{};
};

// The notes of who takes a list from the newest to the oldest, for those who walk it the other way.
class Trail::Back {
 public:
  explicit Back(const Signal& newest) noexcept : places_(all_at(place_of(newest))) {}

  void leave(Signal& signal) noexcept {
    const std::uint64_t place = place_of(signal);
    signal.ahead = distance(place, oldest_of(places_.older));
    places_ = with(places_, place);
  }

 private:
  Places places_;
};

}  // namespace airssys::rt::mailbox
