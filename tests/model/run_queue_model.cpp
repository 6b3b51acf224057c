// run_queue_model.cpp: an owner against thieves on a ring of four, in every interleaving.
//
// Aim: that each task pushed is taken exactly once, in order as seen by each taker, by someone who
// sees what its owner wrote; also when the ring is full, when it wraps, and when thieves race.
// Method: queues of four slots; an owner that pushes more than fits and pops, and one or two
// thieves with queues of their own. Each task's Cell is touched by whoever got it. Then with orders
// weakened, and with a queue whose thieves move the head without comparing.
#include "scheduler/run_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::run_queue_model {
namespace {

using model::Outcome;
using model::Program;
using model::Weakness;

struct Task {
  model::Cell<int> taken{0};
  int number = 0;
};

// Who takes tasks, and checks that they come in the order they were pushed.
struct Taker {
  int last = 0;

  void run(Task* task) {
    if (task == nullptr) return;
    task->taken = task->taken + 1;
    model::check(task->number > last, "tasks changed places");
    last = task->number;
  }
};

template <int task_count>
struct Tasks {
  std::array<Task, task_count> tasks;

  Tasks() {
    for (int i = 0; i < task_count; ++i) tasks[static_cast<std::size_t>(i)].number = i + 1;
  }
  void check_all_taken_once() {
    for (Task& task : tasks) model::check(task.taken == 1, "a task was lost or ran twice");
  }
};

// Two ways to steal: half of the queue into an empty one; some of it, beside work of one's own.
template <class Queue>
void steal_half(Queue& victim, Queue& mine, Taker& thief) {
  thief.run(victim.steal_into(mine));
  while (Task* task = mine.pop()) thief.run(task);
}
template <class Queue>
void take_some(Queue& victim, Queue& /*mine*/, Taker& thief) {
  std::array<Task*, Queue::batch_max> batch{};
  const std::uint32_t taken = victim.take(batch);
  for (std::uint32_t i = 0; i < taken; ++i) thief.run(batch[i]);
}

// An owner that pushes all, making room where there is none, and pops some; each thief steals and
// runs what it gets, some times.
template <class Queue, int task_count, int thief_count, int rounds, auto steal = steal_half<Queue>>
void owner_against_thieves(Program& program) {
  struct State : Tasks<task_count> {
    Queue queue;
    std::array<Queue, thief_count> stolen;
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    Taker owner;
    for (Task& task : state->tasks) {
      task.taken = 0;  // the owner's write, which a thief has to see
      if (state->queue.push(task)) continue;
      owner.run(state->queue.pop());
      model::check(state->queue.push(task), "no room after one was taken");
    }
    owner.run(state->queue.pop());
    owner.run(state->queue.pop());
  });
  for (std::size_t i = 0; i < thief_count; ++i) {
    program.thread([state, i] {
      Taker thief;
      for (int round = 0; round < rounds; ++round) steal(state->queue, state->stolen[i], thief);
    });
  }
  program.finally([state] {
    Taker rest;
    while (Task* task = state->queue.pop()) rest.run(task);
    state->check_all_taken_once();
  });
}

// A thief that is robbed in its turn: what it has stolen lies in a queue that others steal from.
template <class Queue>
void thief_of_a_thief(Program& program) {
  struct State : Tasks<4> {
    Queue queue, stolen, stolen_again;
  };
  auto state = std::make_shared<State>();
  for (Task& task : state->tasks) model::check(state->queue.push(task), "full");
  program.thread([state] {
    Taker owner;
    while (Task* task = state->queue.pop()) owner.run(task);
  });
  program.thread([state] {
    Taker thief;
    thief.run(state->queue.steal_into(state->stolen));
    while (Task* task = state->stolen.pop()) thief.run(task);
  });
  program.thread([state] {
    Taker thief;
    thief.run(state->stolen.steal_into(state->stolen_again));
    while (Task* task = state->stolen_again.pop()) thief.run(task);
  });
  program.finally([state] { state->check_all_taken_once(); });
}

using SmallQueue = RunQueue<Task, 4>;

TEST(RunQueueModel, one_thief_and_an_owner_take_each_task_once) {
  const Outcome outcome =
      explore(owner_against_thieves<SmallQueue, 6, 1, 2>, {.preemptions = 4, .delayed_stores = 1});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RunQueueModel, one_that_takes_some_and_an_owner_take_each_task_once) {
  const Outcome outcome = explore(owner_against_thieves<SmallQueue, 6, 1, 2, take_some<SmallQueue>>,
                                  {.preemptions = 4, .delayed_stores = 1});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RunQueueModel, two_thieves_and_an_owner_take_each_task_once) {
  const Outcome outcome =
      explore(owner_against_thieves<SmallQueue, 4, 2, 1>, {.preemptions = 3, .delayed_stores = 1});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(RunQueueModel, what_was_stolen_can_be_stolen_again) {
  const Outcome outcome =
      explore(thief_of_a_thief<SmallQueue>, {.preemptions = 3, .delayed_stores = 1});
  EXPECT_TRUE(outcome) << outcome.report;
}

// The release of head_ is not here: what it orders, slots and tail_, are atomics, whose values the
// explorer does not let arrive out of order.
TEST(RunQueueModel, needs_the_orders_that_hand_tasks_over) {
  const auto survives = [](Weakness weakness) {
    return explore(owner_against_thieves<SmallQueue, 3, 1, 1>, {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::stores_do_not_release));
  EXPECT_FALSE(survives(Weakness::loads_do_not_acquire));
}

// Its thieves move the head to where they have copied, without asking whether it stood still.
class RashQueue {
 public:
  bool push(Task& task) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == 4) return false;
    slots_[tail % 4].store(&task, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  Task* pop() {
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    Task* task = slots_[head % 4].load(std::memory_order_relaxed);
    head_.store(head + 1, std::memory_order_release);
    return task;
  }
  Task* steal_into(RashQueue&) { return pop(); }

 private:
  model::Atomic<std::uint32_t> head_{0};
  model::Atomic<std::uint32_t> tail_{0};
  std::array<model::Atomic<Task*>, 4> slots_;
};

TEST(RunQueueModel, notices_a_thief_that_does_not_compare) {
  EXPECT_FALSE(explore(owner_against_thieves<RashQueue, 3, 1, 1>).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::run_queue_model
