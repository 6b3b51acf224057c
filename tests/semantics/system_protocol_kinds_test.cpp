// system_protocol_kinds_test.cpp: what can be asked of a behaviour, of every kind of it (C).
//
// Method: one of each kind, and for each kind a message that it takes without an answer and a call;
// what is switched on has to tell of both, in the same words. What only one kind can show:
// system_protocol_test.cpp, system_protocol_states_test.cpp.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::system_protocol_kinds_test {
namespace {

using namespace std::chrono_literals;

class SystemKinds : public ServerRules {};
RT_WITH_SCHEDULERS(SystemKinds);

struct Counter : Server<Counter> {
  struct Add {};
  struct Value {
    using Reply = int;
  };
  void init() { trap_exit(true); }
  void handle(Add) { ++value; }
  int handle(Value) const { return value; }
  int value = 0;
};

struct Lamp : StateMachine<Lamp> {
  enum class State { off, on };
  using enum State;
  struct Press {};
  struct Presses {
    using Reply = int;
  };
  State init() {
    trap_exit(true);
    return off;
  }
  void handle(State now, Press) {
    ++presses;
    next_state(now == on ? off : on);
  }
  int handle(State, Presses) const { return presses; }
  int presses = 0;
};

struct Tick {};

struct Tally : EventHandler<Tally, Tick> {
  void handle(const Tick& /*tick*/) { ++ticks; }
  int ticks = 0;
};

struct Nobody {};  // what no supervisor takes

// One of a kind: what it takes without an answer, and what it answers.
struct Kind {
  std::string name;
  std::function<Pid()> start;
  std::function<void(Pid)> tell;
  std::string told;  // the event that this is, and the end of its type's name
  std::string told_type;
  std::function<void(Pid)> ask;
  std::string asked_type;
};

std::vector<Kind> kinds() {
  const auto stray = [](Pid pid) { send(pid, Nobody()); };
  const auto count = [](Pid pid) { count_children(pid); };
  return {{"server",
           [] { return start_link<Counter>().pid(); },
           [](Pid pid) { cast(ServerRef<Counter>(pid), Counter::Add()); },
           "cast",
           "Counter::Add",
           [](Pid pid) { call(ServerRef<Counter>(pid), Counter::Value()); },
           "Counter::Value"},
          {"state machine",
           [] { return start_link<Lamp>().pid(); },
           [](Pid pid) { cast(ServerRef<Lamp>(pid), Lamp::Press()); },
           "cast",
           "Lamp::Press",
           [](Pid pid) { call(ServerRef<Lamp>(pid), Lamp::Presses()); },
           "Lamp::Presses"},
          {"event manager",
           [] {
             const EventManagerRef manager = start_event_manager_link();
             add_handler<Tally>(manager);
             return manager.pid();
           },
           [](Pid pid) { notify(pid, Tick()); },
           "message",
           "Tick",
           [](Pid pid) { sync_notify(pid, Tick()); },
           "EventManagerServer::SyncNotify"},
          {"supervisor",
           [] { return start_supervisor_link({}); },
           stray,
           "message",
           "Nobody",
           count,
           "SupervisorServer::CountChildren"},
          {"dynamic supervisor",
           [] { return start_dynamic_supervisor_link({}); },
           stray,
           "message",
           "Nobody",
           count,
           "SupervisorServer::CountChildren"}};
}

using Event = sys::Event;

struct Seen {
  Event::Kind kind;
  std::string type;
  Pid caller;
};

// Tells this process of each event.
void install_witness(Pid pid) {
  sys::install(pid, "witness", [tester = self()](const Event& event) {
    send(tester, Seen{event.kind, std::string(event.type), event.caller});
    return sys::HookResult::again;
  });
}

void expect_seen(const Kind& kind, Event::Kind what, std::string_view type, Pid caller) {
  const Seen seen = receive<Seen>();
  EXPECT_EQ(seen.kind, what) << kind.name;
  EXPECT_TRUE(seen.type.ends_with(type)) << kind.name << ": " << seen.type;
  EXPECT_EQ(seen.caller, caller) << kind.name;
}

void expect_told_and_asked(const Kind& kind, Pid caller) {
  const auto told = kind.told == "cast" ? Event::Kind::cast : Event::Kind::message;
  expect_seen(kind, told, kind.told_type, Pid());
  expect_seen(kind, Event::Kind::no_reply, kind.told_type, Pid());
  expect_seen(kind, Event::Kind::call, kind.asked_type, caller);
  expect_seen(kind, Event::Kind::reply, kind.asked_type, caller);
}

void end_of_kind(Pid pid) {
  sys::remove(pid, "witness");
  stop(pid);
  EXPECT_EQ(exit_of(pid), ExitReason::normal());
}

// --- suspended ---

// C2
TEST_P(SystemKinds, what_comes_while_it_is_suspended_is_handled_in_order_afterwards) {
  run([] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      install_witness(pid);
      sys::suspend(pid);
      kind.tell(pid);
      const Spawned other = spawn_monitor([&kind, pid] { kind.ask(pid); });
      while (process_info(pid)->message_queue_len < 2) yield();
      EXPECT_TRUE(sys::get_status(pid).is_suspended) << kind.name;
      EXPECT_FALSE(receive<Seen>(0ms)) << kind.name;
      sys::resume(pid);
      EXPECT_EQ(reason_of(other), ExitReason::normal()) << kind.name;
      expect_told_and_asked(kind, other.pid);
      end_of_kind(pid);
    }
  });
}

// C2
TEST_P(SystemKinds, its_parents_end_ends_it_also_while_it_is_suspended) {
  run([] {
    for (const Kind& kind : kinds()) {
      const Spawned parent = spawn_monitor([&kind, tester = self()] {
        const Pid pid = kind.start();
        sys::suspend(pid);
        send(tester, pid);
        receive<Go>();
        exit(ExitReason::shutdown("parent"));
      });
      const MonitorRef end = monitor(receive<Pid>());
      send(parent.pid, Go());
      EXPECT_EQ(reason_in_down(end), ExitReason::shutdown("parent")) << kind.name;
      reason_of(parent);
    }
  });
}

// --- its state ---

// C3
TEST_P(SystemKinds, the_state_of_a_machine_and_its_data_are_replaced_as_one_or_not_at_all) {
  run([] {
    const ServerRef<Lamp> lamp = start_link<Lamp>();
    for (const bool is_suspended : {false, true}) {
      if (is_suspended) sys::suspend(lamp.pid());
      sys::replace_state(lamp, [](Lamp::State& state, Lamp& data) {
        state = Lamp::on;
        data.presses = 7;
      });
      const auto fail = [lamp] {
        sys::replace_state(lamp, [](Lamp::State& state, Lamp& data) {
          state = Lamp::off;
          data.presses = 99;
          throw std::runtime_error("half way");
        });
      };
      EXPECT_THROW(fail(), CallError);
      sys::get_state(lamp, [](const Lamp::State& state, const Lamp& data) {
        EXPECT_EQ(state, Lamp::on);
        EXPECT_EQ(data.presses, 7);
      });
    }
    sys::resume(lamp.pid());
    EXPECT_EQ(call(lamp, Lamp::Presses()), 7);
    EXPECT_TRUE(sys::get_status(lamp.pid()).state.contains("on"));
  });
}

// --- what it does ---

// C5
TEST_P(SystemKinds, a_hook_sees_what_comes_in_and_what_goes_out_until_it_is_removed) {
  run([] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      install_witness(pid);
      kind.tell(pid);
      kind.ask(pid);
      expect_told_and_asked(kind, self());
      sys::remove(pid, "witness");
      kind.tell(pid);
      kind.ask(pid);
      EXPECT_FALSE(receive<Seen>(0ms)) << kind.name;
      end_of_kind(pid);
    }
  });
}

// C5
TEST_P(SystemKinds, a_hook_that_is_done_or_fails_is_taken_away_and_harms_nobody) {
  run([] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      sys::install(pid, "done", [](const Event&) { return sys::HookResult::done; });
      sys::install(pid, "fails", [](const Event&) -> sys::HookResult { throw 1; });
      install_witness(pid);
      kind.tell(pid);
      EXPECT_EQ(sys::get_status(pid).hooks, std::vector<std::string>{"witness"}) << kind.name;
      kind.ask(pid);
      expect_told_and_asked(kind, self());
      end_of_kind(pid);
    }
  });
}

// C5
TEST_P(SystemKinds, the_log_keeps_the_events_and_prints_them) {
  run([this] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      kind.ask(pid);
      sys::log(pid);
      kind.tell(pid);
      kind.ask(pid);
      const std::vector<std::string> log = sys::get_log(pid);
      ASSERT_EQ(log.size(), 4U) << kind.name;
      EXPECT_TRUE(log[0].starts_with(kind.told + " ")) << log[0];
      EXPECT_TRUE(log[0].ends_with(kind.told_type)) << log[0];
      EXPECT_TRUE(log[1].starts_with("no reply to ")) << log[1];
      const std::string from = kind.asked_type + " from " + self().to_string();
      EXPECT_TRUE(log[2].starts_with("call ") && log[2].ends_with(from)) << log[2];
      EXPECT_TRUE(log[3].starts_with("reply to ") && log[3].ends_with(from)) << log[3];
      sys::print_log(pid);
      for (const std::string& event : log)
        EXPECT_EQ(logged(" " + pid.to_string() + ": " + event), 1) << event << "\n" << log_text();
      sys::log(pid, 0);
      kind.ask(pid);
      EXPECT_TRUE(sys::get_log(pid).empty()) << kind.name;
      end_of_kind(pid);
    }
  });
}

// C5
TEST_P(SystemKinds, a_trace_names_who_it_is_and_tells_of_each_event) {
  run([this] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      const std::string who = sys::get_status(pid).type + " " + pid.to_string() + ": ";
      sys::trace(pid, true);
      kind.tell(pid);
      kind.ask(pid);
      EXPECT_TRUE(sys::get_status(pid).is_traced) << kind.name;
      sys::trace(pid, false);
      kind.tell(pid);
      kind.ask(pid);
      EXPECT_EQ(logged(who + kind.told + " "), 1) << kind.name << "\n" << log_text();
      EXPECT_EQ(logged(who + "no reply to "), 1) << kind.name;
      EXPECT_EQ(logged(who + "call "), 1) << kind.name;
      EXPECT_EQ(logged(who + "reply to "), 1) << kind.name;
      end_of_kind(pid);
    }
  });
}

// C5
TEST_P(SystemKinds, traces_and_printed_logs_say_the_registered_name_too) {
  run([this] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      const std::string who = sys::get_status(pid).type + " " + pid.to_string();
      sys::log(pid);
      sys::trace(pid, true);
      register_name("named", pid);
      kind.ask(pid);
      sys::trace(pid, false);
      EXPECT_EQ(logged(who + " \"named\": call "), 1) << log_text();
      sys::print_log(pid);
      EXPECT_EQ(logged(who + " \"named\": call "), 2) << log_text();
      unregister_name("named");
      sys::print_log(pid);
      EXPECT_EQ(logged(who + ": call "), 1) << log_text();
      end_of_kind(pid);
    }
  });
}

// C5
TEST_P(SystemKinds, statistics_count_what_comes_in_and_what_goes_out) {
  run([] {
    for (const Kind& kind : kinds()) {
      const Pid pid = kind.start();
      kind.ask(pid);
      EXPECT_FALSE(sys::get_statistics(pid)) << kind.name;
      sys::statistics(pid, true);
      kind.tell(pid);
      kind.ask(pid);
      kind.ask(pid);
      const std::optional<sys::Statistics> counted = sys::get_statistics(pid);
      ASSERT_TRUE(counted) << kind.name;
      EXPECT_EQ(counted->messages_in, 3U) << kind.name;
      EXPECT_EQ(counted->messages_out, 2U) << kind.name;
      EXPECT_GE(counted->reductions, 3U) << kind.name;
      EXPECT_LE(counted->since, counted->now) << kind.name;
      sys::statistics(pid, false);
      EXPECT_FALSE(sys::get_statistics(pid)) << kind.name;
      end_of_kind(pid);
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::system_protocol_kinds_test
