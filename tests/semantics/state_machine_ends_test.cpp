// state_machine_ends_test.cpp: how a state machine begins, answers, is looked at and ends, as a
// server does or in its own way (H2, H3, H14, H15, H17).
#include <airssys/rt.hpp>
#include <chrono>
#include <expected>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/machines.hpp"

namespace airssys::rt::semantics::state_machine_ends_test {
namespace {

using namespace std::chrono_literals;

class MachineEnds : public ServerRules {};
RT_WITH_SCHEDULERS(MachineEnds);

// --- calls ---

// H2
TEST_P(MachineEnds, a_call_is_answered_when_it_has_been_postponed_and_handled) {
  run([] {
    ServerRef<Script> script = entered_script();
    auto answer = send_request(script, Script::Ask{[](Script& s) {
                                 if (s.state() == a) s.postpone();
                               }});
    EXPECT_EQ(said(), "ask@a");
    EXPECT_FALSE(answer.wait(0s));
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    EXPECT_EQ(answer.get(), "in b");
  });
}

// H14
TEST_P(MachineEnds, a_reply_is_on_its_way_before_the_new_state_is_entered) {
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

// H14
TEST_P(MachineEnds, replies_come_before_the_end) {
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

// H14
TEST_P(MachineEnds, all_replies_of_a_stop_are_sent_before_terminate) {
  struct Many : StateMachine<Many> {
    enum class State { only };
    struct Wait {
      using Reply = int;
    };
    struct Stop {};
    void handle(State, const Wait&, From<int> from) { callers.push_back(std::move(from)); }
    void handle(State, Stop) {
      for (From<int>& caller : callers) caller.reply(1);
      exit(ExitReason::shutdown());
    }
    void terminate(const ExitReason&) { receive<Gate>(); }
    std::vector<From<int>> callers;
  };
  run([] {
    const ServerRef<Many> many = start_link<Many>();
    std::vector<PendingReply<int>> replies;
    for (int i = 0; i < 3; ++i) replies.push_back(send_request(many, Many::Wait{}));
    cast(many, Many::Stop{});
    for (PendingReply<int>& reply : replies) EXPECT_EQ(reply.get(infinite), 1);
    send(many.pid(), Gate());
    EXPECT_EQ(exit_of(many.pid()), ExitReason::shutdown());
  });
}

// H14, G16
TEST_P(MachineEnds, a_reply_may_wait_for_terminate) {
  run([] {
    ServerRef<Script> script = entered_script();
    PendingReply<std::string> reply = send_request(script, Script::Wait{});
    cast(script, Do{"stop", [](Script& s) {
                      exit_with_reply(std::move(s.waiting), "last", ExitReason::shutdown());
                    }});
    EXPECT_EQ(reply.get(infinite), "last");
    EXPECT_EQ(said(3), "wait@a, stop@a, terminate shutdown");
  });
}

// H3
TEST_P(MachineEnds, a_request_that_is_neither_answered_nor_postponed_ends_the_machine) {
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

// H17
TEST_P(MachineEnds, init_chooses_the_first_state_and_may_insert_and_set_time_outs) {
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

// H17
TEST_P(MachineEnds, an_init_may_fail_with_and_without_a_crash) {
  struct Unable : StateMachine<Unable> {
    enum class State { only };
    explicit Unable(bool is_crash) : crashes(is_crash) {}
    std::expected<State, ExitReason> init() {
      if (crashes) throw std::runtime_error("no disk");
      return std::unexpected(ExitReason::of(5));
    }
    bool crashes;
  };
  run([] {
    const Spawned starter = spawn_monitor([] {
      const auto answered = try_start_link<Unable>(false);
      ASSERT_FALSE(answered);
      EXPECT_EQ(answered.error().kind(), StartError::error);
      EXPECT_EQ(answered.error().reason(), ExitReason::of(5));
    });
    EXPECT_EQ(reason_of(starter), ExitReason::normal()) << "the machine has ended with normal";
    const auto crashed = try_start_link<Unable>(true);
    ASSERT_FALSE(crashed);
    EXPECT_EQ(crashed.error().reason(), ExitReason::error("std::runtime_error", "no disk"));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// H17
TEST_P(MachineEnds, one_that_chooses_no_state_does_not_run) {
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

// H17, G2
TEST_P(MachineEnds, an_init_that_says_as_a_servers_whether_it_runs_begins_in_the_default_state) {
  struct Choosy : StateMachine<Choosy> {
    enum class State { only };
    struct Ask {
      using Reply = int;
    };
    explicit Choosy(Init result) : answer(result) {}
    Init init() { return answer; }
    int handle(State, Ask) { return 7; }
    Init answer;
  };
  struct Licensed : StateMachine<Licensed> {
    enum class State { only };
    struct Ask {
      using Reply = int;
    };
    explicit Licensed(bool has_one) : has_licence(has_one) {}
    std::expected<void, ExitReason> init() {
      if (!has_licence) return std::unexpected(ExitReason::error("no licence"));
      return {};
    }
    int handle(State, Ask) { return 8; }
    bool has_licence;
  };
  run([] {
    EXPECT_EQ(call(start_link<Choosy>(Init::ok), Choosy::Ask{}), 7);
    EXPECT_EQ(call(start_link<Licensed>(true), Licensed::Ask{}), 8);
    const auto ignored = try_start_link<Choosy>(Init::ignore);
    ASSERT_FALSE(ignored);
    EXPECT_EQ(ignored.error().kind(), StartError::ignore);
    const auto refused = try_start_link<Licensed>(false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason(), ExitReason::error("no licence"));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// H2, G14, G15, G17
TEST_P(MachineEnds, it_is_stopped_and_ends_with_its_parent_like_a_server) {
  run([] {
    ServerRef<Script> script = entered_script();
    stop(script, ExitReason::shutdown());
    EXPECT_EQ(said(), "terminate shutdown");
    const Spawned parent = spawn_monitor([owner = self()] {
      start_link<Script>(owner, [](Script&) { trap_exit(true); });
      receive<Go>();
    });
    EXPECT_EQ(said(), "enter aa");
    EXPECT_EQ(end(parent), ExitReason::normal());
    EXPECT_EQ(said(), "terminate normal");
    ServerRef<Script> killed = entered_script();
    send_exit(killed.pid(), ExitReason::kill());
    EXPECT_EQ(exit_of(killed.pid()), ExitReason::killed());
    EXPECT_FALSE(receive<Said>(0ms)) << "no terminate";
  });
}

// H2, G5
TEST_P(MachineEnds, calls_fail_as_those_to_a_server_do) {
  run([] {
    ServerRef<Script> script = entered_script();
    EXPECT_EQ(failure_of(try_call(script, Script::Wait{}, 1ms)), CallError::timeout);
    cast(script, Do{"late", [](Script& s) { s.waiting.reply("late"); }});
    EXPECT_EQ(story(script), "wait@a, late@a");
    EXPECT_EQ(rest_of_mail(), "") << "no late reply";
    PendingReply<std::string> reply = send_request(script, Script::Wait{});
    stop(script, ExitReason::of(1));
    EXPECT_EQ(reason_of(reply.try_get(infinite)), ExitReason::of(1));
    EXPECT_EQ(failure_of(try_call(script, Script::Wait{})), CallError::noproc);
  });
}

// G19
TEST_P(MachineEnds, a_crash_is_reported_with_the_event_the_client_and_the_state) {
  run([this] {
    ServerRef<Script> script = entered_script();
    const auto fail = [](Script&) { throw std::runtime_error("oh"); };
    EXPECT_FALSE(try_call(script, Script::Ask{fail}));
    EXPECT_EQ(logged("process " + script.pid().to_string() + " crashed in handle on "), 1)
        << log_text();
    EXPECT_EQ(logged("Ask from " + self().to_string() + ": error: std::runtime_error: oh, thrown "),
              1)
        << log_text();
    EXPECT_EQ(logged("; state: a"), 1) << log_text();
    start_script({}, fail);
    while (logged("crashed in enter: error: std::runtime_error: oh") == 0) yield();
  });
}

// H2
TEST_P(MachineEnds, a_supervisor_starts_it_again_in_its_first_state) {
  run([] {
    Pid top = start_supervisor_link({.children = {child<Script>("script", self())}});
    EXPECT_EQ(said(), "enter aa");
    ServerRef<Script> script(which_children(top).at(0).pid);
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    cast(script, Do{"fail", [](Script&) { throw std::runtime_error("broken"); }});
    EXPECT_EQ(said(5),
              "go@a, enter ab, fail@b, terminate error: std::runtime_error: broken, enter aa");
    stop(top, ExitReason::shutdown());
  });
}

// H2
TEST_P(MachineEnds, a_request_to_another_class_fails_and_leaves_it_untouched) {
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

// --- looked at ---

// H15
TEST_P(MachineEnds, postponed_events_are_shown_and_survive_a_suspension) {
  run([] {
    ServerRef<Script> script = entered_script();
    for (const char* name : {"1", "2"}) {
      cast(script, Do{name, [](Script& s) {
                        if (s.state() == a) s.postpone();
                      }});
    }
    EXPECT_EQ(said(2), "1@a, 2@a");
    const std::string state = sys::get_status(script.pid()).state;
    EXPECT_TRUE(state.starts_with("a, postponed: ")) << state;
    EXPECT_EQ(state.find("Script::Do"), state.rfind("Script::Do airssys")) << state;
    EXPECT_TRUE(state.ends_with("Script::Do")) << state;
    sys::suspend(script.pid());
    cast(script, Do{"go", [](Script& s) { s.next_state(b); }});
    EXPECT_EQ(sys::get_status(script.pid()).state, state);
    sys::resume(script.pid());
    EXPECT_EQ(story(script), "go@a, enter ab, 1@b, 2@b");
    EXPECT_EQ(sys::get_status(script.pid()).state, "b");
  });
}

// H15
TEST_P(MachineEnds, its_state_is_looked_at_and_replaced_together_with_its_data) {
  run([] {
    ServerRef<Script> script = entered_script();
    const auto look = [](const State& state, const Script& s) {
      return Script::name(state) + (s.info_deed ? "1" : "0");
    };
    EXPECT_EQ(sys::get_state(script, look), "a0");
    sys::replace_state(script, [](State& state, Script& s) {
      state = b;
      s.info_deed = [](Script&) {};
    });
    EXPECT_EQ(sys::get_state(script, look), "b1");
    EXPECT_EQ(story(script), "") << "that is no transition: nothing is entered";
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::state_machine_ends_test
