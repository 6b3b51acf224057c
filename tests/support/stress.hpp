// stress.hpp: how large the tests with real threads are, and how often what races in them races.
//
//   for (const std::size_t round : rounds()) {  // the race, once in each
//     send_exit(holder, ExitReason::kill());
//     stagger(round);                           // the other side, a little later each time
//     const auto found = whereis("holder");
//
// A rule that a race could break runs thousands of rounds, and hundreds under a sanitizer. Where
// they take long, as beside other programs, a test is content with fewer: once its time is over it
// goes on to a fiftieth of them and no further. Only how much is tried depends on the machine.
// Tests without rounds say how large they are by `stress_size`. To hunt for something rare:
// AIRSSYS_RT_STRESS=100 makes all of them a hundred times as long.
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "base/random.hpp"

namespace airssys::rt::support {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool is_sanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool is_sanitized = false;
#endif

inline std::size_t stress_factor() {
  const char* text = std::getenv("AIRSSYS_RT_STRESS");
  if (text == nullptr) return 1;
  const std::string_view digits(text);
  std::size_t factor = 1;
  std::from_chars(digits.data(), digits.data() + digits.size(), factor);
  return factor;
}

inline std::size_t stress_size(std::size_t modest) {
  return modest * stress_factor();
}

inline std::size_t round_count() {
  return stress_size(is_sanitized ? 500 : 5000);
}

// The numbers of the rounds, from 0 on.
class Rounds {
 public:
  class Iterator {
   public:
    std::size_t operator*() const noexcept { return number_; }
    Iterator& operator++() {
      ++number_;
      return *this;
    }
    bool operator==(std::default_sentinel_t) const {
      if (number_ >= rounds_->most_) return true;
      return number_ >= rounds_->most_ / 50 && std::chrono::steady_clock::now() >= rounds_->until_;
    }

   private:
    friend class Rounds;
    explicit Iterator(const Rounds& rounds) : rounds_(&rounds) {}

    const Rounds* rounds_;
    std::size_t number_ = 0;
  };

  Iterator begin() const { return Iterator(*this); }
  static std::default_sentinel_t end() { return {}; }

 private:
  const std::size_t most_ = round_count();
  const std::chrono::steady_clock::time_point until_ =
      std::chrono::steady_clock::now() +
      std::chrono::milliseconds(stress_size(is_sanitized ? 1500 : 1200));
};

inline Rounds rounds() {
  return {};
}

// Spends nothing up to some microseconds, short times more often; the same in each run, so that a
// round that failed can be run again.
inline void stagger(std::size_t round) {
  base::Random random(round);
  const std::uint32_t bound = 1U << random.below(13);
  for (std::uint32_t left = random.below(bound); left > 0; --left) asm volatile("");
}

}  // namespace airssys::rt::support
