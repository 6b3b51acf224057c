// sys_test.cpp: system requests: suspend, state, status, trace, log, statistics, hooks (C1–C6), and
// what is said of a handler that failed (G19).
// Method: whole processes; each request is taken in its turn, so what was sent before it counts.
#include <airssys/rt/event_manager.hpp>
#include <airssys/rt/state_machine.hpp>
#include <airssys/rt/sys.hpp>
#include <stdexcept>
#include <string>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(SysTest);

struct Counter : Server<Counter> {
  struct Add {
    long by;
  };
  struct Value {
    using Reply = long;
  };
  struct Fail {
    using Reply = void;
  };
  struct IdleIn {
    Duration time;
    Pid owner;
  };

  void init() { trap_exit(true); }
  void handle(Add add) { value += add.by; }
  long handle(Value) const { return value; }
  void handle(Fail) { throw std::runtime_error("no"); }
  void handle(IdleIn idle) {
    owner = idle.owner;
    idle_after(idle.time);
  }
  void handle_idle() { send(owner, Up{"idle", self()}); }
  std::string format_state() const { return "value " + std::to_string(value); }

  long value = 0;
  Pid owner;
};

struct Door : StateMachine<Door> {
  enum class State { locked, open };
  using enum State;
  struct Open {};
  struct Walk {
    using Reply = long;
  };
  void handle(State, Open) { next_state(open); }
  void handle(In<locked>, const Walk&) { postpone(); }
  long handle(In<open>, Walk) { return ++walked; }
  long walked = 0;
};

CallError::Kind kind_of(auto ask) {
  try {
    ask();
  } catch (const CallError& error) {
    return error.kind();
  }
  return {};
}

// C2.
TEST_P(SysTest, a_suspended_server_handles_nothing_until_it_is_resumed) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    sys::suspend(counter.pid());
    sys::suspend(counter.pid());
    for (int i = 0; i < 10; ++i) cast(counter, Counter::Add{1});
    auto value = send_request(counter, Counter::Value{});
    EXPECT_TRUE(sys::get_status(counter.pid()).is_suspended);
    auto value_of = [](const Counter& c) { return c.value; };
    EXPECT_EQ(sys::get_state(counter, value_of), 0);
    EXPECT_FALSE(value.wait(0s));
    sys::resume(counter.pid());
    EXPECT_EQ(value.get(), 10);
    sys::resume(counter.pid());
    EXPECT_FALSE(sys::get_status(counter.pid()).is_suspended);
  });
}
TEST_P(SysTest, a_suspended_server_can_be_stopped) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    sys::suspend(counter.pid());
    stop(counter, ExitReason::shutdown());
    EXPECT_EQ(exit_of(counter.pid()), ExitReason::shutdown());
  });
}
TEST_P(SysTest, a_suspended_server_ends_with_its_parent) {
  run([] {
    Pid parent = spawn([owner = self()] {
      ServerRef<Counter> counter = start_link<Counter>();
      sys::suspend(counter.pid());
      send(owner, Up{"", counter.pid()});
      exit(receive<End>().reason);
    });
    const Pid counter = up("");
    send(parent, End{ExitReason::error("parent")});
    EXPECT_EQ(end_of(counter), ExitReason::error("parent"));
  });
}

// C2, V41: exits wait for the resume, in order.
TEST_P(SysTest, a_suspended_supervisor_restarts_nobody_until_it_is_resumed) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    Pid first = up("a");
    sys::suspend(top);
    end_child(first);
    EXPECT_TRUE(sys::get_status(top).is_suspended);
    EXPECT_TRUE(nothing_came<Up>());
    sys::resume(top);
    EXPECT_NE(up("a"), first);
    stop(top, ExitReason::shutdown());
  });
}

// C3.
TEST_P(SysTest, the_state_is_looked_at_and_replaced) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    cast(counter, Counter::Add{2});
    EXPECT_EQ(sys::get_state(counter, [](const Counter& c) { return c.value; }), 2);
    sys::replace_state(counter, [](Counter& c) { c.value *= 10; });
    EXPECT_EQ(call(counter, Counter::Value{}), 20);
  });
}
TEST_P(SysTest, a_function_that_fails_changes_nothing_and_the_server_lives) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_EQ(kind_of([&] {
                sys::replace_state(counter, [](Counter& c) {
                  c.value = 99;
                  throw std::runtime_error("half way");
                });
              }),
              CallError::callback_failed);
    EXPECT_EQ(call(counter, Counter::Value{}), 0);
  });
}
TEST_P(SysTest, a_state_machine_shows_its_state_and_keeps_what_is_postponed) {
  run([] {
    ServerRef<Door> door = start_link<Door>();
    auto walk = send_request(door, Door::Walk{});
    EXPECT_EQ(sys::get_status(door.pid()).state, "locked, 1 postponed");  // H15
    sys::suspend(door.pid());
    sys::resume(door.pid());
    EXPECT_EQ(sys::get_state(door, [](const Door::State& state, const Door&) { return state; }),
              Door::locked);
    sys::replace_state(door, [](Door::State&, Door& data) { data.walked = 6; });
    cast(door, Door::Open{});
    EXPECT_EQ(walk.get(), 7);
  });
}

// C1: failures.
TEST_P(SysTest, what_is_no_such_behaviour_is_told_apart_from_what_is_gone) {
  run([] {
    Pid plain = start_body_link(obedient("plain"));
    EXPECT_EQ(kind_of([&] { sys::get_status(plain); }), CallError::wrong_type);
    end_child(plain, ExitReason::normal());
    EXPECT_EQ(kind_of([&] { sys::get_status(plain); }), CallError::noproc);
    ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_EQ(kind_of([&] {
                sys::get_state(ServerRef<Door>(counter.pid()), [](const Door&) { return 1; });
              }),
              CallError::wrong_type);
    EXPECT_EQ(call(counter, Counter::Value{}), 0);
  });
}

// C4.
TEST_P(SysTest, the_status_says_who_it_is) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    EventManagerRef events = start_event_manager_link();
    sys::Status status = sys::get_status(counter.pid());
    EXPECT_EQ(status.pid, counter.pid());
    EXPECT_EQ(status.parent, self());
    EXPECT_TRUE(status.type.ends_with("Counter"));
    EXPECT_EQ(status.state, "value 0");
    EXPECT_EQ(sys::get_status(events.pid()).parent, self());
  });
}

// C5.
TEST_P(SysTest, the_last_events_are_kept) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    sys::log(counter.pid(), 2);
    cast(counter, Counter::Add{1});
    call(counter, Counter::Value{});
    send(counter.pid(), std::string("stray"));
    auto log = sys::get_log(counter.pid());
    ASSERT_EQ(log.size(), 2U);
    EXPECT_TRUE(log[0].starts_with("call ")) << log[0];
    EXPECT_TRUE(log[0].ends_with("from " + self().to_string())) << log[0];
    EXPECT_TRUE(log[1].starts_with("message ")) << log[1];
    sys::log(counter.pid(), 0);
    EXPECT_TRUE(sys::get_log(counter.pid()).empty());
  });
}
TEST_P(SysTest, messages_are_counted_while_asked_for) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_FALSE(sys::get_statistics(counter.pid()));
    sys::statistics(counter.pid(), true);
    for (int i = 0; i < 5; ++i) cast(counter, Counter::Add{1});
    auto statistics = sys::get_statistics(counter.pid());
    ASSERT_TRUE(statistics);
    EXPECT_EQ(statistics->messages_in, 5U);
    EXPECT_GE(statistics->reductions, 5U);
    EXPECT_GE(statistics->now, statistics->since);
    sys::statistics(counter.pid(), false);
    EXPECT_FALSE(sys::get_statistics(counter.pid()));
  });
}
TEST_P(SysTest, a_trace_writes_a_line_for_each_message) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    sys::trace(counter.pid(), true);
    cast(counter, Counter::Add{1});
    sys::trace(counter.pid(), false);
    call(counter, Counter::Value{});
  });
  EXPECT_TRUE(was_logged("cast "));
  EXPECT_FALSE(was_logged("call "));
}
TEST_P(SysTest, a_hook_is_called_until_it_is_done_or_fails) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    auto tell = [owner = self()](sys::HookResult result) {
      return [owner, result](const sys::Event& event) {
        send(owner, std::string(event.type));
        return result;
      };
    };
    sys::install(counter.pid(), "all", tell(sys::HookResult::again));
    sys::install(counter.pid(), "once", tell(sys::HookResult::done));
    sys::install(counter.pid(), "bad", [](const sys::Event&) -> sys::HookResult {
      throw std::runtime_error("bad hook");
    });
    cast(counter, Counter::Add{1});
    cast(counter, Counter::Add{1});
    sys::remove(counter.pid(), "all");
    cast(counter, Counter::Add{1});
    EXPECT_EQ(call(counter, Counter::Value{}), 3);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(next<std::string>()->ends_with("Add"));
    EXPECT_TRUE(nothing_came<std::string>());
  });
}

// G13: a look from outside does not make it wait anew.
TEST_P(SysTest, a_system_request_leaves_the_idle_time_alone) {
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    cast(counter, Counter::IdleIn{1ms, self()});
    while (!receive<Up>(0ns)) sys::get_status(counter.pid());
  });
}

// G19.
TEST_P(SysTest, a_failed_handler_is_reported_with_its_message_client_and_state) {
  std::string client;
  run([&client] {
    client = self().to_string();
    ServerRef<Counter> counter = start<Counter>();
    cast(counter, Counter::Add{5});
    EXPECT_FALSE(try_call(counter, Counter::Fail{}));
  });
  EXPECT_TRUE(
      was_logged("Fail from " + client + ": error: std::runtime_error: no; state: value 5"));
}

}  // namespace
}  // namespace airssys::rt::test
