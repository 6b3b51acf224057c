// supervisors_end_test.cpp: what ends a supervisor, and what then becomes of its tree (V17–V19).
//
// Its death at any moment is tried for many rounds; that nobody is left behind is what InRuntime
// waits for.
#include <airssys/rt.hpp>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_end_test {
namespace {

class SupervisorEnd : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorEnd);

// V17
TEST_P(SupervisorEnd, the_end_of_its_parent_takes_its_tree_down_and_is_its_own_reason) {
  run([] {
    for (const ExitReason& reason :
         {ExitReason::normal(), ExitReason::error("gone"), ExitReason::killed()}) {
      const Pid parent = spawn([owner = self(), specs = std::vector{worker("a"), worker("b")}] {
        send(owner, start_supervisor_link({.children = specs}));
        exit(receive<End>().reason);
      });
      const Pid top = receive<Pid>();
      EXPECT_EQ(next_ups(2), "ab");
      const MonitorRef ref = monitor(top);
      if (reason == ExitReason::killed()) {
        send_exit(parent, ExitReason::kill());
      } else {
        send(parent, End{reason});
      }
      for (const char* id : {"b", "a"}) {
        const Going going = receive<Going>();
        EXPECT_EQ(going.id, id);
        EXPECT_EQ(going.reason, ExitReason::shutdown());
      }
      EXPECT_EQ(reason_in_down(ref), reason);
    }
  });
}

// V17, V8
TEST_P(SupervisorEnd, when_its_parent_ends_during_its_start_it_starts_and_then_stops) {
  run([] {
    const Pid parent = spawn([specs = std::vector{gated("a"), worker("b")}] {
      start_supervisor_link({.children = specs});
    });
    const Pid top = receive<AtGate>().supervisor;
    const MonitorRef ref = monitor(top);
    send_exit(parent, ExitReason::kill());
    EXPECT_EQ(end_of(parent), ExitReason::noproc());
    send(top, Open());
    EXPECT_EQ(reason_in_down(ref), ExitReason::killed());
    EXPECT_EQ(next_ups(2), "ab");
    EXPECT_EQ(next_goings(2), "ba");
  });
}

// V17
TEST_P(SupervisorEnd, it_stops_when_it_is_asked_to_with_the_reason_it_is_given) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::of(7)}) {
      const Pid top = start_supervisor_link({.children = {worker("a"), worker("b")}});
      stop(top, reason);
      EXPECT_EQ(exit_of(top), reason);
      EXPECT_EQ(next_goings(2), "ba");
    }
  });
}

// V17, V27
TEST_P(SupervisorEnd, exits_of_anybody_else_are_ignored) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 0, .children = {worker("a")}});
    const Spawned strangers[] = {spawn_monitor([top] { send_exit(top, ExitReason::shutdown()); }),
                                 spawn_monitor([top] {
                                   link(top);
                                   exit(ExitReason::error("boom"));
                                 })};
    for (const Spawned& stranger : strangers) reason_of(stranger);
    EXPECT_EQ(which_children(top).front().pid, up("a"));
    EXPECT_FALSE(receive<Exit>(0ms));
    EXPECT_FALSE(receive<Going>(0ms));
  });
}

// E3, V12, V17
TEST_P(SupervisorEnd, a_runtime_that_stops_takes_a_tree_down_in_order) {
  std::mutex mutex;
  std::string order;
  const auto leaf = [&](char id) {
    return child(std::string(1, id), [&, id](Starter starter) {
      trap_exit(true);
      starter.acknowledge();
      receive<Exit>();
      for (int i = 0; i < 100; ++i) yield();
      const std::lock_guard lock(mutex);
      order += id;
    });
  };
  with_runtime([&](Runtime& runtime) {
    runtime.run([&] {
      start_body([&](Starter starter) {
        start_supervisor_link(
            {.children = {leaf('a'),
                          child_supervisor("middle", {.children = {leaf('b'), leaf('c')}}),
                          leaf('d')}});
        starter.acknowledge();
        receive<End>();
      });
    });
    runtime.stop(60s);
  });
  EXPECT_EQ(order, "dcba");
}

// V19
TEST_P(SupervisorEnd, a_limit_for_a_supervisor_to_stop_in_is_warned_about) {
  run([] {
    const Pid top =
        start_supervisor_link({.children = {child_supervisor("hasty", {}, {.shutdown = 1s}),
                                            child_supervisor("patient", {}),
                                            worker("worker", {.shutdown = 1s})}});
    start_child(top, child_dynamic_supervisor("brutal", {}, {.shutdown = Shutdown::brutal_kill()}));
  });
  EXPECT_TRUE(was_reported("child hasty is a supervisor: its shutdown should be infinity"));
  EXPECT_TRUE(was_reported("child brutal is a supervisor: its shutdown should be infinity"));
  EXPECT_FALSE(was_reported("child patient"));
  EXPECT_FALSE(was_reported("child worker"));
}

// --- its death ---

struct Leaf : Server<Leaf> {
  explicit Leaf(Pid the_owner) : owner(the_owner) {}
  void init() { trap_exit(true); }
  void terminate(const ExitReason& reason) { send(owner, Going{"leaf", reason}); }
  Pid owner;
};

// V18
TEST_P(SupervisorEnd, a_killed_supervisors_children_get_killed_through_their_links) {
  run([] {
    const Pid top =
        start_supervisor_link({.children = {plain("a"), worker("b"), child<Leaf>("leaf", self())}});
    const MonitorRef a = monitor(up("a"));
    send_exit(top, ExitReason::kill());
    EXPECT_EQ(exit_of(top), ExitReason::killed());
    EXPECT_EQ(reason_in_down(a), ExitReason::killed());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(receive<Going>().reason, ExitReason::killed());
  });
}

// Begins to start, and goes on only with Go.
ChildSpec hesitant(std::string id, bool traps_exits) {
  auto body = [id, traps_exits, owner = self()](Starter starter) {
    trap_exit(traps_exits);
    send(owner, Up{id, self()});
    receive([](Go) {}, [](Exit parents) { exit(parents.reason); });
    starter.acknowledge();
    exit(receive<End>().reason);
  };
  return child(std::move(id), std::move(body));
}

void expect_killed_with(Pid supervisor, Pid child) {
  const MonitorRef ref = monitor(child);
  send_exit(supervisor, ExitReason::kill());
  EXPECT_EQ(reason_in_down(ref), ExitReason::killed());
}

// V18
TEST_P(SupervisorEnd, a_child_that_is_just_being_started_is_killed_with_its_supervisor) {
  run([] {
    for (const bool traps_exits : {false, true}) {
      const ChildSpec spec = hesitant("a", traps_exits);
      const Spawned starter = spawn_monitor([&] { start_supervisor_link({.children = {spec}}); });
      Pid a = up("a");
      expect_killed_with(process_info(a)->parent, a);
      EXPECT_EQ(reason_of(starter), ExitReason::killed());

      const Pid asked = start_supervisor_link({});
      const Spawned asker = spawn_monitor([&] { start_child(asked, spec); });
      expect_killed_with(asked, up("a"));
      EXPECT_EQ(reason_of(asker), ExitReason::killed());

      const Pid restarting = start_supervisor_link({});
      spawn([&] { start_child(restarting, spec); });
      a = up("a");
      send(a, Go());
      send(a, End{ExitReason::error("boom")});
      expect_killed_with(restarting, up("a"));
    }
  });
}

// V18, V33
TEST_P(SupervisorEnd, what_waits_for_a_killed_supervisor_dies_with_it) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));
    receive<AtGate>();  // of its restart
    ask_at_gate(top,
                [top, owner = self()] { send(owner, try_which_children(top).error().reason()); });
    send_exit(top, ExitReason::kill());
    EXPECT_EQ(receive<ExitReason>(), ExitReason::killed());
    EXPECT_FALSE(receive<AtGate>(0ms)) << "nothing is tried again";
  });
}

// Whatever it was doing: in the middle of a start, a restart, a stop.
// V18
TEST_P(SupervisorEnd, a_supervisor_that_is_killed_at_any_moment_leaves_nobody_behind) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      SupervisorOptions shaken = tree(i % 2 ? Strategy::one_for_all : Strategy::rest_for_one,
                                      {plain("a"), plain("b"), plain("c")});
      shaken.intensity = 1'000'000;
      const Pid top = start_supervisor_link(std::move(shaken));
      const Spawned shooter = spawn_monitor([top] {
        for (;;) {
          const auto children = try_which_children(top);
          if (!children) return;
          send_exit(children->at(1).pid, ExitReason::error("shot"));
          if (!try_terminate_child(top, "a") || !try_restart_child(top, "a")) yield();
        }
      });
      for (std::size_t n = 0; n < i % 60; ++n) yield();
      support::stagger(i);
      send_exit(top, ExitReason::kill());
      EXPECT_EQ(exit_of(top), ExitReason::killed());
      reason_of(shooter);
      while (receive<Up>(0ms)) continue;
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_end_test
