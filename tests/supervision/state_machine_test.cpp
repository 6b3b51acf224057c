// state_machine_test.cpp: state machines: which handler, and in which order (H1–H6, H13–H17).
// Method: stories of a scripted machine, and small machines for what is about types.
#include <airssys/rt/state_machine.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/machine_script.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(StateMachineTest);

// --- order ---

// H5: after the handler: enter, then what was inserted, then what was postponed, then the mailbox.
TEST_P(StateMachineTest, a_change_enters_then_handles_the_inserted_then_the_postponed) {
  run([] {
    ServerRef<Script> script = entered_script();
    hold(script);
    cast(script, Do{"1", [](Script& s) {
                      if (s.state() == a) s.postpone();
                    }});
    cast(script, Do{"2", [](Script& s) {
                      if (s.state() == a) s.postpone();
                    }});
    cast(script, Do{"go", [](Script& s) {
                      s.next_event(Note{"i1"});
                      s.next_event(Note{"i2"});
                      s.next_state(b);
                    }});
    cast(script, Do{"3"});
    let_go(script);
    EXPECT_EQ(story(script), "1@a, 2@a, go@a, enter ab, i1@b, i2@b, 1@b, 2@b, 3@b");
  });
}

// H5: what is inserted while the queue holds something goes in front of it.
TEST_P(StateMachineTest, what_an_inserted_event_inserts_comes_before_the_rest) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.next_event(Do{"x", [](Script& inner) { inner.next_event(Note{"y"}); }});
                      s.next_event(Note{"z"});
                    }});
    EXPECT_EQ(story(script), "go@a, x@a, y@a, z@a");
  });
}

// H5: the event that is postponed in the very transition that changes the state is tried again.
TEST_P(StateMachineTest, an_event_that_is_postponed_while_the_state_changes_comes_again) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"x", [](Script& s) {
                      if (s.state() == b) return;
                      s.postpone();
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "x@a, enter ab, x@b");
  });
}

// H4: the same state again is no change.
TEST_P(StateMachineTest, the_same_state_again_retries_nothing_and_enters_nothing) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"1", [](Script& s) {
                      if (s.state() == a) s.postpone();
                    }});
    cast(script, Do{"same", [](Script& s) { s.next_state(a); }});
    cast(script, Do{"repeat", [](Script& s) { s.repeat_state(); }});
    EXPECT_EQ(story(script), "1@a, same@a, repeat@a, enter aa");
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    EXPECT_EQ(story(script), "go@a, enter ab, 1@b");
  });
}

// H5: postponed again, an event keeps its place among the postponed.
TEST_P(StateMachineTest, what_is_postponed_again_keeps_its_order) {
  run([] {
    ServerRef<Script> script = entered_script();
    auto until_second_a = [times = std::make_shared<int>(0)](Script& s) {
      if (++*times <= 4) s.postpone();
    };
    cast(script, Do{"1", until_second_a});
    cast(script, Do{"2", until_second_a});
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    cast(script, Do{"back", [](Script& s) { s.next_state(a); }});
    EXPECT_EQ(story(script), "1@a, 2@a, go@a, enter ab, 1@b, 2@b, back@b, enter ba, 1@a, 2@a");
  });
}

// --- enter ---

// H6: the first state's old state is itself.
TEST_P(StateMachineTest, the_first_state_is_entered_from_itself) {
  run([] {
    start_script();
    EXPECT_EQ(seen(1), "enter aa");
  });
}

// H6.
TEST_P(StateMachineTest, an_enter_handler_must_not_postpone_insert_or_change_state) {
  for (auto deed : std::vector<Script::Deed>{[](Script& s) { s.postpone(); },
                                             [](Script& s) { s.next_event(Note{"x"}); },
                                             [](Script& s) { s.next_state(b); }}) {
    run([deed] {
      ServerRef<Script> script = start_script({}, deed);
      const ExitReason reason = exit_of(script.pid());
      EXPECT_EQ(reason.type(), "airssys::rt::BadAction");
      EXPECT_TRUE(reason.what().starts_with("bad_state_enter_action")) << reason.what();
      EXPECT_TRUE(seen(2).starts_with("enter aa, terminate error"));
    });
  }
}

// H6: repeat_state in an enter handler calls it again.
TEST_P(StateMachineTest, an_enter_handler_may_repeat_itself) {
  run([] {
    ServerRef<Script> script = start_script({}, [](Script& s) {
      s.repeat_state();
      s.enter_deed = {};
    });
    EXPECT_EQ(story(script), "enter aa, enter aa");
  });
}

// --- events ---

// H13.
TEST_P(StateMachineTest, an_inserted_request_is_answered_to_whom_it_says) {
  struct Front : StateMachine<Front> {
    enum class State { only };
    struct Ask {
      using Reply = int;
    };
    struct Really {
      using Reply = int;
    };
    void handle(State, const Ask&, From<int> from) { next_event(Really{}, std::move(from)); }
    int handle(State, Really) { return 7; }
  };
  run([] {
    ServerRef<Front> front = start_link<Front>();
    EXPECT_EQ(call(front, Front::Ask{}), 7);
  });
}
TEST_P(StateMachineTest, plain_messages_are_events_that_can_be_postponed_and_inserted) {
  run([] {
    ServerRef<Script> script = start_script([](Script& s) { s.info_deed = postpone_it; });
    send(script.pid(), Seen{"m"});
    cast(script, Do{"go", [](Script& s) {
                      s.next_event(Message::of(Seen{"inserted"}));
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "enter aa, info m@a, go@a, enter ab, info inserted@b, info m@b");
  });
}
TEST_P(StateMachineTest, a_request_without_a_handler_in_this_state_ends_the_machine) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) { s.next_event(Script::OnlyInB{}); }});
    const ExitReason reason = exit_of(script.pid());
    EXPECT_EQ(reason.type(), "airssys::rt::BadAction");
    EXPECT_NE(reason.what().find("OnlyInB in state a"), std::string::npos) << reason.what();
  });
}
TEST_P(StateMachineTest, an_event_that_was_taken_over_cannot_be_postponed) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Script::Own{std::make_unique<int>(1)});
    EXPECT_EQ(exit_of(script.pid()).type(), "airssys::rt::BadAction");
  });
}

// --- calls ---

TEST(StateMachine, a_call_waits_as_long_as_it_takes_unless_told) {
  EXPECT_EQ(detail::Requests<Script>::call_timeout, infinite);  // H2
}
TEST_P(StateMachineTest, a_call_is_answered_when_it_has_been_postponed_and_handled) {
  run([] {
    ServerRef<Script> script = entered_script();
    auto answer = send_request(script, Script::Ask{[](Script& s) {
                                 if (s.state() == a) s.postpone();
                               }});
    EXPECT_EQ(seen(1), "ask@a");
    EXPECT_FALSE(answer.wait(0s));
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    EXPECT_EQ(answer.get(), "in b");
  });
}
TEST_P(StateMachineTest, a_reply_is_on_its_way_before_the_new_state_is_entered) {
  run([] {
    ServerRef<Script> script = entered_script();
    auto answer = send_request(script, Script::Ask{[](Script& s) {
                                 s.next_state(b);
                                 s.enter_deed = [](Script&) { exit(ExitReason::shutdown()); };
                               }});
    EXPECT_EQ(answer.get(), "in a");
    EXPECT_EQ(exit_of(script.pid()), ExitReason::shutdown());
  });
}
// H14.
TEST_P(StateMachineTest, replies_come_before_the_end) {
  struct Ending : StateMachine<Ending> {
    enum class State { only };
    struct Last {
      using Reply = int;
    };
    void handle(State, const Last&, From<int> from) {
      from.reply(7);
      exit(ExitReason::shutdown());
    }
  };
  run([] {
    ServerRef<Ending> ending = start_link<Ending>();
    EXPECT_EQ(call(ending, Ending::Last{}), 7);
    EXPECT_EQ(exit_of(ending.pid()), ExitReason::shutdown());
  });
}
TEST_P(StateMachineTest, a_request_that_is_neither_answered_nor_postponed_ends_the_machine) {
  struct Silent : StateMachine<Silent> {
    enum class State { only };
    struct Ask {
      using Reply = int;
    };
    void handle(State, const Ask&) {}
  };
  run([] {
    ServerRef<Silent> silent = start<Silent>();
    auto reply = try_call(silent, Silent::Ask{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind(), CallError::exited);
  });
}

// --- start and end ---

// H17.
TEST_P(StateMachineTest, init_chooses_the_first_state_and_may_insert_and_set_time_outs) {
  run([] {
    ServerRef<Script> script = start_script([](Script& s) {
      s.state_timeout(0s);
      s.next_event(Note{"first"});
      EXPECT_THROW(s.next_state(b), BadAction);
      EXPECT_THROW(s.postpone(), BadAction);
    });
    EXPECT_EQ(story(script), "enter aa, first@a, state timeout@a");
  });
}
TEST_P(StateMachineTest, one_that_chooses_no_state_does_not_run) {
  struct Unwilling : StateMachine<Unwilling> {
    enum class State { only };
    std::optional<State> init() { return std::nullopt; }
  };
  run([] {
    auto started = try_start_link<Unwilling>();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::ignore);
  });
}
TEST_P(StateMachineTest, it_is_stopped_and_ends_with_its_parent_like_a_server) {
  run([] {
    ServerRef<Script> script = entered_script();
    stop(script, ExitReason::shutdown());
    EXPECT_EQ(seen(1), "terminate shutdown");
    Pid parent = spawn([owner = self()] {
      start_link<Script>(owner, [](Script&) { trap_exit(true); });
      receive<End>();
    });
    EXPECT_EQ(seen(1), "enter aa");
    end_child(parent, ExitReason::normal());
    EXPECT_EQ(seen(1), "terminate normal");
  });
}
TEST_P(StateMachineTest, a_supervisor_starts_it_again_in_its_first_state) {
  run([] {
    Pid top = start_supervisor_link({.children = {child<Script>("script", self())}});
    EXPECT_EQ(seen(1), "enter aa");
    ServerRef<Script> script(which_children(top).at(0).pid);
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    cast(script, Do{"fail", [](Script&) { throw std::runtime_error("broken"); }});
    EXPECT_EQ(seen(5),
              "go@a, enter ab, fail@b, terminate error: std::runtime_error: broken, enter aa");
    stop(top, ExitReason::shutdown());
  });
}
TEST_P(StateMachineTest, a_request_to_another_class_fails_and_leaves_it_untouched) {
  struct Other : Server<Other> {
    struct Ask {
      using Reply = int;
    };
    int handle(Ask) { return 1; }
  };
  run([] {
    ServerRef<Script> script = entered_script();
    auto reply = try_call(ServerRef<Other>(script.pid()), Other::Ask{});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind(), CallError::wrong_type);
    EXPECT_EQ(story(script), "");
  });
}

// --- one handler for all states ---

// H1: the state may be any value.
TEST_P(StateMachineTest, the_state_may_be_any_value_that_can_be_compared) {
  struct Counter : StateMachine<Counter> {
    using State = std::string;
    struct Add {
      char letter;
    };
    struct Await {
      using Reply = std::string;
      std::string state;
    };
    State init() { return "x"; }
    void handle(const State& state, Add add) { next_state(state + add.letter); }
    std::string handle(const State& state, const Await& await) {
      if (state != await.state) postpone();
      return state;
    }
  };
  run([] {
    ServerRef<Counter> counter = start_link<Counter>();
    auto later = send_request(counter, Counter::Await{"xyz"});
    cast(counter, Counter::Add{'y'});
    EXPECT_EQ(call(counter, Counter::Await{"xy"}), "xy");
    cast(counter, Counter::Add{'z'});
    EXPECT_EQ(later.get(), "xyz");
  });
}

TEST(StateMachine, at_rest_it_costs_its_object_its_state_and_a_few_words) {
  struct Small : StateMachine<Small> {
    enum class State { only };
    void* data[4];
  };
  EXPECT_LE(sizeof(detail::MachineProcess<Small>), sizeof(Small) + 7 * sizeof(void*));
}

}  // namespace
}  // namespace airssys::rt::test
