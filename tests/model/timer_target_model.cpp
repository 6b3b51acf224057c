// timer_target_model.cpp: makers of timers against the end of their target, in every interleaving.
//
// Aim: that no timer is left when all are through, and none is taken back twice.
// Method: two makers, of whom the second may find the mark of the first, and an end; each timer is
// in a table of its own with a mutex, as on two schedulers. Then an end that looks at the mark
// before it says that it exits, a maker that looks before it marks, and stores that do not come out
// in time.
#include "runtime/timer_target.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <mutex>

#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::runtime::timer_target_model {
namespace {

using model::Program;

struct Table {
  model::Mutex mutex;
  model::Cell<bool> has_timer{false};
  model::Cell<int> taken_back{0};

  void create() {
    const std::lock_guard lock(mutex);
    has_timer = true;
  }
  void cancel() {
    const std::lock_guard lock(mutex);
    if (!has_timer) return;
    has_timer = false;
    taken_back = taken_back + 1;
  }
};

struct State {
  base::Atomic<bool> is_timer_target{false};
  base::Atomic<bool> is_exiting{false};
  std::array<Table, 2> tables;
};

struct Real {
  static void make(State& state, Table& table) {
    table.create();
    if (aims_too_late(state)) table.cancel();
  }
  static void end(State& state) {
    state.is_exiting.store(true, std::memory_order_seq_cst);  // seq_cst: as name_registry.cpp's
    if (!is_aimed_at(state)) return;
    for (Table& table : state.tables) table.cancel();
  }
};

struct EndLooksTooEarly : Real {
  static void end(State& state) {
    const bool is_aimed = is_aimed_at(state);
    state.is_exiting.store(true, std::memory_order_seq_cst);
    if (!is_aimed) return;
    for (Table& table : state.tables) table.cancel();
  }
};

struct MakerLooksTooEarly : Real {
  static void make(State& state, Table& table) {
    const bool is_late = aims_too_late(state);
    table.create();
    if (is_late) table.cancel();
  }
};

// relaxed: both marks may stay hidden while their threads look at the other's.
struct HiddenMarks : Real {
  static void make(State& state, Table& table) {
    table.create();
    state.is_timer_target.store(true, std::memory_order_relaxed);
    if (state.is_exiting.load(std::memory_order_relaxed)) table.cancel();
  }
  static void end(State& state) {
    state.is_exiting.store(true, std::memory_order_relaxed);
    if (!is_aimed_at(state)) return;
    for (Table& table : state.tables) table.cancel();
  }
};

template <class Ways>
void makers_against_the_end(Program& program) {
  auto state = std::make_shared<State>();
  for (Table& table : state->tables) program.thread([state, &table] { Ways::make(*state, table); });
  program.thread([state] { Ways::end(*state); });
  program.finally([state] {
    for (const Table& table : state->tables) {
      model::check(!table.has_timer, "a timer outlives its target");
      model::check(table.taken_back == 1, "a timer was taken back twice");
    }
  });
}

TEST(TimerTargetModel, no_timer_outlives_its_target) {
  const model::Outcome outcome = explore(makers_against_the_end<Real>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(TimerTargetModel, notices_who_looks_too_early_or_hides_its_mark) {
  EXPECT_FALSE(explore(makers_against_the_end<EndLooksTooEarly>).passed);
  EXPECT_FALSE(explore(makers_against_the_end<MakerLooksTooEarly>).passed);
  EXPECT_FALSE(explore(makers_against_the_end<HiddenMarks>).passed);
}

}  // namespace
}  // namespace airssys::rt::runtime::timer_target_model
