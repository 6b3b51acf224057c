// cigarette_smokers.cpp: S11: hand-off from one process to ever another; work is left behind.
#include <set>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace cigarette_smokers {
namespace {

constexpr std::int64_t smokers = 200;

struct StartSmoking {
  std::int64_t how_long;
};
struct StartedSmoking {};
struct Exit {};

class Smoker : public rt::Behaviour {
 public:
  explicit Smoker(rt::Pid arbiter) : arbiter_(arbiter) {}

  void message(rt::Message& message) override {
    if (message.is<Exit>()) rt::exit(rt::ExitReason::normal());
    rt::send(arbiter_, StartedSmoking{});
    burn(random_, message.take<StartSmoking>().how_long);
  }

 private:
  rt::Pid arbiter_;
  R16 random_;
};

struct Tally {
  std::set<std::int64_t> used = {};
  std::int64_t sum = 0;
  std::int64_t weighed = 0;
  std::int64_t burnt = 0;
};

// The arbiter's body.
Tally arbitrate(std::int64_t rounds) {
  std::vector<rt::Pid> pids;
  for (std::int64_t i = 0; i < smokers; ++i)
    pids.push_back(rt::spawn_behaviour(std::make_unique<Smoker>(rt::self())));
  R16 random(static_cast<std::uint64_t>(rounds * smokers));
  Tally tally;
  for (std::int64_t round = 1; round <= rounds; ++round) {
    const std::int64_t smoker = random.mod(smokers);
    const std::int64_t how_long = random.mod(1000) + 10;
    tally.used.insert(smoker);
    tally.sum += smoker;
    tally.weighed += round * smoker;
    tally.burnt += how_long;
    rt::send(pids[static_cast<std::size_t>(smoker)], StartSmoking{how_long});
    rt::receive<StartedSmoking>();
  }
  for (const rt::Pid smoker : pids) rt::send(smoker, Exit{});
  return tally;
}

class CigaretteSmokers : public Program {
 public:
  explicit CigaretteSmokers(const Setting& setting) : rounds_(setting.pick(1'000, 100'000)) {}

  void run() override {
    rt::spawn([rounds = rounds_, main = rt::self()] { rt::send(main, arbitrate(rounds)); });
    tally_ = rt::receive<Tally>();
  }

  Outcome outcome() override {
    if (rounds_ == 1'000) {
      check(tally_.used.size() == 100 && tally_.sum == 102'328, "the smokers of the definition");
      check(tally_.weighed == 51'170'628 && tally_.burnt == 494'000, "each in his round");
    }
    return {.parameters = {{"R", as_double(rounds_)}, {"S", smokers}},
            .messages = 2 * rounds_ + smokers + 1,
            .processes = smokers + 1};
  }

 private:
  const std::int64_t rounds_;
  Tally tally_;
};

}  // namespace
}  // namespace cigarette_smokers

std::unique_ptr<Program> make_cigarette_smokers(const Setting& setting) {
  return std::make_unique<cigarette_smokers::CigaretteSmokers>(setting);
}

}  // namespace savina
