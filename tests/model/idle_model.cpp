// idle_model.cpp: wakers against schedulers on their way to bed, in every interleaving.
//
// Aim: I4: work that has become visible is found, though everybody is about to sleep.
// Method: schedulers that go to bed as the head of scheduler/idle.hpp says, against wakers who make
// work visible with a plain store and never do it themselves. A run in which work lies there and
// everybody sleeps is one in which nobody can go on. Then without the membarrier, with schedulers
// that ignore the last look, and with an idle set whose waker forgets that others relied on it.
// Last, work of one who is awake, beside which a scheduler goes to bed if turns end there: it is
// found if no turn has begun since. What is left to the monitor is lost here, where there is none.
#include "scheduler/idle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>

#include "tests/model/blocking.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::idle_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;
using model::Weakness;

enum class LastLook : std::uint8_t { obeyed, ignored, at_turns };

template <class Idle, unsigned scheduler_count, unsigned work_count>
struct World {
  Idle idle{scheduler_count};
  std::array<base::Atomic<bool>, work_count> work;  // each in a queue of its own
  struct Bed {
    base::Atomic<bool> token{false};
  };
  std::array<Bed, scheduler_count> beds;
  base::Atomic<unsigned> turns{0};  // begun by the one who is awake
  unsigned work_done = 0;
  LastLook last_look = LastLook::obeyed;

  void wake() {
    const std::optional<unsigned> id = idle.pick_to_wake();
    // Everything is released at the end, so only one who sleeps may be unparked for work.
    if (id) beds[*id].token.exchange(true, std::memory_order_release);
  }

  // Makes work visible, as a push to the own run queue does.
  void offer(unsigned which) {
    work[which].store(true, std::memory_order_release);
    wake();
  }

  bool anything_anywhere() {
    for (auto& each : work) {
      if (each.load(std::memory_order_acquire)) return true;
    }
    return false;
  }
  // Pool::does_anything_stand.
  bool does_anything_stand() {
    if (!anything_anywhere()) return false;
    const unsigned before = turns.load(std::memory_order_relaxed);
    return anything_anywhere() && turns.load(std::memory_order_relaxed) == before;
  }
  bool may_block() {
    switch (last_look) {
      case LastLook::obeyed:
        return !anything_anywhere();
      case LastLook::ignored:
        return true;
      case LastLook::at_turns:
        return !does_anything_stand();
    }
    return true;
  }
  void begin_turn() {
    turns.store(turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  bool find_and_do() {
    for (auto& each : work) {
      if (!each.load(std::memory_order_acquire)) continue;
      if (!each.exchange(false, std::memory_order_acquire)) continue;
      ++work_done;
      return true;
    }
    return false;
  }

  // Sleeps until unparked; once everything is done all may leave. `alarm`: wakes by itself, too.
  void park(unsigned id, bool alarm) {
    auto& token = beds[id].token;
    if (!alarm) model::wait_until([&] { return token.peek() || work_done == work_count; });
    if (token.load(std::memory_order_acquire)) token.exchange(false, std::memory_order_acquire);
  }

  void run_scheduler(unsigned id, int alarms) {
    bool searching = idle.try_search();
    while (work_done < work_count) {
      if (searching && find_and_do()) {
        idle.stop_searching();
        wake();
        searching = false;
      } else {
        const bool must_look = idle.sleep(id, searching);
        if (!must_look || may_block()) park(id, alarms-- > 0);
        searching = !idle.cancel_sleep(id);
      }
      if (!searching) searching = idle.try_search();
    }
    // Whoever leaves as the searcher lets the others know; here there is nothing left to find.
    if (searching) idle.stop_searching();
  }
};

// Wakers and schedulers; the first scheduler also wakes once by itself when `alarms` is 1.
template <class Idle, unsigned schedulers, unsigned wakers>
auto wakers_against_sleepers(int alarms = 0, LastLook last_look = LastLook::obeyed) {
  return [=](Program& program) {
    auto world = std::make_shared<World<Idle, schedulers, wakers>>();
    world->last_look = last_look;
    for (unsigned w = 0; w < wakers; ++w) program.thread([world, w] { world->offer(w); });
    for (unsigned s = 0; s < schedulers; ++s) {
      program.thread([=] { world->run_scheduler(s, s == 0 ? alarms : 0); });
    }
  };
}

TEST(IdleModel, one_waker_is_heard_by_one_of_two_sleepers) {
  const Outcome outcome = explore(wakers_against_sleepers<IdleSet, 2, 1>(), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(IdleModel, two_wakers_are_heard_by_one_sleeper) {
  const Outcome outcome = explore(wakers_against_sleepers<IdleSet, 1, 2>(), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(IdleModel, two_wakers_are_heard_by_two_sleepers) {
  const Outcome outcome = explore(wakers_against_sleepers<IdleSet, 2, 2>(), {.preemptions = 2});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(IdleModel, sleepers_who_wake_by_themselves_confuse_nobody) {
  const Outcome outcome = explore(wakers_against_sleepers<IdleSet, 2, 1>(1), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

// One who is awake makes work in a turn, and a scheduler that goes to bed.
template <class Afterwards>
Outcome beside_one_awake(Afterwards afterwards) {
  return explore(
      [afterwards](Program& program) {
        auto world = std::make_shared<World<IdleSet, 1, 1>>();
        world->last_look = LastLook::at_turns;
        program.thread([world, afterwards] {
          world->begin_turn();
          world->offer(0);
          afterwards(*world);
        });
        program.thread([world] { world->run_scheduler(0, 0); });
      },
      {.preemptions = 3});
}

TEST(IdleModel, what_is_made_in_a_turn_that_never_ends_is_found) {
  const Outcome outcome = beside_one_awake([](auto& /*world*/) {});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(IdleModel, what_one_who_is_awake_comes_to_is_left_to_it) {
  const Outcome outcome = beside_one_awake([](auto& world) {
    world.begin_turn();
    world.find_and_do();
  });
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(IdleModel, what_stands_behind_a_later_turn_needs_the_monitor) {
  EXPECT_FALSE(beside_one_awake([](auto& world) { world.begin_turn(); }).passed);
}

TEST(IdleModel, needs_its_fence) {
  EXPECT_FALSE(
      explore(wakers_against_sleepers<IdleSet, 1, 1>(), {.weakness = Weakness::no_membarrier})
          .passed);
}

TEST(IdleModel, notices_a_scheduler_that_does_not_look_once_more) {
  EXPECT_FALSE(explore(wakers_against_sleepers<IdleSet, 1, 1>(0, LastLook::ignored)).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::idle_model
