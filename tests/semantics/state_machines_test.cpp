// state_machines_test.cpp: state machines: which handler, in which order, and what it may ask for
// (H1, H3–H6, H13).
//
// Method: stories of a scripted machine, and small machines for what is about types. What has to be
// in the mailbox before the machine goes on is put there while it waits in a handler.
#include <airssys/rt.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/machines.hpp"

namespace airssys::rt::semantics::state_machines_test {
namespace {

using namespace std::chrono_literals;

class MachineRules : public ServerRules {};
RT_WITH_SCHEDULERS(MachineRules);

template <class M>
concept can_name_step = requires { typename M::Step; };

// --- order ---

// After the handler: enter, then what was inserted, then what was postponed, then the mailbox.
// H5
TEST_P(MachineRules, a_change_enters_then_handles_the_inserted_then_the_postponed) {
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

// A time-out of zero stands behind all that is queued inside, and before the mailbox.
// H5, H9
TEST_P(MachineRules, zero_time_outs_come_behind_what_is_queued_and_before_the_mailbox) {
  run([] {
    ServerRef<Script> script = entered_script();
    hold(script);
    cast(script, Do{"1", [](Script& s) {
                      if (s.state() == a) s.postpone();
                    }});
    cast(script, Do{"go", [](Script& s) {
                      s.state_timeout(0s);
                      s.named_timeout("named", 0s);
                      s.next_event(Note{"i"});
                      s.next_state(b);
                    }});
    cast(script, Do{"external"});
    let_go(script);
    EXPECT_EQ(story(script), "1@a, go@a, enter ab, i@b, 1@b, state timeout@b, named@b, external@b");
  });
}

// H5
TEST_P(MachineRules, the_enter_handlers_actions_stand_behind_the_transitions) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.enter_deed = [](Script& in) { in.named_timeout("enter's", 0s); };
                      s.named_timeout("transition's", 0s);
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "go@a, enter ab, transition's@b, enter's@b");
  });
}

// What is inserted while the queue holds something goes in front of it.
// H5
TEST_P(MachineRules, what_an_inserted_event_inserts_comes_before_the_rest) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) {
                      s.next_event(Do{"x", [](Script& inner) { inner.next_event(Note{"y"}); }});
                      s.next_event(Note{"z"});
                    }});
    EXPECT_EQ(story(script), "go@a, x@a, y@a, z@a");
  });
}

// The event that is postponed in the very transition that changes the state is tried again.
// H5
TEST_P(MachineRules, an_event_that_is_postponed_while_the_state_changes_comes_again) {
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

// H4
TEST_P(MachineRules, the_same_state_again_retries_nothing_and_enters_nothing) {
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

// H3
TEST_P(MachineRules,
       a_handler_that_asks_for_nothing_keeps_the_state_and_the_last_next_state_counts) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"keep"});
    cast(script, Do{"both", [](Script& s) {
                      s.next_state(b);
                      EXPECT_EQ(s.state(), a) << "it changes when the handler has returned";
                      s.next_state(a);
                    }});
    cast(script, Do{"go", [](Script& s) {
                      s.next_state(a);
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "keep@a, both@a, go@a, enter ab");
  });
}

// H3, H14
TEST_P(MachineRules, a_handler_may_stop_the_machine_and_what_it_asked_for_is_void) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"stop", [](Script& s) {
                      s.next_state(b);
                      s.next_event(Note{"never"});
                      exit(ExitReason::of(1));
                    }});
    cast(script, Do{"never"});
    EXPECT_EQ(exit_of(script.pid()), ExitReason::of(1));
    EXPECT_EQ(said(2), "stop@a, terminate " + ExitReason::of(1).to_string());
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// H3
TEST_P(MachineRules, a_verb_outside_of_a_handler_is_a_bad_action) {
  struct Eager : StateMachine<Eager> {
    enum class State { only };
    Eager() { next_state(State::only); }
  };
  run([] {
    const auto started = try_start_link<Eager>();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().reason().type(), "airssys::rt::BadAction");
  });
}

// Postponed again, an event keeps its place among the postponed.
// H5
TEST_P(MachineRules, what_is_postponed_again_keeps_its_order) {
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

// H6
TEST_P(MachineRules, the_first_state_is_entered_from_itself) {
  run([] {
    start_script();
    EXPECT_EQ(said(), "enter aa");
  });
}

// H6
TEST_P(MachineRules, an_enter_handler_must_not_postpone_insert_or_change_state) {
  for (auto deed : std::vector<Script::Deed>{[](Script& s) { s.postpone(); },
                                             [](Script& s) { s.next_event(Note{"x"}); },
                                             [](Script& s) { s.next_state(b); }}) {
    run([deed] {
      ServerRef<Script> script = start_script({}, deed);
      const ExitReason reason = exit_of(script.pid());
      EXPECT_EQ(reason.type(), "airssys::rt::BadAction");
      EXPECT_TRUE(reason.what().starts_with("bad_state_enter_action")) << reason.what();
      EXPECT_TRUE(said(2).starts_with("enter aa, terminate error"));
    });
  }
}

// H6
TEST_P(MachineRules, an_enter_handler_may_reply_and_set_time_outs) {
  run([] {
    ServerRef<Script> script = entered_script();
    PendingReply<std::string> reply = send_request(script, Script::Wait{});
    EXPECT_EQ(said(), "wait@a");
    cast(script, Do{"go", [](Script& s) {
                      s.enter_deed = [](Script& in) {
                        in.waiting.reply("entered");
                        in.state_timeout(0s);
                      };
                      s.next_state(b);
                    }});
    EXPECT_EQ(reply.get(infinite), "entered");
    EXPECT_EQ(story(script), "go@a, enter ab, state timeout@b");
  });
}

// H6
TEST_P(MachineRules, an_enter_handler_may_repeat_itself) {
  run([] {
    ServerRef<Script> script = start_script({}, [](Script& s) {
      s.repeat_state();
      s.enter_deed = {};
    });
    EXPECT_EQ(story(script), "enter aa, enter aa");
  });
}

// --- events ---

// H1
TEST_P(MachineRules, every_kind_of_event_finds_its_handler) {
  run([] {
    ServerRef<Script> script = entered_script();
    EXPECT_EQ(call(script, Script::Ask{}), "in a");
    cast(script, Do{"cast"});
    send(script.pid(), Said{"plain"});
    cast(script, Do{"internal soon", [](Script& s) { s.next_event(Note{"internal"}); }});
    EXPECT_EQ(story(script), "ask@a, cast@a, info plain@a, internal soon@a, internal@a");
    cast(script, Do{"times", [](Script& s) {
                      s.event_timeout(0s);
                      s.named_timeout("named", 0s);
                    }});
    EXPECT_EQ(story(script), "times@a, event timeout@a, named@a");
    cast(script, Do{"go", [](Script& s) {
                      s.next_state(b);
                      s.state_timeout(0s);
                      s.next_event(Script::OnlyInB{});
                    }});
    EXPECT_EQ(story(script), "go@a, enter ab, b's own@b, state timeout@b");
  });
}

// H1
TEST_P(MachineRules, without_an_enter_handler_nothing_is_called_for_a_change) {
  struct Silent : StateMachine<Silent> {
    enum class State { first, second };
    struct Next {
      using Reply = bool;
    };
    bool handle(In<State::first>, Next) {
      next_state(State::second);
      return false;
    }
    bool handle(State, Next) { return true; }
  };
  run([] {
    const ServerRef<Silent> silent = start_link<Silent>();
    EXPECT_FALSE(call(silent, Silent::Next{}));
    EXPECT_TRUE(call(silent, Silent::Next{}));
  });
}

// H13
TEST_P(MachineRules, an_inserted_request_is_answered_to_whom_it_says) {
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

// H13
TEST_P(MachineRules, plain_messages_are_events_that_can_be_postponed_and_inserted) {
  run([] {
    ServerRef<Script> script = start_script([](Script& s) { s.info_deed = postpone_it; });
    send(script.pid(), Said{"m"});
    cast(script, Do{"go", [](Script& s) {
                      s.next_event(Message::of(Said{"inserted"}));
                      s.next_state(b);
                    }});
    EXPECT_EQ(story(script), "enter aa, info m@a, go@a, enter ab, info inserted@b, info m@b");
  });
}

// Its type is the machine's own: nobody else can name it, so nobody else can send it.
// H13
TEST_P(MachineRules, an_internal_event_comes_from_the_machine_alone) {
  class Steps : public StateMachine<Steps> {
    struct Step {
      From<int> from;
      int left;
    };

   public:
    enum class State { only };
    struct Begin {
      using Reply = int;
    };
    void handle(State, const Begin&, From<int> from) { next_event(Step{std::move(from), 3}); }
    void handle(State, Step step) {
      ++steps_;
      if (step.left == 0) return step.from.reply(steps_);
      next_event(Step{std::move(step.from), step.left - 1});
    }

   private:
    int steps_ = 0;
  };
  static_assert(!can_name_step<Steps>);
  run([] { EXPECT_EQ(call(start_link<Steps>(), Steps::Begin{}), 4); });
}

// H3
TEST_P(MachineRules, a_request_without_a_handler_in_this_state_ends_the_machine) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Do{"go", [](Script& s) { s.next_event(Script::OnlyInB{}); }});
    const ExitReason reason = exit_of(script.pid());
    EXPECT_EQ(reason.type(), "airssys::rt::BadAction");
    EXPECT_NE(reason.what().find("OnlyInB in state a"), std::string::npos) << reason.what();
  });
}

// H3
TEST_P(MachineRules, an_event_that_was_taken_over_cannot_be_postponed) {
  run([] {
    ServerRef<Script> script = entered_script();
    cast(script, Script::Own{std::make_unique<int>(1)});
    EXPECT_EQ(exit_of(script.pid()).type(), "airssys::rt::BadAction");
  });
}

// H3, H13
TEST_P(MachineRules, a_message_that_was_taken_over_is_no_event_any_more) {
  struct Takes : StateMachine<Takes> {
    enum class State { only };
    void handle_info(State, Message& message) {
      if (message.is<Gate>()) return next_event(Message());
      const Message taken = std::move(message);
      postpone();
    }
  };
  run([] {
    ServerRef<Takes> postpones = start_link<Takes>();
    send(postpones.pid(), Said{"taken"});
    EXPECT_EQ(exit_of(postpones.pid()).type(), "airssys::rt::BadAction");
    ServerRef<Takes> inserts = start_link<Takes>();
    send(inserts.pid(), Gate());
    EXPECT_EQ(exit_of(inserts.pid()).type(), "airssys::rt::BadAction");
  });
}

// --- one handler for all states ---

// H1
TEST_P(MachineRules, the_state_may_be_any_value_that_can_be_compared) {
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

}  // namespace
}  // namespace airssys::rt::semantics::state_machines_test
