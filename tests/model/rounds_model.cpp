// rounds_model.cpp: who gets up against who goes round for the last time, in every interleaving.
//
// Aim: that whoever is up is looked after, though the one who goes round is about to end.
// Method: threads that make somebody visible as up and go round when they owe that; a round looks
// after whom it sees. At the end nobody may be up. Then without the fences, and with a walk that
// ends without having looked once more.
#include "runtime/rounds.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>

#include "tests/model/explorer.hpp"

namespace airssys::rt::runtime::rounds_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;

template <class Rounds, std::size_t count>
struct World {
  Rounds rounds;
  std::array<base::Atomic<bool>, count> up{};

  void get_up(std::size_t who) {
    up[who].store(true, std::memory_order_relaxed);
    if (rounds.is_up()) go_round();
  }
  void go_round() {
    typename Rounds::Walk walk(rounds);
    bool found = false;
    do {
      walk.begin_round();
      found = false;
      for (auto& each : up) {
        if (!each.load(std::memory_order_relaxed)) continue;
        each.store(false, std::memory_order_relaxed);
        found = true;
      }
    } while (walk.goes_on(found));
  }
};

// Each gets up `times`; the second time maybe after it has been looked after.
template <class Rounds, std::size_t count, int times>
void up_against_last_round(Program& program) {
  auto world = std::make_shared<World<Rounds, count>>();
  for (std::size_t who = 0; who < count; ++who) {
    program.thread([world, who] {
      for (int i = 0; i < times; ++i) world->get_up(who);
    });
  }
  program.finally([world] {
    for (auto& each : world->up)
      model::check(!each.load(std::memory_order_relaxed), "somebody is up, and nobody goes round");
  });
}

TEST(RoundsModel, whoever_is_up_is_looked_after) {
  const Outcome outcome = explore(up_against_last_round<Rounds, 2, 1>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RoundsModel, so_is_who_gets_up_again) {
  const Outcome outcome = explore(up_against_last_round<Rounds, 2, 2>);
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RoundsModel, so_is_each_of_three) {
  const Outcome outcome = explore(up_against_last_round<Rounds, 3, 1>);
  EXPECT_TRUE(outcome) << outcome.report;
}

// `has_fences`: the real protocol. `looks_again`: false, it is over with the first quiet round.
template <bool has_fences, bool looks_again>
class WrongRounds {
 public:
  class Walk {
   public:
    explicit Walk(WrongRounds& rounds) : rounds_(rounds) {}
    void begin_round() {
      if (!was_quiet_ || !looks_again) return;
      is_last_ = true;
      rounds_.is_over_.store(true, std::memory_order_relaxed);
      if (has_fences) base::atomic_fence(std::memory_order_seq_cst);
    }
    bool goes_on(bool found) {
      was_quiet_ = !found;
      if (!looks_again && was_quiet_) rounds_.is_over_.store(true, std::memory_order_relaxed);
      if (!is_last_) return looks_again || !was_quiet_;
      is_last_ = false;
      return !was_quiet_ && rounds_.is_over_.exchange(false, std::memory_order_relaxed);
    }

   private:
    WrongRounds& rounds_;
    bool was_quiet_ = false;
    bool is_last_ = false;
  };

  bool is_up() {
    if (has_fences) base::atomic_fence(std::memory_order_seq_cst);
    return is_over_.load(std::memory_order_relaxed) &&
           is_over_.exchange(false, std::memory_order_relaxed);
  }

 private:
  base::Atomic<bool> is_over_{true};
};

TEST(RoundsModel, needs_its_fences) {
  EXPECT_TRUE(explore(up_against_last_round<WrongRounds<true, true>, 2, 1>).passed);
  EXPECT_FALSE(explore(up_against_last_round<WrongRounds<false, true>, 2, 1>).passed);
}

TEST(RoundsModel, notices_a_walk_that_does_not_look_once_more) {
  EXPECT_FALSE(explore(up_against_last_round<WrongRounds<true, false>, 2, 1>).passed);
}

}  // namespace
}  // namespace airssys::rt::runtime::rounds_model
