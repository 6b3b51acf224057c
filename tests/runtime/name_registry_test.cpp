// name_registry_test.cpp: names and their holders (N1–N9). Method: the registry alone, with
// processes of a table that run nothing; and a race of giving a name against its holder's end, with
// real threads.
#include "runtime/name_registry.hpp"

#include <gtest/gtest.h>
#include <atomic>
#include <thread>

#include "runtime/process_table.hpp"

namespace airssys::rt::runtime::name_registry_test {
namespace {

struct Names : testing::Test {
  base::Quiescence quiescence;
  ProcessTable table{quiescence, 2};
  ProcessTable::Local& local = table.local(0);
  NameRegistry names;

  Process& spawn() {
    Process* process = table.take(local, 0);
    table.publish(*process);
    return *process;
  }
  void end(Process& process) {
    names.release(process);
    table.retire(local, process);
  }
};

TEST_F(Names, a_name_has_one_holder_and_a_process_one_name) {
  Process& one = spawn();
  Process& two = spawn();
  EXPECT_TRUE(names.give("a", one.pid(), &one));
  const auto taken = names.give("a", two.pid(), &two);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind(), NameError::taken);
  EXPECT_EQ(taken.error().holder(), one.pid());
  const auto second = names.give("b", one.pid(), &one);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), NameError::already_named);
  EXPECT_EQ(names.find("a"), one.pid());
  EXPECT_EQ(names.name_of(one.pid()), "a");
  end(one);
  end(two);
}

TEST_F(Names, the_empty_name_and_the_dead_are_refused) {
  Process& one = spawn();
  EXPECT_EQ(names.give("", one.pid(), &one).error().kind(), NameError::bad_name);
  EXPECT_EQ(names.give("a", one.pid(), nullptr).error().kind(), NameError::no_process);
  end(one);
}

TEST_F(Names, a_name_is_free_after_its_holder_s_release) {
  Process& one = spawn();
  ASSERT_TRUE(names.give("a", one.pid(), &one));
  names.release(one);
  EXPECT_FALSE(names.find("a"));
  EXPECT_EQ(names.give("b", one.pid(), &one).error().kind(), NameError::no_process);
  table.retire(local, one);
}

// Else a holder that ends in between would be heard to have ended while it is still found.
TEST_F(Names, who_is_not_marked_as_named_any_more_is_not_found) {
  Process& one = spawn();
  ASSERT_TRUE(names.give("a", one.pid(), &one));
  EXPECT_TRUE(names.take_back("a", [&](Pid) {
    EXPECT_TRUE(one.is_named);
    EXPECT_FALSE(names.find("a"));
    return &one;
  }));
  EXPECT_FALSE(one.is_named);
  end(one);
}

TEST_F(Names, no_name_outlives_its_holder_whoever_gives_it_meanwhile) {
  for (int round = 0; round < 3'000; ++round) {
    Process& holder = spawn();
    std::atomic<bool> go{false};
    std::thread giver([&] {
      while (!go.load(std::memory_order_acquire)) {
      }
      static_cast<void>(names.give("contested", holder.pid(), &holder));
    });
    go.store(true, std::memory_order_release);
    names.release(holder);
    giver.join();
    ASSERT_FALSE(names.find("contested")) << "round " << round;
    table.retire(local, holder);
  }
}

}  // namespace
}  // namespace airssys::rt::runtime::name_registry_test
