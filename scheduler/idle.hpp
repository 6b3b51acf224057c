// idle.hpp: who sleeps, who searches, whom to wake for work that has become visible.
//
// At most one scheduler at a time searches (steals); nobody is woken while one does, for it will
// find the work, or look at everything once more before it sleeps.
//
//                try_search              sleep
//    awake ───────────────────▶ searching ───▶ asleep       awake ── sleep ──▶ asleep
//      ▲ ▲                       │     ▲        │  │
//      │ └──── stop_searching ───┘     └────────┘  │
//      │                          pick_to_wake     │
//      └────────────── cancel_sleep ───────────────┘
//
// States      sleepers_ has a bit for each scheduler asleep; searcher_ is 1 while somebody searches
// Roles       pick_to_wake: any thread, after it has made work visible. The others: the thread
//             that drives the scheduler in question.
// Invariants  I4 while work is visible, somebody is awake who will still look for it or come to
//             it, or nobody sleeps. D1 at most one searches. D2 a bit is cleared by exactly one;
//             who picks it owes that scheduler one unpark, unless it drives it itself, and has
//             made it the searcher.
// Orders      waker: work, light_fence, then it reads who searches and who sleeps;
//             sleeper: its bit, searcher_, heavy_fence, then it reads the work
// Progress    lock-free; a wake while somebody searches is one load and no fence
// Not here    how to sleep and to wake (keeper.hpp), where to look (the scheduler)
// Proof       tests/model/idle_model.cpp
//
// Why acquire and release are not enough: the waker stores work and then reads who sleeps; the
// sleeper stores that it sleeps and then reads the work. Release keeps a store behind what comes
// before it, acquire keeps a load ahead of what comes after; nothing keeps the load behind the
// store, so each may read the other's old value: work lies there, and everybody sleeps. It takes a
// full fence on both sides. Wakers are frequent, and a sleeper is about to lose microseconds
// anyway, so the sleeper pays for both (base/asymmetric_fence.hpp).
//
// How a scheduler that finds nothing goes to bed:
//
//   bool searching = idle.try_search();
//   again:
//   if (searching && found something) { stop_searching(); wake(pick_to_wake()); run it; return; }
//   if (idle.sleep(id, searching) && something lies where nobody comes to it) -> do not block
//   else block;                               // until unparked, for I/O, or until a timer is due
//   searching = !idle.cancel_sleep(id);       // picked: it is the searcher
//   if (!searching) searching = idle.try_search();
//   goto again;
//
// What lies in the queue of one whose turns go on ending is come to, and a search has just let it
// be (is_worth_a_theft): who stayed awake for that would only disturb who does the work, by the
// interrupts of the heavy fence most of all. If a long turn begins then, the monitor wakes
// somebody.
//
// A scheduler that noticed its pick before the unpark came finds its next park ended at once. That
// is harmless.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/assert.hpp"
#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::scheduler {

class IdleSet {
 public:
  static constexpr unsigned schedulers_max = 128;

  explicit IdleSet(unsigned count) noexcept {
    RT_CHECK(count >= 1 && count <= schedulers_max, "D2: more schedulers than bits");
  }
  IdleSet(const IdleSet&) = delete;
  IdleSet& operator=(const IdleSet&) = delete;

  // Any thread, after it has made work visible: the scheduler that it has to unpark for it, or
  // nothing: somebody searches already, or nobody sleeps. Includes the fence after the work.
  [[nodiscard]] std::optional<unsigned> pick_to_wake() noexcept {
    base::light_fence();  // between the work and the look at who sleeps; pairs with sleep
    for (;;) {
      if (is_somebody_searching() || !is_somebody_asleep()) return std::nullopt;
      if (!try_search()) return std::nullopt;
      if (const auto id = pop_sleeper()) return id;
      // All woke up meanwhile. Others may have relied on the searcher that this thread was for a
      // moment: wakers left their work to it, and a sleeper its last look. So it looks again.
      // seq_cst: ordered before the load of sleepers_ at the top. The sleeper that relied on us had
      // set its bit before it read searcher_, so its bit is seen now. Weaker, and it sleeps on.
      searcher_.store(0, std::memory_order_seq_cst);
    }
  }

  // The same question, without taking anybody: what it answers is where most wakes end.
  [[nodiscard]] bool has_somebody_to_wake() const noexcept {
    base::light_fence();  // as in pick_to_wake
    return is_somebody_asleep() && !is_somebody_searching();
  }

  // Before stealing. False: another one searches; go to sleep or look after I/O instead.
  [[nodiscard]] bool try_search() noexcept {
    std::uint32_t nobody = 0;
    // relaxed first: a refusal writes nothing. seq_cst: in one order with the fences and with the
    // bits, see sleep. relaxed on failure: nothing is used.
    return searcher_.load(std::memory_order_relaxed) == 0 &&
           searcher_.compare_exchange_strong(
               nobody, 1, std::memory_order_seq_cst, std::memory_order_relaxed);
  }

  // The searcher has found work. It now owes one pick_to_wake: where there was work for one there
  // may be more, and those who made it visible meanwhile have left it to the searcher.
  void stop_searching() noexcept {
    // seq_cst: ordered before the look at sleepers_ in the pick_to_wake that follows.
    const std::uint32_t before = searcher_.exchange(0, std::memory_order_seq_cst);
    RT_CHECK(before == 1, "D1: stopped a search that nobody was doing");
  }

  // Goes to bed. True: nobody searches any more, so the caller looks at everything once more
  // (queues, injection counters, timers) before it blocks. False: it may block; the searcher looks.
  [[nodiscard]] bool sleep(unsigned id, bool searching) noexcept {
    // seq_cst, three times: the bit is set before searcher_ is read. Weaker, and this sleeper could
    // rely on a searcher that gave up before it saw the bit (pick_to_wake's second look).
    const std::uint64_t before = word(id).fetch_or(bit(id), std::memory_order_seq_cst);
    RT_CHECK((before & bit(id)) == 0, "D2: asleep twice");
    if (searching) searcher_.store(0, std::memory_order_seq_cst);
    if (searcher_.load(std::memory_order_seq_cst) != 0) return false;
    base::heavy_fence();  // between the bit and the last look at the work; pairs with pick_to_wake
    return true;
  }

  // Awake again for a reason of its own, or because of an unpark. True: it was still asleep and is
  // now awake. False: it has been picked, so it is the searcher.
  [[nodiscard]] bool cancel_sleep(unsigned id) noexcept {
    // seq_cst: who clears the bit is decided here; in one order with the picks.
    return (word(id).fetch_and(~bit(id), std::memory_order_seq_cst) & bit(id)) != 0;
  }

  // Any thread: whether it was asleep a moment ago.
  [[nodiscard]] bool is_asleep(unsigned id) const noexcept {
    // relaxed: may be out of date.
    return (sleepers_[id / bits].load(std::memory_order_relaxed) & bit(id)) != 0;
  }

  // Any thread: for show, and behind a fence of the caller's own for the monitor's doze.
  [[nodiscard]] unsigned asleep() const noexcept {
    int count = 0;
    // relaxed: a figure that may be out of date.
    for (const auto& word : sleepers_) count += std::popcount(word.load(std::memory_order_relaxed));
    return static_cast<unsigned>(count);
  }

 private:
  static constexpr unsigned bits = 64;

  static std::uint64_t bit(unsigned id) noexcept { return std::uint64_t{1} << (id % bits); }
  base::Atomic<std::uint64_t>& word(unsigned id) noexcept {
    RT_CHECK(id < schedulers_max, "D2: no such scheduler");
    return sleepers_[id / bits];
  }

  bool is_somebody_searching() const noexcept {
    // seq_cst: a plain load on x86; in one order with sleep and with the second look.
    return searcher_.load(std::memory_order_seq_cst) != 0;
  }
  bool is_somebody_asleep() const noexcept {
    return std::ranges::any_of(sleepers_, [](const auto& word) {
      return word.load(std::memory_order_seq_cst) != 0;  // seq_cst: as above
    });
  }

  // The lowest first, so that few schedulers do the work when there is little of it.
  std::optional<unsigned> pop_sleeper() noexcept {
    for (unsigned i = 0; i < sleepers_.size(); ++i) {
      // relaxed: only a guess; the fetch_and decides.
      std::uint64_t seen = sleepers_[i].load(std::memory_order_relaxed);
      while (seen != 0) {
        const std::uint64_t lowest = seen & (~seen + 1);
        // seq_cst: as in cancel_sleep.
        seen = sleepers_[i].fetch_and(~lowest, std::memory_order_seq_cst);
        if ((seen & lowest) != 0) return i * bits + static_cast<unsigned>(std::countr_zero(lowest));
      }
    }
    return std::nullopt;
  }

  // Any thread, atomic: see Orders. Both on one line: read together at each wake, seldom written.
  alignas(base::cache_line_bytes) base::Atomic<std::uint32_t> searcher_{0};
  std::array<base::Atomic<std::uint64_t>, schedulers_max / bits> sleepers_{};
};

}  // namespace airssys::rt::scheduler
