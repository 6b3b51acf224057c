// sieve.cpp: S13: a chain of filters that grows; its first stages are far busier than its last.
#include <array>
#include <utility>

#include "programs.hpp"

namespace savina {

namespace sieve {
namespace {

constexpr std::int64_t primes_per_filter = 1000;

struct Candidate {
  std::int64_t number;
};
// What the last filter tells; each adds its own on the way.
struct Primes {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t largest = 0;
  std::int64_t candidates = 0;
  std::vector<std::int64_t> firsts = {};
};

class Filter : public rt::Behaviour {
 public:
  Filter(std::int64_t prime, rt::Pid main) : main_(main) { primes_.push_back(prime); }

  void message(rt::Message& message) override {
    if (const Candidate* candidate = message.get_if<Candidate>()) {
      ++candidates_;
      return sift(candidate->number);
    }
    Primes found = message.take<Primes>();
    add_own(found);
    rt::send(next_ ? next_ : main_, std::move(found));
    rt::exit(rt::ExitReason::normal());
  }

 private:
  void sift(std::int64_t number) {
    for (const std::int64_t prime : primes_) {
      if (number % prime == 0) return;
    }
    if (next_) {
      rt::send(next_, Candidate{number});
    } else if (static_cast<std::int64_t>(primes_.size()) < primes_per_filter) {
      primes_.push_back(number);
    } else {
      next_ = rt::spawn_behaviour(std::make_unique<Filter>(number, main_));
    }
  }

  void add_own(Primes& found) const {
    found.count += static_cast<std::int64_t>(primes_.size());
    for (const std::int64_t prime : primes_) found.sum += prime;
    found.largest = primes_.back();
    found.candidates += candidates_;
    found.firsts.push_back(primes_.front());
  }

  rt::Pid main_;
  rt::Pid next_;
  std::vector<std::int64_t> primes_;
  std::int64_t candidates_ = 0;
};

class Sieve : public Program {
 public:
  explicit Sieve(const Setting& setting)
      : is_suite_(setting.size == Size::suite), below_(setting.pick(100'000, 1'000'000)) {}

  void run() override {
    const rt::Pid first = rt::spawn_behaviour(std::make_unique<Filter>(2, rt::self()));
    rt::spawn([first, below = below_] {
      for (std::int64_t number = 3; number < below; number += 2) rt::send(first, Candidate{number});
      rt::send(first, Primes{});
    });
    primes_ = rt::receive<Primes>();
  }

  Outcome outcome() override {
    check(primes_.count == (is_suite_ ? 9'592 : 78'498), "as many primes as there are");
    check(primes_.sum == (is_suite_ ? 454'396'537 : 37'550'402'023), "and those");
    check(primes_.candidates == (is_suite_ ? 91'318 : 3'541'765), "each candidate on its way");
    const auto filters = static_cast<std::int64_t>(primes_.firsts.size());
    check(filters == (is_suite_ ? 10 : 79), "as many filters as it takes");
    if (is_suite_) {
      check(primes_.largest == 99'991, "the largest prime");
      check(primes_.firsts ==
                std::vector<std::int64_t>{
                    2, 7927, 17393, 27457, 37831, 48619, 59369, 70663, 81817, 93187},
            "each filter's first prime");
    }
    return {.parameters = {{"N", as_double(below_)}, {"M", as_double(primes_per_filter)}},
            .messages = primes_.candidates + filters + 1,
            .processes = filters + 1};
  }

 private:
  const bool is_suite_;
  const std::int64_t below_;
  Primes primes_;
};

}  // namespace
}  // namespace sieve

std::unique_ptr<Program> make_sieve(const Setting& setting) {
  return std::make_unique<sieve::Sieve>(setting);
}

}  // namespace savina
