// process_table_test.cpp: slots, pids and generations (P10, I6). Method: the table alone, its grace
// periods held open and closed by hand.
#include "runtime/process_table.hpp"

#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace airssys::rt::runtime::process_table_test {
namespace {

struct Tables : testing::Test {
  base::Quiescence quiescence;
  ProcessTable table{quiescence, 2};
  ProcessTable::Local& local = table.local(0);

  Pid spawn() { return table.publish(*table.take(local, 0)); }
  void end(Pid pid) { table.retire(local, *table.find(pid)); }
};

TEST_F(Tables, a_process_is_found_from_publish_to_retire) {
  Process* process = table.take(local, 0);
  const Pid pid = table.publish(*process);
  EXPECT_EQ(table.find(pid), process);
  EXPECT_EQ(table.alive(), 1U);
  end(pid);
  EXPECT_EQ(table.find(pid), nullptr);
  EXPECT_EQ(table.alive(), 0U);
}

TEST_F(Tables, a_stale_pid_finds_nobody_when_its_slot_is_used_again) {
  std::set<std::uint64_t> given;
  std::vector<Pid> stale;
  for (int round = 0; round < 20'000; ++round) {
    const Pid pid = spawn();
    EXPECT_TRUE(given.insert(pid.bits()).second) << "given twice: " << pid.to_string();
    end(pid);
    stale.push_back(pid);
  }
  EXPECT_LT(table.reserved_bytes(), 20'000 * sizeof(Process));  // slots were used again
  const Pid living = spawn();
  for (const Pid pid : stale) EXPECT_EQ(table.find(pid), nullptr);
  end(living);
}

TEST_F(Tables, no_slot_is_used_again_while_somebody_may_look_at_it) {
  base::Announcement reader;
  quiescence.add(reader);
  std::set<std::uint32_t> slots;
  quiescence.enter(reader);
  for (int round = 0; round < 3'000; ++round) {
    const Pid pid = spawn();
    EXPECT_TRUE(slots.insert(pid.slot()).second) << "used again under a reader";
    end(pid);
  }
  base::Quiescence::leave(reader);
  quiescence.remove(reader);
}

TEST_F(Tables, slots_that_retire_elsewhere_come_back_to_who_spawns) {
  ProcessTable::Local& elsewhere = table.local(1);
  for (int round = 0; round < 50'000; ++round) {
    Process* process = table.take(local, 0);
    ASSERT_NE(process, nullptr) << "round " << round;
    table.publish(*process);
    table.retire(elsewhere, *process);
  }
}

TEST_F(Tables, a_listing_shows_the_living) {
  const Pid one = spawn();
  const Pid two = spawn();
  const Pid three = spawn();
  end(two);
  std::set<std::uint64_t> seen;
  table.each([&](Process& process) { seen.insert(process.pid().bits()); });
  EXPECT_EQ(seen, (std::set{one.bits(), three.bits()}));
  end(one);
  end(three);
}

}  // namespace
}  // namespace airssys::rt::runtime::process_table_test
