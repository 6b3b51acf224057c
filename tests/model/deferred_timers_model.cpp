// deferred_timers_model.cpp: a driver's row of time-outs against who cancels from elsewhere, in
// every interleaving.
//
// Aim: that each entry ends once, fired or taken back, and that nobody touches it afterwards: it
// lies on a stack that may be gone then.
// Method: a driver adds, takes back, arms all and fires, while the process of one entry goes on
// elsewhere and cancels it; the entries' fields are Cells, which who is through with an entry
// writes to. Then the same without the wheel's mutex.
#include "scheduler/deferred_timers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>

#include "tests/model/blocking.hpp"
#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::scheduler::deferred_timers_model {
namespace {

using model::Program;

struct Entry {
  model::Cell<std::int64_t> due_ns{0};
  model::Cell<std::size_t> place{0};
  model::Cell<bool> is_armed{false};
  model::Cell<int> fired{0};

  // Its process goes on.
  void leave(bool was_pending) {
    model::check(fired == (was_pending ? 0 : 1), "fired and taken back, or neither");
    due_ns = -1;
    is_armed = false;
  }
};

struct NoMutex {
  void lock() {}
  void unlock() {}
};

// As far as it matters here: what is armed fires at the next look.
template <class Mutex>
class Wheel {
 public:
  static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

  bool cancel(Entry& entry) {
    const std::lock_guard lock(mutex_);
    return cancel_locked(entry);
  }
  bool cancel_locked(Entry& entry) {
    if (!entry.is_armed) return false;
    entry.is_armed = false;
    forget(entry);
    return true;
  }
  bool arm_locked(Entry& entry, std::int64_t due_ns) {
    model::check(due_ns > 0, "an entry is armed that its process has left");
    entry.is_armed = true;
    armed_[count_++] = &entry;
    return false;
  }
  void fire() {
    const std::lock_guard lock(mutex_);
    while (count_ > 0) {
      Entry& entry = *armed_[--count_];
      entry.is_armed = false;
      entry.fired = entry.fired + 1;
    }
  }

  Mutex mutex_;

 private:
  void forget(const Entry& entry) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (armed_[i] == &entry) armed_[i] = armed_[--count_];
    }
  }

  std::array<Entry*, 4> armed_{};
  std::size_t count_ = 0;
};

template <class Mutex>
using Row = BasicDeferredTimers<Wheel<Mutex>, Entry, 2>;

template <class Mutex>
void driver_against_a_process_that_went_elsewhere(Program& program) {
  struct State {
    Wheel<Mutex> wheel;
    Row<Mutex> row{wheel};
    std::array<Entry, 3> entries;
    model::Atomic<bool> is_woken{false};
  };
  auto state = std::make_shared<State>();
  program.thread([state] {
    state->row.add(state->entries[0], 5);
    state->is_woken.store(true, std::memory_order_release);  // release: as its wake
    state->row.add(state->entries[1], 5);
    state->entries[1].leave(state->row.take_back(state->entries[1]));
    state->row.add(state->entries[2], 5);
    state->row.add(state->entries[1], 5);  // the row is full
    state->wheel.fire();
    state->entries[1].fired = 0;
    state->entries[1].leave(state->row.take_back(state->entries[1]));
  });
  program.thread([state] {
    // acquire: as who runs it next.
    model::wait_until([&] { return state->is_woken.peek(); });
    model::check(state->is_woken.load(std::memory_order_acquire), "its wake");
    state->entries[0].leave(state->row.cancel(state->entries[0]));
  });
}

TEST(DeferredTimersModel, each_entry_ends_once_and_is_left_alone_then) {
  const model::Outcome outcome =
      explore(driver_against_a_process_that_went_elsewhere<model::Mutex>, {.preemptions = 4});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(DeferredTimersModel, without_the_mutex_an_entry_is_armed_that_its_process_has_left) {
  EXPECT_FALSE(explore(driver_against_a_process_that_went_elsewhere<NoMutex>).passed);
}

}  // namespace
}  // namespace airssys::rt::scheduler::deferred_timers_model
