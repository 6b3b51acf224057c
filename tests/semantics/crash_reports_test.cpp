// crash_reports_test.cpp: one report for each crash, with what failed and what it was about.
//
// Method: bodies, servers, state machines and handlers of events fail wherever they can, in a
// runtime whose sink keeps every report, of whatever kind.
#include <airssys/rt.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/machines.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::semantics::crash_reports_test {
namespace {

using support::field;

class CrashReports : public support::KeptReports {
 protected:
  CrashReports() { options.log_from = Severity::info; }

  // Runs a body that makes something crash; the one report of it.
  template <class Body>
  Report crash_of(Body body) {
    run([&body] {
      trap_exit(true);
      body();
    });
    EXPECT_EQ(reports().size(), 1U);
    return reports().empty() ? Report(Severity::info, "none", "no report") : reports()[0];
  }
};
RT_WITH_SCHEDULERS(CrashReports);

// Where and on what it failed, "handle on Shop::Buy".
std::string place_of(const Report& crash) {
  std::string message = field(crash, "message");
  message.erase(0, message.rfind("::") == std::string::npos ? 0 : message.rfind("::") + 2);
  return field(crash, "callback") + (message.empty() ? "" : " on " + message);
}

[[noreturn]] void fail(const char* why) {
  throw std::runtime_error(why);
}

// Fails where it is told to.
struct Shop : Server<Shop> {
  struct Buy {
    using Reply = int;
  };
  struct Close {};
  struct End {
    ExitReason reason;
  };
  struct Swap {
    using Reply = int;
  };

  explicit Shop(std::string where) : fails_in(std::move(where)) { in("constructor"); }
  void init() { in("init"); }
  void handle_continue() {
    in("handle_continue");
    idle_after(Duration::zero());
  }
  int handle(Buy) { fail("sold out"); }
  void handle(Close) { fail("no key"); }
  void handle(End end) { exit(std::move(end.reason)); }
  void handle(Swap, From<int> from) { exit_with_reply(std::move(from), 7, ExitReason::of(1)); }
  void handle_info(Message&) { fail("what is this"); }
  void handle_idle() { in("handle_idle"); }
  void terminate(const ExitReason&) { in("terminate"); }
  std::string format_state() const {
    in("format_state");
    return "fails in: " + fails_in;
  }

  void in(std::string_view callback) const {
    if (callback == fails_in) fail("as it was told");
  }
  std::string fails_in;
};

// Starts a shop and waits for its end.
void run_shop(const std::string& fails_in, const std::function<void(ServerRef<Shop>)>& use) {
  const auto shop = try_start_monitor<Shop>(fails_in);
  if (!shop) return;
  use(shop->server);
  reason_in_down(shop->ref);
}

// G19, X16
TEST_P(CrashReports, a_bodys_crash_has_the_exception_and_its_words) {
  const Report crash = crash_of([] { reason_of(spawn_monitor([] { fail("boom"); })); });
  EXPECT_EQ(crash.kind(), "crash");
  EXPECT_EQ(crash.severity(), Severity::error);
  EXPECT_EQ(field(crash, "reason"), "error: std::runtime_error: boom");
  EXPECT_EQ(field(crash, "type"), "std::runtime_error");
  EXPECT_EQ(field(crash, "what"), "boom");
  EXPECT_EQ(place_of(crash), "");
}

// G19
TEST_P(CrashReports, a_value_that_was_thrown_has_a_type_and_an_exit_has_none) {
  EXPECT_EQ(field(crash_of([] { reason_of(spawn_monitor([] { throw 42; })); }), "type"), "int");
  run([] { reason_of(spawn_monitor([] { exit(ExitReason::error("T", "w")); })); });
  ASSERT_EQ(reports().size(), 2U);
  EXPECT_EQ(field(reports()[1], "reason"), "error: T: w");
  EXPECT_EQ(field(reports()[1], "type"), "");
  EXPECT_EQ(field(reports()[1], "what"), "");
}

// G19
TEST_P(CrashReports, an_error_that_carries_a_reason_is_told_with_both) {
  const Report crash = crash_of([] {
    const Pid nobody = spawn_monitor([] {}).pid;
    receive<Down>();
    reason_of(spawn_monitor([nobody] { call(ServerRef<Shop>(nobody), Shop::Buy()); }));
  });
  EXPECT_EQ(field(crash, "reason"), "noproc");
  EXPECT_EQ(field(crash, "type"), "airssys::rt::CallError");
  EXPECT_NE(field(crash, "what"), "");
}

// G19
TEST_P(CrashReports, a_failed_call_is_told_once_with_the_client_the_request_and_the_state) {
  std::string client;
  const Report crash = crash_of([&client] {
    client = self().to_string();
    run_shop("-", [](auto shop) { EXPECT_FALSE(try_call(shop, Shop::Buy())); });
  });
  EXPECT_EQ(crash.kind(), "crash");
  EXPECT_EQ(place_of(crash), "handle on Buy");
  EXPECT_EQ(field(crash, "client"), client);
  EXPECT_EQ(field(crash, "state"), "fails in: -");
  EXPECT_EQ(field(crash, "what"), "sold out");
  EXPECT_TRUE(crash.line().contains("Shop::Buy from " + client + ": error: std::runtime_error: "))
      << crash.line();
}

// G19
TEST_P(CrashReports, each_callback_of_a_server_is_named_in_one_report) {
  struct Case {
    std::string fails_in;
    std::function<void(ServerRef<Shop>)> use;
    std::string place;
    std::string state;
  };
  const auto nothing = [](ServerRef<Shop>) {};
  const Case cases[] = {
      {"-", [](auto shop) { cast(shop, Shop::Close()); }, "handle on Close", "fails in: -"},
      {"-", [](auto shop) { send(shop.pid(), 5); }, "handle_info on int", "fails in: -"},
      {"constructor", nothing, "init", ""},
      {"init", nothing, "init", ""},
      {"handle_continue", nothing, "handle_continue", "fails in: handle_continue"},
      {"handle_idle", nothing, "handle_idle", "fails in: handle_idle"},
      {"format_state",
       [](auto shop) { cast(shop, Shop::Close()); },
       "handle on Close",
       "format_state failed: error: std::runtime_error: as it was told"},
      {"-", [](auto shop) { stop(shop, ExitReason::of(1)); }, "stop on StopRequest", "fails in: -"},
  };
  for (const Case& each : cases) {
    const std::size_t before = reports().size();
    run([&each] {
      trap_exit(true);
      run_shop(each.fails_in, each.use);
    });
    ASSERT_EQ(reports().size(), before + 1) << each.fails_in << ", " << each.place;
    EXPECT_EQ(place_of(reports()[before]), each.place);
    EXPECT_EQ(field(reports()[before], "state"), each.state);
    EXPECT_EQ(field(reports()[before], "client"), "");
  }
}

// G18, G19
TEST_P(CrashReports, a_failure_in_terminate_is_told_with_the_reason_before_it) {
  const Report late = crash_of(
      [] { run_shop("terminate", [](auto shop) { EXPECT_FALSE(try_call(shop, Shop::Buy())); }); });
  EXPECT_EQ(place_of(late), "terminate on Buy");
  EXPECT_EQ(field(late, "first_reason"), "error: std::runtime_error: sold out");
  EXPECT_EQ(field(late, "what"), "as it was told");
  EXPECT_EQ(field(late, "state"), "fails in: terminate");
  run([] {
    run_shop("terminate", [](auto shop) { cast(shop, Shop::End{ExitReason::shutdown()}); });
  });
  ASSERT_EQ(reports().size(), 2U);
  EXPECT_EQ(place_of(reports()[1]), "terminate on End");
  EXPECT_EQ(field(reports()[1], "first_reason"), "shutdown");
  EXPECT_EQ(field(reports()[1], "state"), "fails in: terminate");
}

// G16, G19
TEST_P(CrashReports, a_stop_with_a_reply_replies_and_is_told_once) {
  const Report crash =
      crash_of([] { run_shop("-", [](auto shop) { EXPECT_EQ(call(shop, Shop::Swap()), 7); }); });
  EXPECT_EQ(field(crash, "reason"), ExitReason::of(1).to_string());
  EXPECT_EQ(place_of(crash), "handle on Swap");
  run([] { run_shop("terminate", [](auto shop) { EXPECT_EQ(call(shop, Shop::Swap()), 7); }); });
  EXPECT_EQ(reports().size(), 2U);
}

// G16
TEST_P(CrashReports, a_reply_that_waits_for_terminate_goes_with_a_server_that_is_killed_in_it) {
  struct Slow : Server<Slow> {
    struct Stop {
      using Reply = int;
    };
    explicit Slow(Pid to) : owner(to) {}
    void handle(Stop, From<int> from) { exit_with_reply(std::move(from), 7, ExitReason::of(1)); }
    void terminate(const ExitReason&) {
      send(owner, Ready());
      receive<Go>();
    }
    Pid owner;
  };
  run([] {
    const auto slow = start_monitor<Slow>(self());
    PendingReply<int> reply = send_request(slow.server, Slow::Stop());
    receive<Ready>();
    send_exit(slow.server.pid(), ExitReason::kill());
    EXPECT_EQ(reason_in_down(slow.ref), ExitReason::killed());
    EXPECT_EQ(reason_of(reply.try_get(infinite)), ExitReason::killed());
  });
}

// G19
TEST_P(CrashReports, a_machine_names_the_event_in_hand_and_not_what_came_by_mail) {
  std::string client;
  const Report crash = crash_of([&client] {
    client = self().to_string();
    const auto script = start_monitor<Script>(self());
    const auto postponed = send_request(script.server, Script::Ask{[](Script& s) {
                                          if (s.state() == a) return s.postpone();
                                          fail("oh");
                                        }});
    cast(script.server, Do{"go", [](Script& s) { s.next_state(b); }});
    reason_in_down(script.ref);
    while (receive<Message>(Duration::zero())) {
    }
  });
  EXPECT_EQ(place_of(crash), "handle on Ask");
  EXPECT_EQ(field(crash, "client"), client);
  EXPECT_TRUE(field(crash, "state").starts_with("b")) << field(crash, "state");
}

// G19
TEST_P(CrashReports, each_callback_of_a_machine_is_named_in_one_report) {
  const auto boom = [](Script&) { fail("oh"); };
  struct Case {
    Script::Deed at_init;
    Script::Deed at_enter;
    Script::Deed deed;
    std::string place;
  };
  const Case cases[] = {
      {{}, {}, boom, "handle on Do"},
      {boom, {}, {}, "init"},
      {{}, boom, {}, "enter"},
      {{}, {}, [](Script& s) { s.next_event(Script::OnlyInB()); }, "handle on OnlyInB"},
      {{},
       {},
       [boom](Script& s) {
         s.enter_deed = boom;
         s.next_state(b);
       },
       "enter on Do"},
      {{},
       {},
       [boom](Script& s) {
         s.info_deed = boom;
         s.next_event(Message::of(5));
       },
       "handle_info on int"},
  };
  for (const Case& each : cases) {
    const std::size_t before = reports().size();
    run([&each] {
      trap_exit(true);
      const auto script = try_start_monitor<Script>(self(), each.at_init, each.at_enter);
      if (!script) return;
      cast(script->server, Do{"do", each.deed});
      reason_in_down(script->ref);
      while (receive<Message>(Duration::zero())) {
      }
    });
    ASSERT_EQ(reports().size(), before + 1) << each.place;
    EXPECT_EQ(place_of(reports()[before]), each.place);
  }
}

// G19
TEST_P(CrashReports, a_plain_behaviour_is_told_of_by_its_own_names) {
  struct Plain : Behaviour {
    void message(Message&) override { fail("no"); }
    std::string format_state() override { return "plain"; }
  };
  const Report crash = crash_of([] {
    const Spawned plain = spawn_behaviour_monitor(std::make_unique<Plain>());
    send(plain.pid, 5);
    reason_of(plain);
  });
  EXPECT_EQ(place_of(crash), "message on int");
  EXPECT_EQ(field(crash, "state"), "plain");
}

struct Fragile : EventHandler<Fragile, int> {
  void handle(int) { fail("cracked"); }
};

// A handler that fails is removed, and that is all.
TEST_P(CrashReports, a_handler_of_events_that_fails_makes_one_report) {
  std::string manager_pid;
  const Report crash = crash_of([&manager_pid] {
    const EventManagerRef manager = start_event_manager_link();
    manager_pid = manager.pid().to_string();
    add_handler<Fragile>(manager);
    sync_notify(manager, 5);
    stop(manager.pid());
  });
  EXPECT_EQ(crash.kind(), "handler_crash");
  EXPECT_EQ(field(crash, "pid"), manager_pid);
  EXPECT_TRUE(field(crash, "handler").ends_with("Fragile")) << field(crash, "handler");
  EXPECT_EQ(field(crash, "message"), "int");
  EXPECT_EQ(field(crash, "reason"), "error: std::runtime_error: cracked");
}

// X16, V40
TEST_P(CrashReports, a_supervised_crash_and_the_decision_about_it_are_one_report_each) {
  options.log_from = Severity::notice;
  run([] {
    const Pid top = start_supervisor_link(
        {.intensity = 10, .children = {child<Shop>("shop", {.restart = Restart::temporary}, "-")}});
    const Pid shop = which_children(top).at(0).pid;
    const MonitorRef ref = monitor(shop);
    cast(ServerRef<Shop>(shop), Shop::Close());
    reason_in_down(ref);
    stop(top);
  });
  ASSERT_EQ(reports().size(), 2U);
  EXPECT_EQ(reports()[0].kind(), "crash");
  EXPECT_EQ(reports()[1].kind(), "supervisor");
  EXPECT_EQ(field(reports()[1], "child_pid"), field(reports()[0], "pid"));
}

}  // namespace
}  // namespace airssys::rt::semantics::crash_reports_test
