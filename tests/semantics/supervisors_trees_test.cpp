// supervisors_trees_test.cpp: supervisors that end by themselves, those above them, and what else
// they hear (V37–V39, V41).
#include <airssys/rt.hpp>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_trees_test {
namespace {

class SupervisorTrees : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorTrees);

// --- automatic shutdown ---

ChildOptions significant(Restart restart) {
  return {.restart = restart, .significant = true};
}

SupervisorOptions automatic(AutoShutdown when, Strategy strategy, std::vector<ChildSpec> children) {
  SupervisorOptions options = tree(strategy, std::move(children));
  options.auto_shutdown = when;
  return options;
}

SupervisorOptions three_children(AutoShutdown when) {
  return automatic(when,
                   Strategy::one_for_one,
                   {worker("a", significant(Restart::transient)),
                    worker("b", significant(Restart::temporary)),
                    worker("c", {.restart = Restart::transient})});
}

// V37
TEST_P(SupervisorTrees, any_significant_child_that_ends_for_good_ends_its_supervisor) {
  run([] {
    const auto any = AutoShutdown::any_significant;
    const ExitReason orderly[] = {
        ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("done")};
    for (const ExitReason& reason : orderly) {
      const Pid top = start_supervisor_link(three_children(any));
      end_child(up("a"), reason);
      EXPECT_EQ(exit_of(top), ExitReason::shutdown());
      EXPECT_EQ(next_goings(2), "cb");
      while (receive<Up>(0ms)) continue;
    }
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::error("boom")}) {
      const Pid top = start_supervisor_link(three_children(any));
      end_child(up("b"), reason);
      EXPECT_EQ(exit_of(top), ExitReason::shutdown());
      EXPECT_EQ(next_goings(2), "ca");
      while (receive<Up>(0ms)) continue;
    }
  });
}

// V37, V38
TEST_P(SupervisorTrees, what_is_not_significant_or_is_restarted_ends_nothing) {
  run([] {
    const Pid top = start_supervisor_link(three_children(AutoShutdown::any_significant));
    end_child(up("c"), ExitReason::normal());
    end_child(up("a"), ExitReason::error("boom"));
    send_exit(up("a"), ExitReason::kill());
    const Pid a = up("a");
    EXPECT_EQ(which_children(top).back().pid, a);
    EXPECT_EQ(children_of(top), "c:stopped b:running a:running");
  });
}

// V37
TEST_P(SupervisorTrees, the_last_significant_child_ends_its_supervisor) {
  run([] {
    const Pid top = start_supervisor_link(three_children(AutoShutdown::all_significant));
    end_child(up("b"), ExitReason::error("boom"));
    EXPECT_EQ(children_of(top), "c:running a:running");
    end_child(up("a"), ExitReason::normal());
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
    EXPECT_EQ(next_goings(1), "c");
  });
}

// V37
TEST_P(SupervisorTrees, a_significant_child_that_is_being_restarted_is_still_there) {
  run([] {
    const Pid top = start_supervisor_link(three_children(AutoShutdown::all_significant));
    const Pid a = up("a");
    const Pid b = up("b");
    spawn([top, spec = gated("d", significant(Restart::transient))] { start_child(top, spec); });
    open_gate();
    end_child(up("d"));
    const AtGate at_gate = receive<AtGate>();
    end_child(a, ExitReason::normal());
    end_child(b, ExitReason::normal());
    send(at_gate.supervisor, Open{.fails = true});
    open_gate();
    EXPECT_EQ(children_of(top), "d:running c:running a:stopped");
    end_child(up("d"), ExitReason::normal());
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
  });
}

// V38
TEST_P(SupervisorTrees, a_significant_child_that_is_stopped_ends_nothing) {
  run([] {
    for (const AutoShutdown when : {AutoShutdown::any_significant, AutoShutdown::all_significant}) {
      const Pid top = start_supervisor_link(three_children(when));
      for (const char* id : {"a", "b"}) terminate_child(top, id);
      EXPECT_EQ(children_of(top), "c:running a:stopped");
    }
  });
}

// V38
TEST_P(SupervisorTrees, a_significant_child_that_is_taken_down_with_others_ends_nothing) {
  run([] {
    const Pid top =
        start_supervisor_link(automatic(AutoShutdown::any_significant,
                                        Strategy::one_for_all,
                                        {worker("a"),
                                         worker("b", significant(Restart::transient)),
                                         worker("c", significant(Restart::temporary))}));
    end_child(up("a"));
    up("a");
    EXPECT_EQ(children_of(top), "b:running a:running");
  });
}

// --- above one another ---

// A supervisor that gives up at the first crash of its child.
ChildSpec fragile(std::string id, ChildSpec below, const ChildOptions& options = {}) {
  return child_supervisor(std::move(id), {.intensity = 0, .children = {std::move(below)}}, options);
}

// V39
TEST_P(SupervisorTrees, a_supervisor_that_gives_up_is_restarted_from_its_list) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_one, {fragile("pool", worker("a")), worker("b")}));
    const Pid pool = which_children(top).back().pid;
    const Pid a = up("a");
    const Pid b = up("b");
    start_child(pool, worker("extra"));
    up("extra");
    end_child(a);
    EXPECT_EQ(receive<Going>().id, "extra");
    up("a");
    const Pid again = which_children(top).back().pid;
    EXPECT_NE(again, pool);
    EXPECT_EQ(children_of(again), "a:running") << "what was added later is not made again";
    EXPECT_TRUE(is_alive(b));
  });
}

// V39
TEST_P(SupervisorTrees, a_supervisor_that_gives_up_has_ended_in_order) {
  run([] {
    for (const auto& [restart, left] :
         {std::pair(Restart::transient, "pool:stopped"), std::pair(Restart::temporary, "")}) {
      const Pid top =
          start_supervisor_link({.children = {fragile("pool", worker("a"), {.restart = restart})}});
      const MonitorRef ref = monitor(which_children(top).front().pid);
      end_child(up("a"));
      EXPECT_EQ(reason_in_down(ref), ExitReason::shutdown());
      EXPECT_EQ(children_of(top), left);
    }
  });
}

// V39, V37
TEST_P(SupervisorTrees, a_significant_supervisor_that_gives_up_ends_the_one_above_it) {
  run([] {
    const Pid top = start_supervisor_link(
        automatic(AutoShutdown::any_significant,
                  Strategy::one_for_one,
                  {worker("b"), fragile("pool", worker("a"), significant(Restart::transient))}));
    end_child(up("a"));
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
    EXPECT_EQ(next_goings(1), "b");
  });
}

// V39, V28
TEST_P(SupervisorTrees, a_leaf_that_keeps_crashing_takes_down_level_after_level) {
  run([] {
    // Each level allows one restart, so the leaf is started 2 · 2 · 2 times.
    const auto level = [](ChildSpec below) {
      return child_supervisor("level",
                              {.intensity = 1, .period = 1h, .children = {std::move(below)}});
    };
    const Pid top = start_supervisor_link(
        {.intensity = 1, .period = 1h, .children = {level(level(worker("leaf"))), worker("b")}});
    const Pid b = up("b");
    for (int i = 0; i < 8; ++i) {
      EXPECT_TRUE(is_alive(top));
      EXPECT_TRUE(is_alive(b));
      end_child(up("leaf"));
    }
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
    EXPECT_FALSE(receive<Up>(0ms));
    EXPECT_EQ(next_goings(1), "b");
  });
}

// V39, V9
TEST_P(SupervisorTrees, a_supervisor_whose_restart_fails_is_tried_again) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {fragile("pool", moody("a", "uff"))}));
    end_child(up("a"));
    up("a");
    ASSERT_EQ(children_of(top), "pool:running");
    EXPECT_EQ(children_of(which_children(top).front().pid), "a:running");
  });
  EXPECT_TRUE(was_reported("child pool could not be started: shutdown: failed to start child a"));
}

// V39, V31
TEST_P(SupervisorTrees, a_whole_tree_is_taken_down_and_started_again_with_its_siblings) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_all,
             {worker("a"), child_supervisor("pool", {.children = {worker("b"), worker("c")}})}));
    const Pid a = up("a");
    EXPECT_EQ(next_ups(2), "bc");
    end_child(a);
    EXPECT_EQ(next_goings(2), "cb");
    EXPECT_EQ(next_ups(3), "abc");
    EXPECT_EQ(children_of(top), "pool:running a:running");
  });
}

// --- what else it hears ---

// V41
TEST_P(SupervisorTrees, a_message_that_nobody_expects_is_reported_and_ignored) {
  run([] {
    const Pid top = start_supervisor_link({.children = {worker("a")}});
    send(top, std::string("hello"));
    send(top, Down{});
    EXPECT_EQ(children_of(top), "a:running");
    EXPECT_EQ(process_info(top)->message_queue_len, 0U);
  });
  EXPECT_TRUE(was_reported("std::"));
  EXPECT_TRUE(was_reported("Down"));
}

// V41, C2
TEST_P(SupervisorTrees, while_it_is_suspended_exits_wait_and_are_handled_in_order_afterwards) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
    const Pid a = up("a");
    const Pid b = up("b");
    const Pid c = up("c");
    sys::suspend(top);
    EXPECT_TRUE(sys::get_status(top).is_suspended);
    for (const Pid pid : {b, c, a}) end_child(pid);
    EXPECT_EQ(sys::get_status(top).pid, top);
    EXPECT_FALSE(receive<Up>(0ms));
    sys::resume(top);
    EXPECT_EQ(next_ups(3), "bca");
    EXPECT_EQ(children_of(top), "c:running b:running a:running");
    sys::suspend(top);
    stop(top);
    EXPECT_EQ(next_goings(3), "cba");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_trees_test
