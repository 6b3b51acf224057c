// system_protocol_test.cpp: what can be asked of a behaviour while it runs (C).
//
// Method: each request is taken in its turn, so what was sent before it counts and what was sent
// behind it does not. Hand-written processes: custom_processes_test.cpp.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::system_protocol_test {
namespace {

using namespace std::chrono_literals;

class SystemRules : public ServerRules {};
RT_WITH_SCHEDULERS(SystemRules);

struct Counter : Server<Counter> {
  struct Add {
    long by;
  };
  struct Value {
    using Reply = long;
  };
  struct Later {
    using Reply = long;
  };
  struct Wait {};

  void init() { trap_exit(true); }
  void handle(Add add) { value += add.by; }
  long handle(Value) const { return value; }
  void handle(Later, From<long> from) { from.reply(value); }
  void handle(Wait) { receive<Gate>(); }
  std::string format_state() const {
    if (value < 0) throw std::runtime_error("negative");
    return "value " + std::to_string(value);
  }

  long value = 0;
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

struct Alarms : EventHandler<Alarms, std::string> {
  explicit Alarms(Pid pid) : owner(pid) {}
  void handle(const std::string& text) const { send(owner, Said{text}); }
  Pid owner;
};

long value_of(ServerRef<Counter> counter) {
  return sys::get_state(counter, [](const Counter& c) { return c.value; });
}

// Why a request failed, if it did.
std::optional<CallError> failure_of_request(const std::function<void()>& ask) {
  try {
    ask();
    return std::nullopt;
  } catch (const CallError& error) {
    return error;
  }
}
std::optional<CallError::Kind> kind_of(const std::function<void()>& ask) {
  const std::optional<CallError> error = failure_of_request(ask);
  if (!error) return std::nullopt;
  return error->kind();
}

// One behaviour of each kind.
std::vector<std::pair<const char*, Pid>> behaviours() {
  return {{"server", start_link<Counter>().pid()},
          {"machine", start_link<Door>().pid()},
          {"manager", start_event_manager_link().pid()},
          {"supervisor", start_supervisor_link({})},
          {"dynamic supervisor", start_dynamic_supervisor_link({})}};
}

// --- in their turn ---

// C1
TEST_P(SystemRules, requests_are_answered_in_the_order_of_the_mail) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    for (long i = 1; i <= 100; ++i) {
      cast(counter, Counter::Add{1});
      ASSERT_EQ(value_of(counter), i);
      sys::replace_state(counter, [](Counter& c) { c.value *= 2; });
      cast(counter, Counter::Add{-i});
      ASSERT_EQ(value_of(counter), i);
    }
  });
}

// C1
TEST_P(SystemRules, a_request_fails_as_a_call_does) {
  run([] {
    const Pid dead = spawn_dead();
    EXPECT_EQ(kind_of([=] { sys::get_status(dead); }), CallError::noproc);
    const ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_EQ(kind_of([=] { sys::suspend(self()); }), CallError::calling_self);
    EXPECT_THROW(sys::suspend(counter.pid(), -1ms), BadArgument);
    cast(counter, Counter::Wait{});
    EXPECT_EQ(kind_of([=] { sys::get_status(counter.pid(), 1ms); }), CallError::timeout);
    const Spawned waiting = spawn_monitor([=] { sys::get_status(counter.pid(), infinite); });
    while (process_info(counter.pid())->message_queue_len < 2) yield();
    send_exit(counter.pid(), ExitReason::kill());
    EXPECT_EQ(reason_of(waiting), ExitReason::killed()) << "uncaught, it ends who asked";
    exit_of(counter.pid());
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// --- suspended ---

// C2
TEST_P(SystemRules, whoever_is_suspended_handles_nothing_until_one_resume) {
  run([] {
    for (const auto& [kind, pid] : behaviours()) {
      EXPECT_FALSE(sys::get_status(pid).is_suspended) << kind;
      sys::suspend(pid);
      sys::suspend(pid);
      EXPECT_TRUE(sys::get_status(pid).is_suspended) << kind;
      sys::resume(pid);
      EXPECT_FALSE(sys::get_status(pid).is_suspended) << kind;
      sys::resume(pid);
      EXPECT_FALSE(sys::get_status(pid).is_suspended) << kind;
    }
    const ServerRef<Counter> counter = start_link<Counter>();
    sys::suspend(counter.pid());
    PendingReply<long> before = send_request(counter, Counter::Value{});
    for (int i = 0; i < 10; ++i) cast(counter, Counter::Add{1});
    PendingReply<long> behind = send_request(counter, Counter::Value{});
    EXPECT_EQ(value_of(counter), 0);
    EXPECT_FALSE(before.wait(1ms));
    sys::resume(counter.pid());
    EXPECT_EQ(before.get(), 0) << "all else waits in its order";
    EXPECT_EQ(behind.get(), 10);
  });
}

// C2
TEST_P(SystemRules, a_suspended_event_manager_keeps_its_events) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    add_handler<Alarms>(manager, self());
    sys::suspend(manager.pid());
    notify(manager, std::string("a"));
    notify(manager, std::string("b"));
    EXPECT_TRUE(sys::get_status(manager.pid()).is_suspended);
    EXPECT_FALSE(receive<Said>(0ms));
    sys::resume(manager.pid());
    EXPECT_EQ(said(2), "a, b");
  });
}

// C2
TEST_P(SystemRules, the_parents_end_ends_a_suspended_one_and_exits_of_others_wait) {
  run([] {
    const Spawned parent = spawn_monitor([tester = self()] {
      const ServerRef<Told> told = start_link<Told>(tester, Told::Plan{.traps_exits = true});
      sys::suspend(told.pid());
      send(tester, told.pid());
      receive<Go>();
      exit(ExitReason::of(1));
    });
    const Pid told = receive<Pid>();
    const MonitorRef end = monitor(told);
    EXPECT_EQ(said(2), "init, continue");
    send_exit(told, ExitReason::of(2));
    EXPECT_TRUE(sys::get_status(told).is_suspended);
    send(parent.pid, Go());
    EXPECT_EQ(reason_in_down(end), ExitReason::of(1));
    EXPECT_EQ(said(2), "terminate " + ExitReason::of(1).to_string() + ", destroyed");
  });
}

// C2
TEST_P(SystemRules, a_suspended_one_can_be_stopped_and_killed) {
  run([] {
    for (const auto& [kind, pid] : behaviours()) {
      sys::suspend(pid);
      stop(pid, ExitReason::shutdown());
      EXPECT_EQ(exit_of(pid), ExitReason::shutdown()) << kind;
    }
    for (const auto& [kind, pid] : behaviours()) {
      sys::suspend(pid);
      send_exit(pid, ExitReason::kill());
      EXPECT_EQ(exit_of(pid), ExitReason::killed()) << kind;
    }
  });
}

// Whoever suspends knows that nothing is handled from then on, whatever stands in the mailbox.
// C2
TEST_P(SystemRules, after_a_suspension_nothing_is_handled_whatever_races) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const Spawned caster = spawn_monitor([counter] {
      while (!receive<Go>(0ms)) {
        for (int i = 0; i < 20; ++i) cast(counter, Counter::Add{1});
        call(counter, Counter::Value{}, infinite);
      }
    });
    for (const std::size_t i : support::rounds()) {
      sys::suspend(counter.pid());
      const long before = value_of(counter);
      for (std::size_t turns = i % 5; turns > 0; --turns) yield();
      support::stagger(i);
      ASSERT_EQ(value_of(counter), before);
      sys::resume(counter.pid());
    }
    end(caster);
  });
}

// --- its state ---

// C3
TEST_P(SystemRules, the_state_is_read_and_replaced_also_while_suspended) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    for (const bool is_suspended : {false, true}) {
      if (is_suspended) sys::suspend(counter.pid());
      sys::replace_state(counter, [](Counter& c) { c.value = 5; });
      EXPECT_EQ(value_of(counter), 5);
      sys::replace_state(counter, [](Counter& c) { c.value = 6; });
      EXPECT_EQ(value_of(counter), 6);
    }
    sys::resume(counter.pid());
    EXPECT_EQ(call(counter, Counter::Value{}), 6);
    const ServerRef<Door> door = start_link<Door>();
    sys::replace_state(door, [](Door::State& state, Door& data) {
      state = Door::open;
      data.walked = 41;
    });
    EXPECT_EQ(call(door, Door::Walk{}), 42);
    EXPECT_EQ(sys::get_state(door, [](const Door& data) { return data.walked; }), 42);
  });
}

// C3
TEST_P(SystemRules, a_function_that_fails_changes_nothing_and_the_server_lives) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const std::vector<std::pair<std::function<void()>, ExitReason>> failures = {
        {[] { throw std::runtime_error("half way"); },
         ExitReason::error("std::runtime_error", "half way")},
        {[] { exit(ExitReason::of(1)); }, ExitReason::of(1)},
        {[] { throw 42; }, ExitReason::error("nocatch", "int")}};
    for (const auto& [fail, reason] : failures) {
      const auto in_replace = failure_of_request([&] {
        sys::replace_state(counter, [fail](Counter& c) {
          c.value = 99;
          fail();
        });
      });
      ASSERT_TRUE(in_replace);
      EXPECT_EQ(in_replace->kind(), CallError::callback_failed);
      EXPECT_EQ(in_replace->reason(), reason);
      const auto in_get =
          failure_of_request([&] { sys::get_state(counter, [fail](const Counter&) { fail(); }); });
      ASSERT_TRUE(in_get);
      EXPECT_EQ(in_get->kind(), CallError::callback_failed);
      EXPECT_EQ(call(counter, Counter::Value{}), 0);
    }
  });
}

// C4
TEST_P(SystemRules, the_status_says_who_it_is_and_how_it_is) {
  run([] {
    for (const auto& [kind, pid] : behaviours()) {
      const sys::Status status = sys::get_status(pid);
      EXPECT_EQ(status.pid, pid) << kind;
      EXPECT_EQ(status.parent, self()) << kind;
      EXPECT_NE(status.type, "") << kind;
      EXPECT_NE(status.state, "") << kind;
      EXPECT_FALSE(status.is_suspended || status.is_traced || status.is_counted) << kind;
      EXPECT_EQ(status.log_size, 0U) << kind;
      EXPECT_TRUE(status.hooks.empty()) << kind;
    }
    const ServerRef<Counter> counter = start_link<Counter>();
    sys::suspend(counter.pid());
    sys::trace(counter.pid(), true);
    sys::statistics(counter.pid(), true);
    sys::log(counter.pid(), 3);
    sys::install(counter.pid(), "hook", [](const sys::Event&) { return sys::HookResult::again; });
    const sys::Status status = sys::get_status(counter.pid());
    EXPECT_TRUE(status.type.ends_with("Counter")) << status.type;
    EXPECT_EQ(status.state, "value 0");
    EXPECT_TRUE(status.is_suspended && status.is_traced && status.is_counted);
    EXPECT_EQ(status.log_size, 3U);
    EXPECT_EQ(status.hooks, std::vector<std::string>{"hook"});
  });
}

// C4, C6
TEST_P(SystemRules, a_state_that_cannot_be_formatted_says_why_and_harms_nobody) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    cast(counter, Counter::Add{-1});
    EXPECT_EQ(sys::get_status(counter.pid()).state,
              "format_state failed: error: std::runtime_error: negative");
    EXPECT_EQ(call(counter, Counter::Value{}), -1);
  });
}

// --- what it does ---

bool is_event(const std::string& text, std::string_view kind, std::string_view rest) {
  return text.starts_with(std::string(kind) + " ") && text.ends_with(rest);
}

// C5
TEST_P(SystemRules, the_last_events_are_kept_until_the_log_is_switched_off) {
  run([this] {
    const ServerRef<Counter> counter = start_link<Counter>();
    EXPECT_TRUE(sys::get_log(counter.pid()).empty());
    sys::log(counter.pid());
    cast(counter, Counter::Add{1});
    call(counter, Counter::Value{});
    call(counter, Counter::Later{});
    const std::vector<std::string> log = sys::get_log(counter.pid());
    ASSERT_EQ(log.size(), 6U);
    const std::string from = " from " + self().to_string();
    EXPECT_TRUE(is_event(log[0], "cast", "Counter::Add")) << log[0];
    EXPECT_TRUE(is_event(log[1], "no reply to", "Counter::Add")) << log[1];
    EXPECT_TRUE(is_event(log[2], "call", "Counter::Value" + from)) << log[2];
    EXPECT_TRUE(is_event(log[3], "reply to", "Counter::Value" + from)) << log[3];
    EXPECT_TRUE(is_event(log[4], "call", "Counter::Later" + from)) << log[4];
    EXPECT_TRUE(is_event(log[5], "no reply to", "Counter::Later")) << log[5];

    sys::print_log(counter.pid());
    EXPECT_EQ(logged("Counter " + counter.pid().to_string() + ": "), 6) << log_text();
    for (int i = 0; i < 20; ++i) cast(counter, Counter::Add{1});
    EXPECT_EQ(sys::get_log(counter.pid()).size(), 10U) << "ten, if nothing else is said";
    sys::log(counter.pid(), 3);
    EXPECT_EQ(sys::get_log(counter.pid()).size(), 3U);
    sys::log(counter.pid(), 0);
    EXPECT_TRUE(sys::get_log(counter.pid()).empty());
    cast(counter, Counter::Add{1});
    sys::log(counter.pid());
    EXPECT_TRUE(sys::get_log(counter.pid()).empty()) << "what was not logged is not kept";
  });
}

// C5
TEST_P(SystemRules, a_trace_writes_what_comes_in_and_what_goes_out_with_the_name) {
  run([this] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const ServerRef<Door> door = start_link<Door>();
    const std::string name = "Counter " + counter.pid().to_string() + ": ";
    sys::trace(counter.pid(), true);
    sys::trace(door.pid(), true);
    cast(counter, Counter::Add{1});
    call(counter, Counter::Value{});
    send(counter.pid(), std::string("stray"));
    PendingReply<long> walk = send_request(door, Door::Walk{});
    cast(door, Door::Open{});
    EXPECT_EQ(walk.get(), 1);
    sys::trace(counter.pid(), false);
    sys::trace(door.pid(), false);
    const std::ptrdiff_t lines = logged(name);
    call(counter, Counter::Value{});
    EXPECT_EQ(logged(name), lines);
    EXPECT_EQ(logged(name + "cast "), 1) << log_text();
    EXPECT_EQ(logged(name + "call "), 1);
    EXPECT_EQ(logged(name + "reply to "), 1);
    EXPECT_EQ(logged(name + "message std::"), 1);
    const std::string door_name = "Door " + door.pid().to_string() + ": ";
    EXPECT_EQ(logged(door_name + "call "), 1) << log_text();
    EXPECT_EQ(logged(door_name + "no reply to "), 1) << "it was postponed";
    EXPECT_EQ(logged(door_name + "reply to "), 1);
  });
}

// C5
TEST_P(SystemRules, statistics_count_from_when_they_were_asked_for) {
  run([] {
    for (int round = 0; round < 2; ++round) {
      const ServerRef<Counter> counter = start_link<Counter>();
      EXPECT_FALSE(sys::get_statistics(counter.pid()));
      call(counter, Counter::Value{});
      const auto before = std::chrono::system_clock::now();
      sys::statistics(counter.pid(), true);
      const auto begun = std::chrono::system_clock::now();
      for (int i = 0; i < 5; ++i) cast(counter, Counter::Add{1});
      for (int i = 0; i < 3; ++i) call(counter, Counter::Value{});
      call(counter, Counter::Later{});
      const auto asked = std::chrono::system_clock::now();
      const std::optional<sys::Statistics> statistics = sys::get_statistics(counter.pid());
      ASSERT_TRUE(statistics);
      EXPECT_GE(statistics->since, before);
      EXPECT_LE(statistics->since, begun);
      EXPECT_GE(statistics->now, asked);
      EXPECT_LE(statistics->now, std::chrono::system_clock::now());
      EXPECT_EQ(statistics->messages_in, 9U);
      EXPECT_EQ(statistics->messages_out, 3U);
      EXPECT_GE(statistics->reductions, 9U);
      sys::statistics(counter.pid(), false);
      EXPECT_FALSE(sys::get_statistics(counter.pid()));
    }
  });
}

// C5
TEST_P(SystemRules, a_hook_sees_each_event_until_it_is_done_fails_or_is_removed) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const auto install = [counter, tester = self()](const std::string& name, auto what) {
      sys::install(counter.pid(), name, [=](const sys::Event& event) {
        if (event.kind != sys::Event::Kind::cast) return sys::HookResult::again;
        send(tester, Said{name + " " + std::string(event.type.substr(event.type.rfind(':') + 1))});
        return what();
      });
    };
    const auto again = [] { return sys::HookResult::again; };
    install("all", again);
    install("once", [] { return sys::HookResult::done; });
    install("throws", []() -> sys::HookResult { throw std::runtime_error("bad hook"); });
    install("exits", []() -> sys::HookResult { exit(ExitReason::of(1)); });
    install("throws a value", []() -> sys::HookResult { throw 1; });
    cast(counter, Counter::Add{1});
    EXPECT_EQ(said(5), "all Add, once Add, throws Add, exits Add, throws a value Add");
    EXPECT_EQ(sys::get_status(counter.pid()).hooks, std::vector<std::string>{"all"});
    cast(counter, Counter::Add{1});
    install("all", again);  // the same name again replaces it
    cast(counter, Counter::Add{1});
    sys::remove(counter.pid(), "all");
    sys::remove(counter.pid(), "none");
    cast(counter, Counter::Add{1});
    EXPECT_EQ(call(counter, Counter::Value{}), 4);
    EXPECT_EQ(said(2), "all Add, all Add");
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// --- unknown ---

// C6
TEST_P(SystemRules, a_request_for_another_kind_of_process_is_refused_and_harms_nobody) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const ServerRef<Door> mistaken(counter.pid());
    const auto look = [](const Door& door) { return door.walked; };
    EXPECT_EQ(kind_of([=] { sys::get_state(mistaken, look); }), CallError::wrong_type);
    EXPECT_EQ(kind_of([=] { sys::replace_state(mistaken, [](Door& door) { door.walked = 1; }); }),
              CallError::wrong_type);
    EXPECT_EQ(call(counter, Counter::Value{}), 0);
    const Spawned plain = spawn_monitor([] { receive<Go>(); });
    EXPECT_EQ(kind_of([=] { sys::suspend(plain.pid); }), CallError::wrong_type);
    end(plain);
  });
}

// C6
TEST_P(SystemRules, what_is_off_costs_no_reductions) {
  run([] {
    const ServerRef<Counter> counter = start_link<Counter>();
    const auto cost_of_a_hundred_casts = [counter] {
      const std::uint64_t before = process_info(counter.pid())->reductions;
      for (int i = 0; i < 100; ++i) cast(counter, Counter::Add{1});
      call(counter, Counter::Value{}, infinite);
      return process_info(counter.pid())->reductions - before;
    };
    const std::uint64_t never_on = cost_of_a_hundred_casts();
    sys::trace(counter.pid(), true);
    sys::trace(counter.pid(), false);
    EXPECT_LT(cost_of_a_hundred_casts(), never_on + 50);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::system_protocol_test
