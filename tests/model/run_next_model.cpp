// run_next_model.cpp: an owner against impatient thieves, in every interleaving.
//
// Aim: that a task put into the run-next slot leaves it exactly once, and that whoever has it sees
// what its owner wrote before.
// Method: all interleavings of an owner who puts, displaces and takes with two impatient thieves.
// Each task's Cell is touched by whoever got it. Then with orders weakened, and with a slot whose
// owner takes in two steps.
#include "scheduler/run_next.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler {
namespace {

using model::Program;
using model::Weakness;

struct Task {
  model::Cell<int> taken{0};

  void run() { taken = taken + 1; }
};

template <class Slot>
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
  for (int thief = 0; thief < 2; ++thief) {
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

TEST(RunNextModel, a_task_leaves_exactly_once) {
  const model::Outcome outcome = explore(owner_against_thieves<RunNext<Task>>, {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RunNextModel, needs_each_of_its_orders) {
  const auto survives = [](Weakness weakness) {
    return explore(owner_against_thieves<RunNext<Task>>, {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::stores_do_not_release));
  EXPECT_FALSE(survives(Weakness::updates_do_not_release));
  EXPECT_FALSE(survives(Weakness::updates_do_not_acquire));
}

// Takes what it read a step before.
class TwoStepRunNext : public RunNext<Task> {
 public:
  Task* put(Task& task) {
    slot_.store(&task, std::memory_order_release);
    return nullptr;
  }
  Task* take() {
    Task* task = slot_.load(std::memory_order_relaxed);
    slot_.store(nullptr, std::memory_order_relaxed);
    return task;
  }
  Task* steal(Sighting&, std::int64_t, std::int64_t) {
    return slot_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  model::Atomic<Task*> slot_{nullptr};
};

TEST(RunNextModel, notices_a_slot_that_is_emptied_in_two_steps) {
  EXPECT_FALSE(explore(owner_against_thieves<TwoStepRunNext>).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler
