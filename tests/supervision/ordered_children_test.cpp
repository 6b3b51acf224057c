// ordered_children_test.cpp: a supervisor starts, restarts and stops its children as the rules say
// (V8–V39).
// Method: whole trees of obedient children, with a gate where an order has to be forced.
#include "supervision/ordered_children.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(OrderedChildrenTest);

SupervisorOptions tree(Strategy strategy,
                       std::vector<ChildSpec> children,
                       unsigned intensity = 10) {
  return {
      .strategy = strategy, .intensity = intensity, .period = 1h, .children = std::move(children)};
}

// A child whose starts go as this word says: u up, f failing, i ignoring; then always up.
ChildSpec moody(std::string id, std::string moods, const ChildOptions& options = {}) {
  auto starts = std::make_shared<std::atomic<std::size_t>>(0);
  return child_started_by(
      std::string(id),
      [=, owner = self()]() -> std::expected<Pid, StartError> {
        std::size_t n = (*starts)++;
        switch (n < moods.size() ? moods[n] : 'u') {
          case 'f':
            throw std::runtime_error("moody");
          case 'i':
            return std::unexpected(StartError(StartError::ignore, {}, ""));
          default:
            return spawn_link(obedient(id, owner));
        }
      },
      options);
}

// --- starting and stopping ---

TEST_P(OrderedChildrenTest, children_start_in_order_and_stop_in_reverse_order) {
  run([] {
    Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
    EXPECT_EQ(children_of(top), "c:running b:running a:running");
    for (const char* id : {"a", "b", "c"}) up(id);
    stop(top);
    EXPECT_EQ(next_goings(3), "cba");
    EXPECT_EQ(next<Exit>()->from, top);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(OrderedChildrenTest, when_a_child_fails_to_start_those_before_it_are_stopped) {
  run([] {
    std::expected<Pid, StartError> top = try_start_supervisor_link(
        tree(Strategy::one_for_one, {worker("a"), worker("b"), moody("c", "f"), worker("d")}));
    ASSERT_FALSE(top);
    EXPECT_EQ(top.error().kind(), StartError::error);
    EXPECT_EQ(top.error().reason(),
              ExitReason::shutdown("failed to start child c: error: std::runtime_error: moody"));
    // They may have been stopped before they ran at all (Z11), so only the order is certain.
    EXPECT_TRUE(nothing_came<Exit>()) << "the supervisor's own Exit was taken along";
  });
  EXPECT_TRUE(was_logged("child c could not be started"));
}

TEST_P(OrderedChildrenTest, a_child_that_ignores_is_kept_unless_it_is_temporary) {
  run([] {
    Pid top = start_supervisor_link(
        tree(Strategy::one_for_one,
             {moody("a", "i"), moody("b", "i", {.restart = Restart::temporary}), worker("c")}));
    EXPECT_EQ(children_of(top), "c:running a:stopped");
    EXPECT_EQ(start_child(top, moody("d", "i")), Pid());
    EXPECT_EQ(children_of(top), "d:stopped c:running a:stopped");
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, flags_and_specifications_that_make_no_sense_start_nothing) {
  run([] {
    EXPECT_EQ(try_start_supervisor_link({.period = 0s}).error().kind(), StartError::bad_spec);
    EXPECT_EQ(try_start_supervisor_link({.children = {worker("a"), worker("a")}}).error().kind(),
              StartError::bad_spec);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(OrderedChildrenTest, a_child_that_takes_too_long_to_stop_is_killed) {
  run([] {
    auto stubborn = [owner = self()] {
      trap_exit(true);
      send(owner, Up{"a", self()});
      receive<End>();
    };
    Pid top = start_supervisor_link(
        tree(Strategy::one_for_one, {child("a", stubborn, {.shutdown = 1ms})}));
    Pid a = up("a");
    MonitorRef ref = monitor(a);
    stop(top);
    std::optional<Down> down = next<Down>();
    EXPECT_EQ(down->ref, ref);
    EXPECT_EQ(down->reason, ExitReason::killed());
  });
  EXPECT_TRUE(was_logged("was stopped, but ended with: killed"));
}

TEST_P(OrderedChildrenTest, a_brutal_kill_asks_nobody) {
  run([] {
    Pid top = start_supervisor_link(
        tree(Strategy::one_for_one, {worker("a", {.shutdown = Shutdown::brutal_kill()})}));
    up("a");
    stop(top);
    EXPECT_TRUE(nothing_came<Going>());
  });
  EXPECT_FALSE(was_logged("was stopped, but"));
}

TEST_P(OrderedChildrenTest, a_child_that_has_unlinked_itself_does_not_hang_its_supervisor) {
  run([] {
    auto loner = [owner = self()] {
      unlink(parent());
      send(owner, Up{"a", self()});
      receive<End>();
    };
    Pid top = start_supervisor_link(
        tree(Strategy::one_for_one, {child("a", loner, {.shutdown = Shutdown::infinity()})}));
    MonitorRef ref = monitor(up("a"));
    stop(top);
    EXPECT_EQ(next<Down>()->ref, ref);
  });
}

// --- one_for_one ---

TEST_P(OrderedChildrenTest, one_for_one_restarts_the_dead_child_alone_in_its_place) {
  run([] {
    Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
    Pid a = up("a");
    Pid b = up("b");
    Pid c = up("c");
    end_child(b);
    EXPECT_NE(up("b"), b);
    std::vector<ChildInfo> children = which_children(top);
    EXPECT_EQ(children[0].pid, c);
    EXPECT_EQ(children[1].id, "b");
    EXPECT_EQ(children[2].pid, a);
    EXPECT_TRUE(nothing_came<Up>());
    stop(top);
  });
  EXPECT_TRUE(was_logged(" ended: error: test"));
}

TEST_P(OrderedChildrenTest, who_is_restarted_depends_on_restart_and_reason) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one,
                                         {worker("p"),
                                          worker("t", {.restart = Restart::transient}),
                                          worker("x", {.restart = Restart::temporary})}));
    Pid p = up("p");
    Pid t = up("t");
    Pid x = up("x");
    end_child(p, ExitReason::normal());
    up("p");
    end_child(t, ExitReason::error("crash"));
    t = up("t");
    end_child(t, ExitReason::shutdown("done"));
    end_child(x, ExitReason::error("crash"));
    EXPECT_EQ(children_of(top), "t:stopped p:running");
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, one_restart_too_many_ends_the_supervisor_with_shutdown) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b")}, 2));
    up("b");
    for (int i = 0; i < 3; ++i) end_child(up("a"));
    std::optional<Exit> end = next<Exit>();
    EXPECT_EQ(end->from, top);
    EXPECT_EQ(end->reason, ExitReason::shutdown());
    EXPECT_EQ(next_going(), "b");
  });
  EXPECT_TRUE(was_logged("gives up: too many restarts"));
}

// --- groups ---

TEST_P(OrderedChildrenTest, rest_for_one_restarts_those_that_were_started_later) {
  run([] {
    Pid top = start_supervisor_link(
        tree(Strategy::rest_for_one, {worker("a"), worker("b"), worker("c"), worker("d")}, 1));
    Pid a = up("a");
    Pid b = up("b");
    up("c");
    up("d");
    end_child(b);
    EXPECT_EQ(next_goings(2), "dc");
    for (const char* id : {"b", "c", "d"}) up(id);
    EXPECT_EQ(children_of(top), "d:running c:running b:running a:running");
    EXPECT_EQ(which_children(top).back().pid, a);
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, one_for_all_restarts_everybody_and_counts_once) {
  run([] {
    Pid top = start_supervisor_link(
        tree(Strategy::one_for_all, {worker("a"), worker("b"), worker("c")}, 1));
    up("a");
    Pid b = up("b");
    up("c");
    end_child(b);
    EXPECT_EQ(next_goings(2), "ca");
    for (const char* id : {"a", "b", "c"}) up(id);
    EXPECT_EQ(children_of(top), "c:running b:running a:running");
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, a_group_restart_starts_the_stopped_and_drops_the_temporary) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_all,
                                         {worker("first", {.restart = Restart::temporary}),
                                          worker("a"),
                                          worker("b"),
                                          worker("last", {.restart = Restart::temporary})}));
    up("first");
    up("last");
    up("b");
    terminate_child(top, "b");
    end_child(up("a"));
    up("b");
    EXPECT_EQ(children_of(top), "b:running a:running");
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, two_simultaneous_deaths_are_one_group_restart) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_all, {worker("a"), worker("b")}, 1));
    Pid a = up("a");
    Pid b = up("b");
    Pid asker = spawn_link([top, gate = gated("late")] { start_child(top, gate); });
    std::optional<AtGate> at_gate = next<AtGate>();  // the supervisor looks at nothing else now
    end_child(a);
    end_child(b);
    send(at_gate->supervisor, Open{});
    for (const char* id : {"a", "b"}) up(id);
    open_gate();  // it is started again with the others
    EXPECT_EQ(children_of(top), "late:running b:running a:running");
    EXPECT_EQ(next<Exit>()->from, asker);
    stop(top);
  });
}

// --- restarts that fail ---

TEST_P(OrderedChildrenTest, a_failing_restart_is_retried_until_it_is_one_too_many) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one, {moody("a", "ufff")}, 4));
    end_child(up("a"));
    end_child(up("a"));  // the fifth attempt
    std::optional<Exit> end = next<Exit>();
    EXPECT_EQ(end->from, top);
    EXPECT_EQ(end->reason, ExitReason::shutdown());
  });
  EXPECT_TRUE(was_logged("child a could not be started: error: std::runtime_error: moody"));
}

TEST_P(OrderedChildrenTest, a_persistently_failing_restart_ends_the_supervisor) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one, {moody("a", "uffffff")}, 5));
    end_child(up("a"));
    EXPECT_EQ(next<Exit>()->reason, ExitReason::shutdown());
    EXPECT_EQ(try_which_children(top).error().kind(), ChildError::no_supervisor);
  });
}

TEST_P(OrderedChildrenTest, requests_are_served_between_two_attempts) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one, {worker("b")}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));

    EXPECT_EQ(while_restarting(top, [](Pid t) { return children_of(t); }),
              "a:restarting b:running");
    EXPECT_EQ(while_restarting(top, [](Pid t) { return try_delete_child(t, "a").error().kind(); }),
              ChildError::restarting);
    EXPECT_EQ(while_restarting(top, [](Pid t) { return count_children(t).active; }), 1U);
    EXPECT_TRUE(
        while_restarting(top, [](Pid t) { return try_terminate_child(t, "a").has_value(); }));
    EXPECT_EQ(children_of(top), "a:stopped b:running") << "the pending retry was cancelled";
    EXPECT_TRUE(nothing_came<AtGate>());
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, rest_for_one_retries_from_the_child_that_failed) {
  run([] {
    Pid top = start_supervisor_link(
        tree(Strategy::rest_for_one, {worker("a"), worker("b"), moody("c", "uf"), worker("d")}));
    Pid a = up("a");
    Pid b = up("b");
    up("c");
    up("d");
    end_child(a);
    EXPECT_EQ(next_goings(3), "dcb");
    up("a");
    EXPECT_NE(up("b"), b);
    up("c");
    up("d");
    EXPECT_EQ(children_of(top), "d:running c:running b:running a:running");
    EXPECT_TRUE(nothing_came<Up>()) << "those that had been restarted stayed";
    EXPECT_TRUE(nothing_came<Going>());
    stop(top);
  });
}

TEST_P(OrderedChildrenTest, one_for_all_begins_anew_when_a_sibling_fails) {
  run([] {
    Pid top =
        start_supervisor_link(tree(Strategy::one_for_all, {moody("a", ""), moody("b", "uf")}, 2));
    up("b");
    end_child(up("a"));
    EXPECT_EQ(next_going(), "b");
    up("b");
    EXPECT_EQ(children_of(top), "b:running a:running");
    stop(top);
  });
  EXPECT_TRUE(was_logged("child b could not be started"));
}

TEST_P(OrderedChildrenTest, a_child_that_ignores_its_restart_stays_stopped) {
  run([] {
    Pid top = start_supervisor_link(tree(Strategy::one_for_one, {moody("a", "ui")}));
    end_child(up("a"));
    EXPECT_EQ(children_of(top), "a:stopped");
    EXPECT_TRUE(restart_child(top, "a"));
    up("a");
    stop(top);
  });
}

// --- automatic shutdown ---

ChildOptions significant(Restart restart = Restart::transient) {
  return {.restart = restart, .significant = true};
}

SupervisorOptions significant_tree(AutoShutdown auto_shutdown) {
  SupervisorOptions options = tree(Strategy::one_for_one,
                                   {worker("a", significant()),
                                    worker("b", significant(Restart::temporary)),
                                    worker("c", {.restart = Restart::transient})});
  options.auto_shutdown = auto_shutdown;
  return options;
}

TEST_P(OrderedChildrenTest, any_significant_child_ends_its_supervisor) {
  run([] {
    Pid top = start_supervisor_link(significant_tree(AutoShutdown::any_significant));
    Pid a = up("a");
    end_child(up("c"), ExitReason::normal());
    EXPECT_EQ(children_of(top), "c:stopped b:running a:running") << "c is not significant";
    end_child(a, ExitReason::error("crash"));
    end_child(up("a"), ExitReason::normal());
    std::optional<Exit> end = next<Exit>();
    EXPECT_EQ(end->from, top);
    EXPECT_EQ(end->reason, ExitReason::shutdown());
  });
}

TEST_P(OrderedChildrenTest, the_last_significant_child_ends_its_supervisor) {
  run([] {
    Pid top = start_supervisor_link(significant_tree(AutoShutdown::all_significant));
    end_child(up("b"), ExitReason::error("crash"));
    EXPECT_EQ(children_of(top), "c:running a:running");
    end_child(up("a"), ExitReason::shutdown());
    EXPECT_EQ(next<Exit>()->reason, ExitReason::shutdown());
  });
}

TEST_P(OrderedChildrenTest, a_significant_child_that_is_terminated_ends_nothing) {
  run([] {
    Pid top = start_supervisor_link(significant_tree(AutoShutdown::any_significant));
    for (const char* id : {"a", "b"}) terminate_child(top, id);
    EXPECT_EQ(children_of(top), "c:running a:stopped");
    stop(top);
  });
}

}  // namespace
}  // namespace airssys::rt::test
