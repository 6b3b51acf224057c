// idle_model.cpp: wakers against schedulers on their way to bed, in every interleaving.
//
// Aim: I4: work that has become visible is found, though everybody is about to sleep.
// Method: schedulers that go to bed as the head of scheduler/idle.hpp says, against wakers who make
// work visible with a plain store and never do it themselves. A run in which work lies there and
// everybody sleeps is one in which nobody can go on. Then without the membarrier, with schedulers
// that ignore the last look, and with an idle set whose waker forgets that others relied on it.
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

enum class LastLook : std::uint8_t { obeyed, ignored };

template <class Idle, unsigned scheduler_count, unsigned work_count>
struct World {
  Idle idle{scheduler_count};
  std::array<base::Atomic<bool>, work_count> work;  // each in a queue of its own
  struct Bed {
    base::Atomic<bool> token{false};
  };
  std::array<Bed, scheduler_count> beds;
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
        const bool blocks = !must_look || last_look == LastLook::ignored || !anything_anywhere();
        if (blocks) park(id, alarms-- > 0);
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
