// reluctance.hpp: how long thieves let a task stand that its own scheduler would come to.
//
// Processes that send each other short messages do more on one scheduler than on two: whoever is
// stolen talks to the others from another core, and each message moves cache lines to and fro. Work
// that stands by itself is done sooner by a thief. Nobody knows beforehand which it is, so it is
// tried: where turns are short and thefts many, thieves are reluctant for a period, and whichever
// has more reductions done is kept.
//
//          turns are short and thefts are many
//   eager ─────────────────────────────────────▶ reluctant for a period
//    ▲ ▲ ◀────── did not do a quarter more ───────┘           │ did
//    │ │                                                      ▼
//    │ └── it did nearly as much ── eager for a period ◀── reluctant
//    │                                       └─── it did not ──▲ │
//    └────────────────────── turns are longer ───────────────────┘
//
// What was found is tried again after a pause, which doubles each time that it was right. A wrong
// choice costs what is bounded: a reluctant thief still takes what stands for half a millisecond.
//
// Roles       look: the monitor, at each tick. patience_ns: any thread, relaxed: a figure that
//             steers; nothing is handed over
// Not here    whom to wake for what may be stolen (wake_ration.hpp)
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::scheduler {

class Reluctance {
 public:
  // Of all schedulers, since they began.
  struct Totals {
    std::int64_t busy_ns = 0;
    std::uint64_t reductions = 0;
    std::uint64_t turns = 0;
    std::uint64_t steals = 0;
  };

  static constexpr std::int64_t eager_ns = 5'000;
  static constexpr std::int64_t reluctant_ns = 500'000;

  std::int64_t patience_ns() const noexcept {
    return patience_ns_.load(std::memory_order_relaxed);  // relaxed: see Roles
  }

  bool is_due(std::int64_t now_ns) const noexcept { return now_ns - began_ns_ >= period_ns; }

  // Requires: is_due.
  void look(std::int64_t now_ns, const Totals& now) noexcept {
    const std::int64_t elapsed_ns = now_ns - began_ns_;
    const std::uint64_t busy_us = to_us(now.busy_ns - last_.busy_ns) + 1;
    const std::uint64_t done = (now.reductions - last_.reductions) * 1000;
    const Rate rate = {done / to_us(elapsed_ns), done / busy_us};
    const bool are_turns_short = (now.turns - last_.turns) * long_turn_us >= busy_us;
    const bool are_thefts_many = (now.steals - last_.steals) * seldom_us >= busy_us;
    began_ns_ = now_ns;
    last_ = now;
    if (!are_turns_short || elapsed_ns > 2 * period_ns) {
      is_reluctant_ = is_trial_ = false;
      left_ = 0;
    } else if (is_trial_) {
      judge(rate);
    } else if (left_ != 0) {
      --left_;
    } else if (is_reluctant_ || are_thefts_many) {
      is_trial_ = true;
      before_ = rate;
    }
    // relaxed: see Roles.
    patience_ns_.store(is_reluctant_ != is_trial_ ? reluctant_ns : eager_ns,
                       std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t period_ns = 5'000'000;
  static constexpr std::uint64_t long_turn_us = 2;  // it hides what a message from elsewhere costs
  static constexpr std::uint64_t seldom_us = 200;   // thefts so seldom harm nobody
  // In periods.
  static constexpr unsigned pause_min = 8;
  static constexpr unsigned eager_pause_max = 256;
  static constexpr unsigned reluctant_pause_max =
      32;  // for it may harm who does not ask for a trial

  // Reductions in a millisecond, and in one of a busy scheduler. More of the first alone is more
  // that came from outside; more of the second alone is a scheduler that had less to do.
  struct Rate {
    std::uint64_t overall = 0;
    std::uint64_t when_busy = 0;
  };
  static std::uint64_t to_us(std::int64_t ns) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) / 1000;
  }
  static bool is_a_quarter_more(std::uint64_t a, std::uint64_t b) noexcept { return a * 4 > b * 5; }

  void judge(const Rate& rate) noexcept {
    const auto& [eager, reluctant] =
        is_reluctant_ ? std::pair(rate, before_) : std::pair(before_, rate);
    const bool pays_off = is_a_quarter_more(reluctant.overall, eager.overall) &&
                          is_a_quarter_more(reluctant.when_busy, eager.when_busy);
    const unsigned pause_max = pays_off ? reluctant_pause_max : eager_pause_max;
    pause_ = pays_off == is_reluctant_ ? std::min(pause_ * 2, pause_max) : pause_min;
    is_trial_ = false;
    is_reluctant_ = pays_off;
    left_ = pause_;
  }

  // Any thread, atomic. Seldom written.
  alignas(base::cache_line_bytes) base::Atomic<std::int64_t> patience_ns_{eager_ns};

  // The monitor only.
  Totals last_;
  std::int64_t began_ns_ = 0;
  Rate before_;        // the trial
  unsigned left_ = 0;  // periods until there may be a trial
  unsigned pause_ = pause_min;
  bool is_reluctant_ = false;
  bool is_trial_ = false;  // for this period it is the other way round
};

}  // namespace airssys::rt::scheduler
