// quiescence_model.cpp: look-ups against the reuse of a slot, in every interleaving.
//
// Aim: that memory which was looked up without a lock is not used again while somebody may still
// look at it (I6), and that a grace period ends once nobody does.
// Method: readers who look up a table slot between enter and leave, against an owner who empties
// the slot, waits for the grace period and uses the memory for something else. What is looked at is
// a Cell, so a look and a reuse that nothing orders fail. Then without the membarrier, with weaker
// orders, and with an owner who does not wait.
#include "base/quiescence.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/model/cell.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::base::quiescence_model {
namespace {

using model::explore;
using model::Outcome;
using model::Program;
using model::Weakness;

struct Entry {
  model::Cell<int> owner{1};
};

struct Table {
  Entry entry;
  Atomic<Entry*> slot{&entry};
  Quiescence quiescence;
  Announcement readers[2];

  void look_up(Announcement& reader) {
    quiescence.enter(reader);
    // acquire: the entry as it was published.
    if (Entry* found = slot.load(std::memory_order_acquire)) {
      const int before = found->owner;
      model::pause();
      model::check(found->owner == before, "used again under a reader's eyes");
    }
    Quiescence::leave(reader);
  }

  void use_again(int owner) {
    entry.owner = owner;
    // release: publishes it.
    slot.store(&entry, std::memory_order_release);
  }

  Quiescence::Stamp empty_the_slot() {
    // release: no more than an ordinary unlinking does.
    slot.store(nullptr, std::memory_order_release);
    return quiescence.retire();
  }
};

enum class Owner : std::uint8_t { waits, does_not_wait };

template <int reader_count, int look_ups, int reuses>
auto readers_against_owner(Owner owner = Owner::waits) {
  return [=](Program& program) {
    auto table = std::make_shared<Table>();
    for (int i = 0; i < reader_count; ++i) {
      Announcement& reader = table->readers[i];
      table->quiescence.add(reader);
      program.thread([table, &reader] {
        for (int n = 0; n < look_ups; ++n) table->look_up(reader);
      });
    }
    program.thread([=] {
      for (int n = 0; n < reuses; ++n) {
        const Quiescence::Stamp stamp = table->empty_the_slot();
        while (owner == Owner::waits && !table->quiescence.has_passed(stamp)) spin_pause();
        table->use_again(n + 2);
      }
    });
  };
}

TEST(QuiescenceModel, a_slot_is_not_used_again_while_a_reader_looks) {
  const Outcome outcome = explore(readers_against_owner<1, 2, 2>(), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(QuiescenceModel, two_readers_hold_it_up_together) {
  const Outcome outcome = explore(readers_against_owner<2, 1, 1>(), {.preemptions = 3});
  EXPECT_TRUE(outcome) << outcome.report;
}

TEST(QuiescenceModel, needs_its_fence_and_the_release_of_those_who_leave) {
  const auto survives = [](Weakness weakness) {
    return explore(readers_against_owner<1, 1, 1>(), {.weakness = weakness}).passed;
  };
  EXPECT_FALSE(survives(Weakness::no_membarrier));
  EXPECT_FALSE(survives(Weakness::stores_do_not_release));
  EXPECT_FALSE(survives(Weakness::loads_do_not_acquire));
}

TEST(QuiescenceModel, notices_an_owner_who_does_not_wait) {
  EXPECT_FALSE(explore(readers_against_owner<1, 1, 1>(Owner::does_not_wait)).passed);
}

}  // namespace
}  // namespace airssys::rt::base::quiescence_model
