// server_test.cpp: what a server and a state machine cost, who may cast, and what is no server.
#include <airssys/rt/server.hpp>
#include <airssys/rt/state_machine.hpp>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test::server_test {
namespace {

WITH_SCHEDULERS(ServerTest);

struct Counter : Server<Counter> {
  struct Add {
    long by;
  };
  struct Value {
    using Reply = long;
  };
  void handle(Add add) { value += add.by; }
  long handle(Value) const { return value; }
  long value = 0;
};

struct Other : Server<Other> {
  struct Ask {
    using Reply = int;
  };
  struct Poke {};
  int handle(Ask) { return 1; }
  void handle(Poke) {}
};

TEST_P(ServerTest, a_supervisor_and_a_server_are_not_taken_for_each_other) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    Pid supervisor = start_supervisor_link({});
    EXPECT_EQ(try_call(ServerRef<Other>(supervisor), Other::Ask{}).error().kind(),
              CallError::wrong_type);
    EXPECT_EQ(try_which_children(counter.pid()).error().kind(), ChildError::no_supervisor);
    EXPECT_EQ(call(counter, Counter::Value{}), 0);
  });
}

TEST(ServerMemory, a_server_costs_its_object_and_two_words) {
  struct Small : Server<Small> {
    void* state[4];
  };
  EXPECT_LE(sizeof(detail::ServerProcess<Small>), sizeof(Small) + 2 * sizeof(void*));
}

TEST(ServerMemory, a_state_machine_costs_its_object_its_state_and_a_few_words) {
  struct Small : StateMachine<Small> {
    enum class State { only };
    void* data[4];
  };
  EXPECT_LE(sizeof(detail::MachineProcess<Small>), sizeof(Small) + 7 * sizeof(void*));
}

TEST_P(ServerTest, a_foreign_thread_may_cast) {
  Runtime runtime({.schedulers = GetParam()});
  ServerRef<Counter> counter;
  runtime.run([&] { counter = start<Counter>(); });
  cast(runtime, counter, Counter::Add{3});
  runtime.run([&] { EXPECT_EQ(call(counter, Counter::Value{}), 3); });
  runtime.stop(patience);
}

}  // namespace
}  // namespace airssys::rt::test::server_test
