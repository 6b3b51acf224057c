// precise_pi.cpp: S20: messages that carry two kilobytes; a master adds while its workers compute.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "programs.hpp"

namespace savina {

namespace precise_pi {
namespace {

constexpr std::int64_t digits = 5'000;
constexpr std::size_t workers = 20;
constexpr std::int64_t terms_at_once = 200;

// A number from zero to below 2^32, with some twenty digits more than are asked for. The most
// significant word, the integer part, comes first.
class Fixed {
 public:
  explicit Fixed(std::uint32_t whole) { words_[0] = whole; }

  Fixed& operator/=(std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (std::uint32_t& word : words_) {
      rest = (rest << 32) + word;
      word = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    return *this;
  }
  Fixed& operator+=(const Fixed& other) {
    std::uint64_t carry = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      carry += std::uint64_t{words_[i]} + other.words_[i];
      words_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    return *this;
  }
  Fixed& operator-=(const Fixed& other) {
    std::uint64_t borrow = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      const std::uint64_t taken = other.words_[i] + borrow;
      borrow = words_[i] < taken ? 1 : 0;
      words_[i] = static_cast<std::uint32_t>(words_[i] - taken);
    }
    return *this;
  }
  Fixed& operator>>=(std::size_t bits) {
    const std::size_t words = std::min(bits / 32, words_.size());
    std::shift_right(words_.begin(), words_.end(), static_cast<std::ptrdiff_t>(words));
    std::fill_n(words_.begin(), words, 0);
    if (bits % 32 != 0) *this /= 1U << (bits % 32);
    return *this;
  }
  friend auto operator<=>(const Fixed&, const Fixed&) = default;

  // Takes the integer part away.
  std::uint32_t take_whole() { return std::exchange(words_[0], 0); }
  Fixed& operator*=(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::size_t i = words_.size(); i-- > 0;) {
      carry += std::uint64_t{words_[i]} * factor;
      words_[i] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    return *this;
  }

 private:
  static constexpr std::size_t word_count = (digits + 20) * 33220 / 10000 / 32 + 2;

  std::vector<std::uint32_t> words_ = std::vector<std::uint32_t>(word_count);
};

Fixed quotient(std::uint32_t dividend, std::int64_t divisor) {
  Fixed value(dividend);
  return value /= static_cast<std::uint32_t>(divisor);
}

Fixed term(std::int64_t k) {
  Fixed value = quotient(4, 8 * k + 1);
  value -= quotient(2, 8 * k + 4);
  value -= quotient(1, 8 * k + 5);
  value -= quotient(1, 8 * k + 6);
  return value >>= static_cast<std::size_t>(4 * k);
}

struct Work {
  std::int64_t k;
};
struct Term {
  std::int64_t k;
  Fixed value;
  rt::Pid from;
};
struct Stop {};

class Worker : public rt::Behaviour {
 public:
  explicit Worker(rt::Pid master) : master_(master) {}

  void message(rt::Message& message) override {
    if (const Work* work = message.get_if<Work>()) {
      rt::send(master_, Term{work->k, term(work->k), rt::self()});
    } else {
      rt::send(master_, Stop{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid master_;
};

struct Answer {
  Fixed pi;
  std::int64_t terms;
  std::int64_t first_small;
};

// The master's body.
Answer add_up() {
  Fixed small(1);
  for (std::int64_t i = 0; i < digits; ++i) small /= 10;
  std::array<rt::Pid, workers> pids;
  for (rt::Pid& pid : pids) pid = rt::spawn_behaviour(std::make_unique<Worker>(rt::self()));
  Answer answer{Fixed(0), 0, INT64_MAX};
  while (answer.terms < std::min(digits, terms_at_once)) {
    rt::send(pids[static_cast<std::size_t>(answer.terms) % workers], Work{answer.terms});
    ++answer.terms;
  }
  for (std::int64_t added = 0; added < answer.terms; ++added) {
    const auto term = rt::receive<Term>();
    answer.pi += term.value;
    if (term.value <= small) answer.first_small = std::min(answer.first_small, term.k);
    if (answer.first_small == INT64_MAX) rt::send(term.from, Work{answer.terms++});
  }
  for (const rt::Pid pid : pids) rt::send(pid, Stop{});
  for (std::size_t i = 0; i < workers; ++i) rt::receive<Stop>();
  return answer;
}

class PrecisePi : public Program {
 public:
  void run() override {
    rt::spawn([main = rt::self()] { rt::send(main, add_up()); });
    answer_ = rt::receive<Answer>();
  }

  Outcome outcome() override {
    check(answer_.pi.take_whole() == 3, "a little more than three");
    std::string decimals;
    for (std::int64_t i = 0; i < 4'990; ++i) {
      answer_.pi *= 10;
      decimals += static_cast<char>('0' + answer_.pi.take_whole());
    }
    check(decimals.starts_with("14159265358979323846"), "the first decimals");
    check(decimals.ends_with("42631298608099888687"), "the last decimals");
    std::int64_t sum = 0;
    for (const char digit : decimals) sum += digit - '0';
    check(sum == 22'647, "and those in between");
    check(answer_.first_small == 4'146, "the first term that is small enough");
    return {.parameters = {{"D", digits}, {"W", static_cast<double>(workers)}},
            .messages = 2 * answer_.terms + 2 * static_cast<std::int64_t>(workers),
            .processes = static_cast<std::int64_t>(workers) + 1};
  }

 private:
  Answer answer_{Fixed(0), 0, 0};
};

}  // namespace
}  // namespace precise_pi

std::unique_ptr<Program> make_precise_pi(const Setting& /*setting*/) {
  return std::make_unique<precise_pi::PrecisePi>();
}

}  // namespace savina
