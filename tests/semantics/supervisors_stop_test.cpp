// supervisors_stop_test.cpp: how a supervisor stops a child (V12–V16, V42).
//
// What a busy supervisor meets is arranged while it waits for a child that lingers.
#include <airssys/rt.hpp>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_stop_test {
namespace {

class SupervisorStop : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorStop);

void await_waiting(Pid pid) {
  while (process_info(pid)->state != ProcessState::waiting) yield();
}

// Until the supervisor waits in the middle of what the asker wants of it.
void await_busy(Pid supervisor, Pid asker) {
  for (auto info = process_info(asker); info && info->waits_for != supervisor;) {
    yield();
    info = process_info(asker);
  }
  for (auto info = process_info(supervisor);
       info && (info->state != ProcessState::waiting || info->message_queue_len != 0);) {
    yield();
    info = process_info(supervisor);
  }
}

// --- one child ---

// V12
TEST_P(SupervisorStop, each_child_is_asked_when_the_one_started_after_it_is_gone) {
  run([] {
    const auto slow = [owner = self()](std::string id, std::string later) {
      const auto body = [owner, id, later](Starter starter) {
        trap_exit(true);
        starter.acknowledge();
        receive<Exit>();
        send(owner, id + (whereis(later) ? "!" : ""));
        for (int i = 0; i < 100; ++i) yield();
      };
      return child(id, body, {.start = {.name = id}});
    };
    const Pid top = start_supervisor_link(
        {.children = {slow("a", "b"), slow("b", "c"), slow("c", "d"), slow("d", "e")}});
    stop(top);
    for (const char* id : {"d", "c", "b", "a"}) EXPECT_EQ(receive<std::string>(), id);
  });
}

// V13
TEST_P(SupervisorStop, a_brutal_kill_asks_nobody) {
  run([] {
    const Pid top =
        start_supervisor_link({.children = {worker("a", {.shutdown = Shutdown::brutal_kill()})}});
    const MonitorRef ref = monitor(up("a"));
    terminate_child(top, "a");
    EXPECT_EQ(reason_in_down(ref), ExitReason::killed());
    EXPECT_FALSE(receive<Going>(0ms));
  });
}

// V13
TEST_P(SupervisorStop, a_child_that_takes_longer_than_it_may_is_killed) {
  run([] {
    for (const Duration time : {Duration(0s), Duration(1ms)}) {
      const Pid top = start_supervisor_link(
          {.children = {worker("a", {.shutdown = 1h}), lingering("b", {.shutdown = time})}});
      const MonitorRef a = monitor(up("a"));
      const MonitorRef b = monitor(up("b"));
      stop(top);
      EXPECT_EQ(reason_in_down(b), ExitReason::killed());
      EXPECT_EQ(reason_in_down(a), ExitReason::shutdown()) << "it went in time";
    }
  });
}

// V13
TEST_P(SupervisorStop, a_child_without_a_limit_is_asked_and_waited_for) {
  run([] {
    const Pid top =
        start_supervisor_link({.children = {lingering("a", {.shutdown = Shutdown::infinity()})}});
    const Pid a = up("a");
    const MonitorRef ref = monitor(a);
    const Spawned asker = spawn_monitor([top] { terminate_child(top, "a"); });
    EXPECT_EQ(receive<Going>().reason, ExitReason::shutdown());
    await_waiting(top);
    EXPECT_TRUE(is_alive(a));
    EXPECT_TRUE(is_alive(asker.pid));
    send(a, End{ExitReason::shutdown()});
    EXPECT_EQ(reason_in_down(ref), ExitReason::shutdown());
    EXPECT_EQ(reason_of(asker), ExitReason::normal());
  });
}

// V14
TEST_P(SupervisorStop, a_child_that_has_unlinked_itself_does_not_hang_its_supervisor) {
  run([] {
    const auto loner = [owner = self()](Starter starter) {
      unlink(parent());
      send(owner, Up{"a", self()});
      starter.acknowledge();
      exit(receive<End>().reason);
    };
    const Pid top = start_supervisor_link(
        {.children = {child("a", loner, {.shutdown = Shutdown::infinity()})}});
    terminate_child(top, "a");
    EXPECT_EQ(end_of(up("a")), ExitReason::noproc());
    restart_child(top, "a");
    end_child(up("a"));
    EXPECT_EQ(children_of(top), "a:running") << "its end was not to be seen";
    terminate_child(top, "a");
    EXPECT_EQ(children_of(top), "a:stopped");
  });
  EXPECT_TRUE(was_reported("noproc"));
}

// V14
TEST_P(SupervisorStop, the_exit_of_a_child_that_was_stopped_leaves_no_trace) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {worker("a")}));
    for (const std::size_t i : support::rounds()) {
      const Pid a = up("a");
      if (i % 2 == 0) send(a, End{ExitReason::shutdown()});  // it may go before it is asked
      terminate_child(top, "a");
      EXPECT_FALSE(is_alive(a));
      EXPECT_EQ(process_info(top)->message_queue_len, 0U);
      EXPECT_EQ(process_info(top)->links, std::vector{self()});
      restart_child(top, "a");
    }
  });
}

// V14, V21
TEST_P(SupervisorStop, of_a_child_that_is_dead_already_the_real_reason_is_told) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 0, .children = {worker("a")}});
    const Pid a = up("a");
    spawn([top, gate = gated("late")] { start_child(top, gate); });
    const AtGate at_gate = receive<AtGate>();
    ask_at_gate(top, [top] { terminate_child(top, "a"); });
    end_child(a, ExitReason::error("boom"));
    send(at_gate.supervisor, Open());
    EXPECT_EQ(children_of(top), "late:running a:stopped") << "not restarted, and nothing counted";
  });
  EXPECT_TRUE(was_reported("was stopped, but ended with: error: boom"));
}

// Destroying a dead process's mail takes as long as that likes; its links hear of the end after it.
struct Clinging {
  std::atomic<bool>& is_destroyed;
  std::atomic<bool>& may_go;
  ~Clinging() {
    is_destroyed = true;
    is_destroyed.notify_all();
    may_go.wait(false);
  }
};

// V14
TEST_P(SupervisorStop, of_a_child_that_is_dying_the_real_reason_is_told) {
  std::atomic<bool> is_destroyed = false;
  std::atomic<bool> may_go = false;
  run([&] {
    const Pid top = start_supervisor_link({.children = {worker("a")}});
    const Pid pool = start_dynamic_supervisor_link({});
    const Pid b = start_child(pool, worker("b"));
    const auto begin_to_die = [&](Pid child) {
      is_destroyed = may_go = false;
      send(child, std::make_unique<Clinging>(is_destroyed, may_go));
      send(child, End{ExitReason::error("slow death of " + child.to_string())});
      while (!is_destroyed) yield();
    };
    const auto go_on = [&](Pid supervisor, Pid asker) {
      await_busy(supervisor, asker);
      may_go = true;
      may_go.notify_all();
    };
    begin_to_die(up("a"));
    const Spawned asker = spawn_monitor([top] { terminate_child(top, "a"); });
    go_on(top, asker.pid);
    EXPECT_EQ(reason_of(asker), ExitReason::normal());
    begin_to_die(b);
    const Spawned stopper = spawn_monitor([pool] { stop(pool); });
    go_on(pool, stopper.pid);
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
  });
  EXPECT_TRUE(was_reported("was stopped, but ended with: error: slow death of"));
  EXPECT_FALSE(was_reported("noproc"));
}

// V15
TEST_P(SupervisorStop, an_end_that_is_not_in_order_is_reported_and_nothing_else) {
  run([] {
    const ChildOptions transient = {.restart = Restart::transient,
                                    .shutdown = Shutdown::infinity()};
    const ChildOptions permanent = {.shutdown = Shutdown::infinity()};
    const Pid top =
        start_supervisor_link({.intensity = 0,
                               .children = {worker("in order"),
                                            worker("brutal", {.shutdown = Shutdown::brutal_kill()}),
                                            lingering("late", {.shutdown = 200ms}),
                                            lingering("transient normal", transient),
                                            lingering("transient shutdown", transient),
                                            lingering("transient crash", transient),
                                            lingering("permanent normal", permanent),
                                            lingering("permanent shutdown", permanent)}});
    const auto terminate = [top](std::string id, std::optional<ExitReason> reason = {}) {
      const Spawned asker = spawn_monitor([=] { terminate_child(top, id); });
      if (reason) {
        receive<Going>();
        send(up(id), End{*reason});
      }
      EXPECT_EQ(reason_of(asker), ExitReason::normal());
    };
    terminate("in order");
    terminate("brutal");
    terminate("late");
    receive<Going>();
    receive<Going>();
    terminate("transient normal", ExitReason::normal());
    terminate("transient shutdown", ExitReason::shutdown("done"));
    terminate("transient crash", ExitReason::error("boom"));
    terminate("permanent normal", ExitReason::normal());
    terminate("permanent shutdown", ExitReason::shutdown("done"));
    EXPECT_EQ(count_children(top).specs, 8U);
    EXPECT_EQ(count_children(top).active, 0U);
  });
  for (const char* id : {"in order", "brutal", "transient normal", "transient shutdown"})
    EXPECT_FALSE(was_reported(id)) << id;
  for (const char* id : {"late", "transient crash", "permanent normal", "permanent shutdown"})
    EXPECT_TRUE(was_reported(id)) << id;
}

// V16
TEST_P(SupervisorStop, what_comes_while_a_child_is_awaited_is_done_afterwards_in_its_order) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_one,
             {worker("w"), lingering("slow", {.shutdown = Shutdown::infinity()})}));
    const Pid w = up("w");
    const Pid slow = up("slow");
    spawn([top] { terminate_child(top, "slow"); });
    receive<Going>();
    await_waiting(top);
    const auto ask = [top](const char* id) {
      ask_at_gate(top, [top, spec = worker(id)] { start_child(top, spec); });
    };
    ask("x");
    ask("y");
    end_child(w);
    ask("z");
    EXPECT_FALSE(receive<Up>(0ms));
    send(slow, End{ExitReason::shutdown()});
    EXPECT_EQ(next_ups(4), "xywz");
    EXPECT_EQ(children_of(top), "z:running y:running x:running slow:stopped w:running");
  });
}

// --- a child that does not go ---

class StuckChild : public SupervisorRules {};
INSTANTIATE_TEST_SUITE_P(With, StuckChild, testing::Values(2U), schedulers_name);

// The reports are what lets it go on; they come every ten seconds.
// V42, V13
TEST_P(StuckChild, a_child_that_never_calls_the_runtime_is_reported_again_and_again) {
  std::atomic<int> reports = 0;
  options.log = [&](std::string_view line) {
    if (line.find("child stuck") == std::string_view::npos) return;
    ++reports;
    reports.notify_all();
  };
  run([&] {
    const auto body = [&](Starter starter) {
      starter.acknowledge();
      for (int seen = 0; seen < 2; seen = reports) reports.wait(seen);
    };
    const Pid top = start_supervisor_link({.children = {child("stuck", body, {.shutdown = 1ms})}});
    terminate_child(top, "stuck");
    EXPECT_GE(reports, 2);
  });
}

// Each lets the other go on when both have been reported twice.
// V42, V13
TEST_P(StuckChild, a_child_that_may_take_for_ever_is_reported_again_and_again) {
  std::atomic<int> reports[2] = {};
  options.log = [&](std::string_view line) {
    if (line.find("does not end") == std::string_view::npos) return;
    if (line.find("child ordered") != std::string_view::npos) ++reports[0];
    if (line.find("child dynamic") != std::string_view::npos) ++reports[1];
  };
  run([&] {
    const ChildOptions patient{.shutdown = Shutdown::infinity()};
    const Pid ordered = start_supervisor_link({.children = {lingering("ordered", patient)}});
    const Pid dynamic = start_dynamic_supervisor_link({});
    start_child(dynamic, lingering("dynamic", patient));
    const Pid children[] = {up("ordered"), up("dynamic")};
    for (const Pid top : {ordered, dynamic}) spawn([top] { stop(top); });
    for (int i = 0; i < 2; ++i) EXPECT_EQ(receive<Going>().reason, ExitReason::shutdown());
    while (reports[0] < 2 || reports[1] < 2) sleep(10ms);
    EXPECT_FALSE(receive<Going>(0ms)) << "it is asked once";
    for (const Pid child : children) send(child, End{ExitReason::shutdown()});
    for (const Pid top : {ordered, dynamic}) EXPECT_EQ(exit_of(top), ExitReason::normal());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_stop_test
