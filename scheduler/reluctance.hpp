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

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

namespace airssys::rt::scheduler {

class Reluctance {
 public:
  // Of all schedulers, since they began.
  struct Totals {
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
    const auto elapsed_us = static_cast<std::uint64_t>(now_ns - began_ns_) / 1000;
    const std::uint64_t rate = (now.reductions - last_.reductions) * 1000 / elapsed_us;
    const bool are_turns_short = (now.turns - last_.turns) * long_turn_us >= elapsed_us;
    const bool are_thefts_many = (now.steals - last_.steals) * seldom_us >= elapsed_us;
    began_ns_ = now_ns;
    last_ = now;
    if (is_trial_) {
      judge(rate);
    } else if (!are_turns_short) {
      is_reluctant_ = false;
    } else if (left_ != 0) {
      --left_;
    } else if (is_reluctant_ || are_thefts_many) {
      is_trial_ = true;
      rate_before_ = rate;
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

  void judge(std::uint64_t rate) noexcept {
    const std::uint64_t when_eager = is_reluctant_ ? rate : rate_before_;
    const std::uint64_t when_reluctant = is_reluctant_ ? rate_before_ : rate;
    const bool pays_off = when_reluctant * 4 >= when_eager * 5;
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
  std::uint64_t rate_before_ = 0;  // reductions in a millisecond, before the trial
  unsigned left_ = 0;              // periods until there may be a trial
  unsigned pause_ = pause_min;
  bool is_reluctant_ = false;
  bool is_trial_ = false;  // for this period it is the other way round
};

}  // namespace airssys::rt::scheduler
