// servers_stop_test.cpp: how a server ends: whom it tells, in which order, and why (G14–G19).
//
// Method: servers that say when they terminate and when they are gone; what races with a stop is
// run for many rounds.
#include <airssys/rt.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::servers_stop_test {
namespace {

using namespace std::chrono_literals;

class StopRules : public ServerRules {};
RT_WITH_SCHEDULERS(StopRules);

const std::string terminated = "terminate " + ExitReason::of(1).to_string();

// A process that starts a Told, says its pid, and does as the test says then.
template <class Deed>
std::pair<Spawned, Pid> start_below_parent(bool traps_exits, bool is_linked, Deed deed) {
  const Spawned parent = spawn_monitor([=, tester = self()] {
    const Told::Plan plan{.traps_exits = traps_exits};
    const ServerRef<Told> told =
        is_linked ? start_link<Told>(tester, plan) : start<Told>(tester, plan);
    send(tester, told.pid());
    receive<Go>();
    deed(told.pid());
  });
  const Pid told = receive<Pid>();
  EXPECT_EQ(said(2), "init, continue");
  return {parent, told};
}

// G14
TEST_P(StopRules, the_parents_end_ends_a_trapping_server_with_its_reason_also_normal) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::of(1)}) {
      const auto [parent, told] = start_below_parent(true, true, [&reason](Pid) { exit(reason); });
      const MonitorRef end = monitor(told);
      send(parent.pid, Go());
      EXPECT_EQ(reason_in_down(end), reason);
      EXPECT_EQ(said(2), "terminate " + reason.to_string() + ", destroyed")
          << "handle_info is not asked";
      EXPECT_EQ(reason_of(parent), reason);
    }
  });
}

// G14
TEST_P(StopRules, an_exit_that_the_parent_sends_is_obeyed_like_its_end) {
  run([] {
    const auto [parent, told] = start_below_parent(true, true, [](Pid pid) {
      const MonitorRef end = monitor(pid);
      send_exit(pid, ExitReason::of(1));
      trap_exit(true);
      EXPECT_EQ(reason_in_down(end), ExitReason::of(1));
    });
    send(parent.pid, Go());
    EXPECT_EQ(reason_of(parent), ExitReason::normal());
    EXPECT_EQ(said(2), terminated + ", destroyed");
  });
}

// The parent is who has called start_link; who has called start is a stranger.
// G14
TEST_P(StopRules, exits_of_others_are_messages_also_of_who_started_it_without_a_link) {
  run([] {
    const auto [parent, told] = start_below_parent(true, false, [](Pid pid) {
      send_exit(pid, ExitReason::of(1));
      link(pid);
      exit(ExitReason::of(2));
    });
    const Spawned stranger = spawn_monitor([pid = told] { send_exit(pid, ExitReason::of(3)); });
    EXPECT_EQ(reason_of(stranger), ExitReason::normal());
    EXPECT_EQ(said(), "exit " + ExitReason::of(3).to_string());
    send(parent.pid, Go());
    EXPECT_EQ(reason_of(parent), ExitReason::of(2));
    EXPECT_EQ(said(2),
              "exit " + ExitReason::of(1).to_string() + ", exit " + ExitReason::of(2).to_string());
    stop(told);
  });
}

// G14, G15
TEST_P(StopRules, a_server_that_does_not_trap_dies_of_its_parents_abnormal_end_alone) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::of(1)}) {
      const auto [parent, told] = start_below_parent(false, true, [&reason](Pid) { exit(reason); });
      const MonitorRef end = monitor(told);
      send(parent.pid, Go());
      EXPECT_EQ(reason_of(parent), reason);
      if (reason == ExitReason::normal()) {
        EXPECT_EQ(call(server_ref<Told>(told), Told::Get{}), 7);
        EXPECT_EQ(said(), "get");
        send_exit(told, ExitReason::of(1));
      }
      EXPECT_EQ(reason_in_down(end), ExitReason::of(1));
      EXPECT_EQ(said(), "destroyed") << "no terminate";
    }
  });
}

// E3, G14
TEST_P(StopRules, the_end_of_the_runtime_terminates_servers_without_a_linked_parent) {
  std::atomic<int> terminated_servers = 0;
  struct Last : Server<Last> {
    explicit Last(std::atomic<int>& ends) : count(ends) {}
    void init() { trap_exit(true); }
    void terminate(const ExitReason& reason) {
      if (reason == ExitReason::shutdown()) ++count;
    }
    std::atomic<int>& count;
  };
  Runtime runtime(options);
  runtime.run([&] {
    for (int i = 0; i < 5; ++i) start<Last>(std::ref(terminated_servers));
  });
  runtime.stop(60s);
  EXPECT_EQ(terminated_servers, 5);
}

// G15
TEST_P(StopRules, a_signal_that_kills_does_not_let_it_terminate) {
  run([] {
    for (const bool traps : {false, true}) {
      for (const ExitReason& reason : {ExitReason::kill(), ExitReason::of(1)}) {
        if (traps && reason != ExitReason::kill()) continue;
        const ServerRef<Told> told = start_told({.traps_exits = traps});
        send_exit(told.pid(), reason);
        EXPECT_EQ(exit_of(told.pid()),
                  reason == ExitReason::kill() ? ExitReason::killed() : reason);
        EXPECT_EQ(said(), "destroyed");
      }
    }
  });
}

// G15
TEST_P(StopRules, a_start_that_failed_does_not_terminate) {
  run([] {
    const auto fail = [](Told&) { throw std::runtime_error("no"); };
    EXPECT_FALSE(try_start_link<Told>(self(), Told::Plan{.at_init = fail}));
    EXPECT_EQ(said(2), "init, destroyed");
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G16
TEST_P(StopRules, a_reply_at_the_end_comes_behind_terminate_and_before_the_end) {
  run([] {
    for (const bool fails : {false, true}) {
      const auto at_end = [fails](Told&) {
        if (fails) throw std::runtime_error("worse");
      };
      const ServerRef<Told> told = start_told({.at_end = at_end});
      const auto end = [](Told&, From<int> from) {
        exit_with_reply(std::move(from), 5, ExitReason::of(1));
      };
      PendingReply<int> reply = send_request(told, Told::Later{end});
      EXPECT_EQ(said(2), "later, " + terminated);
      EXPECT_EQ(reply.get(infinite), 5);
      EXPECT_EQ(exit_of(told.pid()),
                fails ? ExitReason::error("std::runtime_error", "worse") : ExitReason::of(1));
      EXPECT_EQ(said(), "destroyed");
    }
  });
}

// G16
TEST_P(StopRules, the_caller_has_no_reply_before_terminate_is_through) {
  run([] {
    const ServerRef<Told> told = start_told({.at_end = [](Told&) { receive<Gate>(); }});
    PendingReply<int> reply =
        send_request(told, Told::Later{[](Told&, From<int> from) {
                       exit_with_reply(std::move(from), 5, ExitReason::normal());
                     }});
    EXPECT_EQ(said(2), "later, terminate normal");
    EXPECT_FALSE(reply.wait(1ms));
    send(told.pid(), Gate());
    EXPECT_EQ(reply.get(infinite), 5);
    EXPECT_EQ(exit_of(told.pid()), ExitReason::normal());
  });
}

// G16
TEST_P(StopRules, any_callback_may_end_with_a_reply_that_it_owes) {
  struct Void : Server<Void> {
    struct Wait {
      using Reply = void;
    };
    void handle(Wait, From<void> from) {
      caller = std::move(from);
      idle_after(0ms);
    }
    void handle_idle() { exit_with_reply(std::move(caller), ExitReason::shutdown()); }
    From<void> caller;
  };
  run([] {
    const ServerRef<Void> server = start_link<Void>();
    call(server, Void::Wait{}, infinite);
    EXPECT_EQ(exit_of(server.pid()), ExitReason::shutdown());
  });
}

// G17
TEST_P(StopRules, a_stop_returns_when_the_server_is_gone) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const ServerRef<Told> told = start<Told>({.name = "told"}, self());
      const ExitReason reason = i % 2 ? ExitReason::normal() : ExitReason::of(1);
      stop(told, reason);
      ASSERT_FALSE(whereis("told"));
      ASSERT_FALSE(is_alive(told.pid()));
      ASSERT_EQ(said(4), "init, continue, terminate " + reason.to_string() + ", destroyed");
    }
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G17
TEST_P(StopRules, a_stop_tells_whatever_else_became_of_the_server) {
  run([] {
    EXPECT_EQ(failure_of(try_stop(spawn_dead())), CallError::noproc);
    EXPECT_EQ(failure_of(try_stop(server_ref<Told>("nobody"))), CallError::noproc);
    EXPECT_EQ(failure_of(try_stop(self())), CallError::calling_self);

    const auto worse = [](Told&) { throw std::runtime_error("worse"); };
    const auto otherwise = try_stop(start_told({.at_end = worse}));
    EXPECT_EQ(failure_of(otherwise), CallError::exited);
    EXPECT_EQ(reason_of(otherwise), ExitReason::error("std::runtime_error", "worse"));
    forget_said();

    const ServerRef<Told> slow = start_told({.at_end = [](Told&) { receive<Gate>(); }});
    EXPECT_EQ(failure_of(try_stop(slow, ExitReason::normal(), 0ms)), CallError::timeout);
    const Spawned caller = spawn_monitor([slow] { stop(slow, ExitReason::of(2), 1ms); });
    EXPECT_EQ(reason_of(caller), ExitReason::timeout()) << "uncaught, it ends who asked";
    const MonitorRef end = monitor(slow.pid());
    send(slow.pid(), Gate());
    EXPECT_EQ(reason_in_down(end), ExitReason::normal()) << "the first stop counts";
  });
}

// G17, C2
TEST_P(StopRules, a_suspended_server_is_stopped_before_its_mail) {
  run([] {
    const ServerRef<Told> told = start_told();
    sys::suspend(told.pid());
    cast(told, Told::Do{"never"});
    stop(told, ExitReason::of(1));
    EXPECT_EQ(said(2), terminated + ", destroyed");
  });
}

// Calls that come while it ends are answered, or told its reason, or that it is gone; none hangs.
// G17, G18
TEST_P(StopRules, calls_and_stops_that_race_all_come_to_an_end) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const ServerRef<Told> told = start_told();
      std::vector<Spawned> callers;
      for (std::size_t k = 0; k < 3; ++k) {
        callers.push_back(spawn_monitor([told, turns = (i + k) % 4] {
          for (std::size_t turn = 0; turn < turns; ++turn) yield();
          const auto reply = try_call(told, Told::Get{}, infinite);
          if (reply) return;
          EXPECT_TRUE(reply.error().reason() == ExitReason::shutdown() ||
                      reply.error().reason() == ExitReason::noproc())
              << reply.error().what();
        }));
      }
      for (std::size_t k = 0; k < 2; ++k) {
        callers.push_back(spawn_monitor([told, turns = (i / 4 + k) % 3] {
          for (std::size_t turn = 0; turn < turns; ++turn) yield();
          const auto stopped = try_stop(told, ExitReason::shutdown());
          EXPECT_TRUE(stopped || stopped.error().kind() == CallError::noproc);
        }));
      }
      for (const Spawned& caller : callers) ASSERT_EQ(reason_of(caller), ExitReason::normal());
      ASSERT_EQ(exit_of(told.pid()), ExitReason::shutdown());
      forget_said();
    }
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G18
TEST_P(StopRules, a_failure_in_terminate_is_the_reason_that_all_see) {
  run([] {
    const ExitReason worse = ExitReason::error("std::runtime_error", "worse");
    const std::vector<Told::Deed> failures = {[](Told&) { throw std::runtime_error("worse"); },
                                              [&worse](Told&) { exit(worse); }};
    for (const Told::Deed& fail : failures) {
      const ServerRef<Told> told = start_told({.at_end = fail});
      const MonitorRef end = monitor(told.pid());
      cast(told, Told::Do{"throw", [](Told&) { throw std::runtime_error("bad"); }});
      EXPECT_EQ(reason_in_down(end), worse);
      EXPECT_EQ(exit_of(told.pid()), worse);
      EXPECT_EQ(said(3), "throw, terminate error: std::runtime_error: bad, destroyed");
    }
  });
}

// G18
TEST_P(StopRules, calls_that_stand_in_the_queue_get_the_servers_reason) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::of(1)}) {
      const ServerRef<Told> told = start_told();
      cast(told, Told::Do{"wait", [&reason](Told&) {
                            receive<Gate>();
                            exit(reason);
                          }});
      std::vector<PendingReply<int>> waiting;
      for (int i = 0; i < 5; ++i) waiting.push_back(send_request(told, Told::Get{}));
      send(told.pid(), Gate());
      for (PendingReply<int>& reply : waiting) {
        const auto result = reply.try_get(infinite);
        EXPECT_EQ(failure_of(result), CallError::exited);
        EXPECT_EQ(reason_of(result), reason);
      }
      EXPECT_EQ(exit_of(told.pid()), reason);
      forget_said();
    }
  });
}

// --- reports ---

struct Shown : Server<Shown> {
  struct Fail {
    using Reply = int;
    ExitReason reason;
  };
  struct FailCast {
    ExitReason reason;
  };
  struct SetBad {};
  int handle(const Fail& fail) { exit(fail.reason); }
  void handle(const FailCast& fail) { exit(fail.reason); }
  void handle(SetBad) { is_bad = true; }
  void handle_info(Message& message) {
    const Message taken = std::move(message);
    throw std::runtime_error("in info");
  }
  std::string format_state() const {
    if (is_bad) throw std::runtime_error("cannot be shown");
    return "all is well";
  }
  bool is_bad = false;
};

// G19
TEST_P(StopRules, a_crash_is_reported_with_reason_message_state_and_client) {
  run([this] {
    const ServerRef<Shown> shown = start_link<Shown>();
    EXPECT_FALSE(try_call(shown, Shown::Fail{ExitReason::of(77)}));
    EXPECT_EQ(logged("process " + shown.pid().to_string() + " crashed in handle on "), 1)
        << log_text();
    EXPECT_EQ(logged("Shown::Fail from " + self().to_string() + ": " +
                     ExitReason::of(77).to_string() + "; state: all is well"),
              1)
        << log_text();
  });
}

// G19
TEST_P(StopRules, whatever_fails_is_reported_once) {
  run([this] {
    const ServerRef<Shown> in_cast = start_link<Shown>();
    cast(in_cast, Shown::SetBad{});
    cast(in_cast, Shown::FailCast{ExitReason::of(1)});
    exit_of(in_cast.pid());
    EXPECT_EQ(logged("format_state failed: error: std::runtime_error: cannot be shown"), 1)
        << log_text();
    const ServerRef<Shown> in_info = start_link<Shown>();
    send(in_info.pid(), 5);
    EXPECT_EQ(exit_of(in_info.pid()), ExitReason::error("std::runtime_error", "in info"));
    const Told::Deed fails = [](Told&) { throw std::runtime_error("in a callback"); };
    const ServerRef<Told> in_continue = start_link<Told>(self(), Told::Plan{.at_continue = fails});
    exit_of(in_continue.pid());
    const ServerRef<Told> in_idle = start_link<Told>(
        self(), Told::Plan{.at_init = [](Told&) { idle_after(0ms); }, .at_idle = fails});
    exit_of(in_idle.pid());
    EXPECT_EQ(logged("crashed in"), 4) << log_text();
    EXPECT_EQ(logged("crashed in handle_info on int: "), 1) << log_text();
    EXPECT_EQ(logged("crashed in handle_continue: "), 1) << log_text();
    EXPECT_EQ(logged("crashed in handle_idle: "), 1) << log_text();
  });
}

// G19
TEST_P(StopRules, ends_in_order_are_not_reported) {
  run([this] {
    for (const ExitReason& reason :
         {ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("enough")}) {
      const ServerRef<Shown> shown = start_link<Shown>();
      cast(shown, Shown::FailCast{reason});
      EXPECT_EQ(exit_of(shown.pid()), reason);
      stop(start_link<Shown>(), reason);
    }
    EXPECT_EQ(log_text(), "");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::servers_stop_test
