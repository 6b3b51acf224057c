// run_next_model.cpp: an owner against impatient thieves, in every interleaving.
//
// Aim: that a task put into the run-next slot leaves it exactly once, and that whoever has it sees
// what its owner wrote before; also when it is put once more before its owner knows of a theft.
// Method: all interleavings of an owner who puts, displaces and takes with two impatient thieves.
// Each task's Cell is touched by whoever got it. Then without the membarrier, with orders weakened,
// with a thief that looks before it asks, and with an owner that trusts its memory.
#include "scheduler/run_next.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::run_next_model {
namespace {

using model::Program;
using model::Weakness;

struct Task {
  model::Cell<int> taken{0};

  void run() { taken = taken + 1; }
};

template <class Slot, int thieves = 1>
void owner_against_thieves(Program& program) {
  struct State {
    Slot slot;
    Task tasks[3];
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    for (Task& task : state->tasks) {
      task.taken = 0;  // the owner's write, which a thief has to see
      if (Task* displaced = state->slot.put(task)) displaced->run();
      if (&task == &state->tasks[1]) continue;  // so that the next put may displace
      if (Task* next = state->slot.take()) next->run();
    }
  });
  for (int thief = 0; thief < thieves; ++thief) {
    program.thread([state] {
      typename Slot::Sighting sighting;
      for (std::int64_t now = 0; now < 2; ++now) {
        if (Task* task = state->slot.steal(sighting, now, 0)) task->run();
      }
    });
  }
  program.finally([state] {
    if (Task* left = state->slot.take()) left->run();
    for (Task& task : state->tasks) model::check(task.taken == 1, "a task was lost or ran twice");
  });
}

// A thief runs what it has stolen and makes it runnable: its owner puts it where it seems to stand.
template <class Slot>
void owner_who_puts_the_stolen_task_again(Program& program) {
  struct State {
    Slot slot;
    Task task;
    int puts = 0;
    model::Atomic<bool> is_runnable{true};
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    for (int look = 0; look < 2; ++look) {
      // acquire: what who ran it has written. relaxed: nobody else has the task.
      if (!state->is_runnable.load(std::memory_order_acquire)) continue;
      state->is_runnable.store(false, std::memory_order_relaxed);
      ++state->puts;
      if (Task* displaced = state->slot.put(state->task)) displaced->run();
    }
    if (Task* next = state->slot.take()) next->run();
  });
  program.thread([state] {
    typename Slot::Sighting sighting;
    for (std::int64_t now = 0; now < 4; ++now) {
      Task* task = state->slot.steal(sighting, now, 0);
      if (!task) continue;
      task->run();
      state->is_runnable.store(true, std::memory_order_release);  // release: pairs with the owner's
    }
  });
  program.finally([state] {
    if (Task* left = state->slot.take()) left->run();
    model::check(state->task.taken == state->puts, "a task was lost or ran twice");
  });
}

using ModelRunNext = RunNext<Task, model::Mutex, 1>;

// After a theft. The owner's first take out of the open ends that, unless another theft goes on.
template <int thieves>
void owner_in_the_open_against_thieves(Program& program) {
  struct State {
    ModelRunNext slot;
    Task stolen;
    Task tasks[3];
  };
  auto state = std::make_shared<State>();
  ModelRunNext::Sighting before;
  static_cast<void>(state->slot.put(state->stolen));
  for (std::int64_t now = 0; now < 2; ++now) static_cast<void>(state->slot.steal(before, now, 0));
  program.thread([state] {
    for (Task& task : state->tasks) {
      task.taken = 0;
      if (Task* displaced = state->slot.put(task)) displaced->run();
      if (&task == &state->tasks[0]) continue;
      if (Task* next = state->slot.take()) next->run();
    }
  });
  for (int thief = 0; thief < thieves; ++thief) {
    program.thread([state, sighting = before]() mutable {
      for (std::int64_t now = 2; now < 4; ++now) {
        if (Task* task = state->slot.steal(sighting, now, 0)) task->run();
      }
    });
  }
  program.finally([state] {
    if (Task* left = state->slot.take()) left->run();
    for (Task& task : state->tasks) model::check(task.taken == 1, "a task was lost or ran twice");
  });
}

TEST(RunNextModel, a_task_leaves_exactly_once) {
  const model::Outcome one = explore(owner_against_thieves<ModelRunNext>, {.preemptions = 4});
  EXPECT_TRUE(one) << one.report;
  const model::Outcome two = explore(owner_against_thieves<ModelRunNext, 2>, {.preemptions = 2});
  EXPECT_TRUE(two) << two.report;
}

TEST(RunNextModel, a_task_in_the_open_leaves_exactly_once) {
  const model::Outcome one = explore(owner_in_the_open_against_thieves<1>, {.preemptions = 4});
  EXPECT_TRUE(one) << one.report;
  const model::Outcome two = explore(owner_in_the_open_against_thieves<2>, {.preemptions = 2});
  EXPECT_TRUE(two) << two.report;
}

TEST(RunNextModel, in_the_open_needs_the_orders_that_hand_the_task_over) {
  const auto survives = [](Weakness weakness) {
    return explore(owner_in_the_open_against_thieves<1>, {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::updates_do_not_release));
  EXPECT_FALSE(survives(Weakness::updates_do_not_acquire));
}

TEST(RunNextModel, a_stolen_task_that_is_put_again_leaves_once_more) {
  const model::Outcome outcome =
      explore(owner_who_puts_the_stolen_task_again<ModelRunNext>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

// Takes what it has put and not yet taken for what still stands there.
class TrustingRunNext : public ModelRunNext {
 public:
  Task* put(Task& task) {
    return std::exchange(standing_, &task) == &task ? nullptr : ModelRunNext::put(task);
  }
  Task* take() {
    standing_ = nullptr;
    return ModelRunNext::take();
  }

 private:
  Task* standing_ = nullptr;
};

TEST(RunNextModel, notices_an_owner_that_takes_the_stolen_task_for_still_there) {
  EXPECT_FALSE(explore(owner_who_puts_the_stolen_task_again<TrustingRunNext>).passed);
}

TEST(RunNextModel, needs_its_fence_and_the_order_that_hands_the_task_over) {
  const auto survives = [](Weakness weakness) {
    return explore(owner_against_thieves<ModelRunNext>, {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::no_membarrier));
  EXPECT_FALSE(survives(Weakness::stores_do_not_release));
  EXPECT_FALSE(survives(Weakness::loads_do_not_acquire));
}

// Its thief looks what is there before it asks.
class HastyRunNext {
 public:
  using Sighting = ModelRunNext::Sighting;

  Task* put(Task& task) { return change_to(&task); }
  Task* take() { return change_to(nullptr); }
  Task* steal(Sighting& /*sighting*/, std::int64_t /*now*/, std::int64_t /*patience*/) {
    Task* task = slot_.load(std::memory_order_acquire);
    if (task == nullptr || is_stolen_.load(std::memory_order_relaxed)) return nullptr;
    is_stolen_.store(true, std::memory_order_relaxed);
    base::heavy_fence();
    return task;
  }

 private:
  Task* change_to(Task* task) {
    Task* before = slot_.load(std::memory_order_relaxed);
    slot_.store(task, std::memory_order_release);
    if (before == nullptr || !is_stolen_.load(std::memory_order_relaxed)) return before;
    is_stolen_.store(false, std::memory_order_relaxed);
    return nullptr;
  }

  model::Atomic<Task*> slot_{nullptr};
  model::Atomic<bool> is_stolen_{false};
};

TEST(RunNextModel, notices_a_thief_that_looks_before_it_asks) {
  EXPECT_FALSE(explore(owner_against_thieves<HastyRunNext>).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::run_next_model
