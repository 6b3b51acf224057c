// tenure_model.cpp: a thread against the monitor that robs it, in every interleaving.
//
// Aim: that a scheduler never has two owners, that a thread inside the runtime is never robbed, and
// that the next owner sees the scheduler as the last one left it.
// Method: a thread that enters and leaves twice against a monitor that tries to take twice; the
// scheduler is a Cell that each owner touches. Then without the membarrier, without the orders that
// hand the scheduler over, and with a monitor that looks before it asks.
#include "scheduler/tenure.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::tenure_model {
namespace {

using model::Outcome;
using model::Program;
using model::Weakness;

struct Scheduler {
  model::Cell<int> state{0};
  int owners = 0;  // at this moment

  void touch() {
    model::check(++owners == 1, "two owners at once");
    state = state + 1;
    model::pause();
    --owners;
  }
};

using ModelTenure = BasicTenure<model::Mutex>;

template <class Tenure>
struct State {
  base::Quiescence quiescence;
  Tenure tenure;
  Scheduler schedulers[2];
  int losses_seen = 0;
  int takes = 0;
};

// The thread drives a scheduler; after a loss it goes on without one.
template <class Tenure>
void thread_against_monitor(Program& program) {
  auto state = std::make_shared<State<Tenure>>();
  program.thread([state] {
    for (int round = 0; round < 3; ++round) {
      if (state->tenure.enter(state->quiescence) == Held::kept) {
        model::check(state->losses_seen == 0, "a loss was forgotten");
        state->schedulers[0].touch();
      } else {
        state->losses_seen = 1;
      }
      state->tenure.leave();
    }
  });
  program.thread([state] {
    for (int round = 0; round < 2; ++round) {
      if (!state->tenure.try_take()) continue;
      ++state->takes;
      state->schedulers[0].touch();
    }
  });
  program.finally([state] {
    model::check(state->takes <= 1, "taken twice");
    model::check(state->takes >= state->losses_seen, "a loss without a take");
  });
}

// After a loss the thread gets another scheduler, which may be taken as well.
void thread_that_rejoins(Program& program) {
  auto state = std::make_shared<State<ModelTenure>>();
  program.thread([state] {
    for (int round = 0; round < 3; ++round) {
      if (state->tenure.enter(state->quiescence) == Held::taken) {
        if (state->losses_seen++ == 0) state->tenure.rejoin();
      }
      if (state->losses_seen < 2) state->schedulers[state->losses_seen].touch();
      state->tenure.leave();
    }
  });
  program.thread([state] {
    for (int round = 0; round < 2; ++round) {
      if (state->tenure.try_take()) state->schedulers[state->takes++].touch();
    }
  });
}

TEST(TenureModel, a_scheduler_never_has_two_owners) {
  const Outcome outcome = explore(thread_against_monitor<ModelTenure>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(TenureModel, a_thread_that_rejoins_can_be_robbed_again) {
  const Outcome outcome = explore(thread_that_rejoins, {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

// It binds itself in its first stay and undoes that in its second, if it comes to that.
template <class Tenure>
void thread_that_is_bound(Program& program) {
  auto state = std::make_shared<State<Tenure>>();
  program.thread([state] {
    if (state->tenure.enter(state->quiescence) == Held::kept) {
      state->tenure.bind();
      state->tenure.leave();
      model::check(state->tenure.enter(state->quiescence) == Held::kept, "robbed while bound");
      state->tenure.unbind();
    }
    state->tenure.leave();
  });
  program.thread([state] {
    for (int round = 0; round < 2; ++round) static_cast<void>(state->tenure.try_take());
  });
}

TEST(TenureModel, a_thread_that_is_bound_is_not_robbed) {
  const Outcome outcome = explore(thread_that_is_bound<ModelTenure>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

// Its monitor looks at the bonds before it asks.
class LooseTenure {
 public:
  Held enter(base::Quiescence& quiescence) { return tenure_.enter(quiescence); }
  void leave() { tenure_.leave(); }
  void bind() { is_bound_.store(true, std::memory_order_relaxed); }
  void unbind() { is_bound_.store(false, std::memory_order_relaxed); }
  bool try_take() { return !is_bound_.load(std::memory_order_relaxed) && tenure_.try_take(); }

 private:
  ModelTenure tenure_;
  base::Atomic<bool> is_bound_{false};
};

TEST(TenureModel, notices_a_monitor_that_looks_at_the_bonds_before_it_asks) {
  EXPECT_FALSE(explore(thread_that_is_bound<LooseTenure>).passed);
}

TEST(TenureModel, needs_its_fence_and_the_orders_that_hand_the_scheduler_over) {
  const auto survives = [](Weakness weakness) {
    return explore(thread_against_monitor<ModelTenure>, {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::no_membarrier));
  EXPECT_FALSE(survives(Weakness::stores_do_not_release));
  EXPECT_FALSE(survives(Weakness::loads_do_not_acquire));
}

// Its monitor looks where the thread is before it asks.
class HastyTenure {
 public:
  Held enter(base::Quiescence& quiescence) {
    quiescence.enter(place_);
    return taken_.load(std::memory_order_acquire) ? Held::taken : Held::kept;
  }
  void leave() { base::Quiescence::leave(place_); }
  bool try_take() {
    if (taken_.load(std::memory_order_relaxed)) return false;
    if (place_.epoch.load(std::memory_order_acquire) != 0) return false;
    taken_.store(true, std::memory_order_release);
    base::heavy_fence();
    return true;
  }

 private:
  base::Announcement place_;
  base::Atomic<bool> taken_{false};
};

TEST(TenureModel, notices_a_monitor_that_looks_before_it_asks) {
  EXPECT_FALSE(explore(thread_against_monitor<HastyTenure>).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::tenure_model
