// supervisors_groups_test.cpp: siblings that are restarted together (V31, V32, V34).
#include <airssys/rt.hpp>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_groups_test {
namespace {

class SupervisorGroups : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorGroups);

// V31, V12
TEST_P(SupervisorGroups, rest_for_one_restarts_those_that_were_started_later) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::rest_for_one, {worker("a"), worker("b"), worker("c"), worker("d")}));
    const Pid a = up("a");
    const Pid b = up("b");
    EXPECT_EQ(next_ups(2), "cd");
    end_child(b);
    EXPECT_EQ(next_goings(2), "dc");
    EXPECT_EQ(next_ups(3), "bcd");
    EXPECT_EQ(children_of(top), "d:running c:running b:running a:running");
    EXPECT_EQ(which_children(top).back().pid, a);
    EXPECT_FALSE(receive<Going>(0ms));
  });
}

// V31, V12
TEST_P(SupervisorGroups, one_for_all_restarts_everybody) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_all, {worker("a"), worker("b"), worker("c"), worker("d")}));
    up("a");
    const Pid b = up("b");
    EXPECT_EQ(next_ups(2), "cd");
    end_child(b);
    EXPECT_EQ(next_goings(3), "dca");
    EXPECT_EQ(next_ups(4), "abcd");
    EXPECT_EQ(children_of(top), "d:running c:running b:running a:running");
  });
}

// V31
TEST_P(SupervisorGroups, each_sibling_is_taken_down_by_its_own_shutdown) {
  run([] {
    start_supervisor_link(tree(Strategy::one_for_all,
                               {worker("a"),
                                worker("b", {.shutdown = Shutdown::brutal_kill()}),
                                lingering("c", {.shutdown = 200ms})}));
    const Pid a = up("a");
    const MonitorRef b = monitor(up("b"));
    const MonitorRef c = monitor(up("c"));
    end_child(a);
    EXPECT_EQ(next_ups(3), "abc");
    EXPECT_EQ(reason_in_down(b), ExitReason::killed());
    EXPECT_EQ(reason_in_down(c), ExitReason::killed());
    EXPECT_EQ(receive<Going>().id, "c");
    EXPECT_FALSE(receive<Going>(0ms));
  });
}

// V31
TEST_P(SupervisorGroups, temporary_siblings_go_for_good_and_stopped_ones_are_started) {
  run([] {
    const ChildOptions transient = {.restart = Restart::transient};
    const ChildOptions temporary = {.restart = Restart::temporary};
    for (const Strategy strategy : {Strategy::one_for_all, Strategy::rest_for_one}) {
      const Pid top = start_supervisor_link(tree(strategy,
                                                 {worker("a"),
                                                  worker("temporary", temporary),
                                                  worker("terminated"),
                                                  worker("ended", transient),
                                                  moody("ignored", "i"),
                                                  worker("z")}));
      const Pid a = up("a");
      terminate_child(top, "terminated");
      end_child(up("ended"), ExitReason::normal());
      EXPECT_EQ(children_of(top),
                "z:running ignored:stopped ended:stopped terminated:stopped "
                "temporary:running a:running");
      while (receive<Up>(0ms)) continue;
      end_child(a);
      EXPECT_EQ(next_ups(5), "aterminatedendedignoredz");
      EXPECT_EQ(children_of(top),
                "z:running ignored:running ended:running terminated:running a:running");
    }
  });
}

// Ends both while the supervisor is busy with starting a third, last one.
void end_both(Pid top, Pid first, Pid second) {
  spawn([top, gate = gated("late")] { start_child(top, gate); });
  const AtGate at_gate = receive<AtGate>();
  end_child(first);
  end_child(second);
  send(at_gate.supervisor, Open());
}

// V31, V14
TEST_P(SupervisorGroups, when_siblings_are_started_again_nothing_of_their_ends_is_left) {
  run([] {
    const ChildSpec curious = child_started_by("a", [body = obedient("a"), owner = self()] {
      if (auto left = receive<Exit>(0ms)) send(owner, std::move(*left));
      return start_body_link(body);
    });
    const Pid top = start_supervisor_link(tree(Strategy::one_for_all, {curious, worker("b")}));
    const Pid a = up("a");
    end_both(top, a, up("b"));
    open_gate();
    up("b");
    end_child(up("a"));
    open_gate();
    up("a");
    EXPECT_FALSE(receive<Exit>(0ms));
  });
}

// V32
TEST_P(SupervisorGroups, siblings_that_died_on_their_own_cause_no_second_restart) {
  run([] {
    for (const Strategy strategy : {Strategy::one_for_all, Strategy::rest_for_one}) {
      const Pid top = start_supervisor_link(tree(strategy, {worker("a"), worker("b")}, 1));
      const Pid a = up("a");
      end_both(top, a, up("b"));
      open_gate();  // the third is started again with them
      EXPECT_EQ(next_ups(4), "lateablate");
      EXPECT_EQ(children_of(top), "late:running b:running a:running");
      EXPECT_EQ(process_info(top)->message_queue_len, 0U);
      while (receive<Going>(0ms)) continue;
    }
  });
  EXPECT_TRUE(was_reported("was stopped, but ended with: error: test"));
}

// The supervisor sees both deaths before it begins, or one of them while it takes the other down,
// or only one. Then one more restart is one too many.
// V32, V29
TEST_P(SupervisorGroups, two_deaths_at_once_are_one_restart_whoever_is_first) {
  run([] {
    constexpr unsigned deaths = 5;
    for (const std::size_t round : rounds()) {
      const Pid top = start_supervisor_link(
          tree(Strategy::one_for_all, {worker("a"), worker("b"), worker("c")}, deaths));
      for (std::size_t i = 0; i < deaths; ++i) {
        Pid victims[] = {up("a"), up("c")};
        up("b");
        if (round % 2) std::swap(victims[0], victims[1]);
        send(victims[0], End{ExitReason::error("boom")});
        for (std::size_t n = 0; n < i; ++n) yield();
        stagger(round * deaths + i);
        send(victims[1], End{ExitReason::error("boom")});
        while (receive<Going>(0ms)) continue;
      }
      end_child(up("b"));
      ASSERT_EQ(exit_of(top), ExitReason::shutdown());
      ASSERT_EQ(next_ups(2), "ac");
      ASSERT_FALSE(receive<Up>(0ms));
      while (receive<Going>(0ms)) continue;
    }
  });
}

// V34
TEST_P(SupervisorGroups, rest_for_one_goes_on_from_the_one_that_failed) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::rest_for_one, {worker("a"), worker("b"), worker("d")}, 2));
    spawn([top, gate = gated("e")] { start_child(top, gate); });
    open_gate();
    start_child(top, worker("f"));
    const Pid a = up("a");
    while (receive<Up>(0ms)) continue;
    end_child(a);
    EXPECT_EQ(while_restarting(top, children_of),
              "f:stopped e:restarting d:running b:running a:running");
    EXPECT_EQ(next_goings(4), "fedb");
    EXPECT_EQ(next_ups(3), "abd");
    open_gate();
    EXPECT_EQ(next_ups(2), "ef");
    EXPECT_EQ(children_of(top), "f:running e:running d:running b:running a:running");
    EXPECT_FALSE(receive<Going>(0ms)) << "those that had been restarted stayed";
  });
}

// V34
TEST_P(SupervisorGroups, one_for_all_begins_anew_when_a_sibling_fails) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_all, {worker("a"), worker("b")}, 2));
    spawn([top, gate = gated("c")] { start_child(top, gate); });
    open_gate();
    start_child(top, worker("d"));
    const Pid a = up("a");
    while (receive<Up>(0ms)) continue;
    end_child(a);
    EXPECT_EQ(while_restarting(top, children_of), "d:stopped c:restarting b:running a:running");
    EXPECT_EQ(next_goings(3), "dcb");
    EXPECT_EQ(next_ups(2), "ab");
    open_gate();
    for (const char* id : {"b", "a"}) {
      const Going going = receive<Going>();
      EXPECT_EQ(going.id, id);
      EXPECT_EQ(going.reason, ExitReason::shutdown());
    }
    EXPECT_EQ(next_ups(4), "abcd");
    EXPECT_EQ(children_of(top), "d:running c:running b:running a:running");
  });
}

// V34, V29, V33
TEST_P(SupervisorGroups, a_group_that_keeps_failing_ends_the_supervisor) {
  run([] {
    for (const Strategy strategy : {Strategy::one_for_all, Strategy::rest_for_one}) {
      const Pid top = start_supervisor_link(tree(strategy, {worker("a"), moody("b", "uffff")}, 4));
      end_child(up("a"));
      EXPECT_EQ(exit_of(top), ExitReason::shutdown());
      // One start, and one for each attempt when all begin anew.
      EXPECT_EQ(next_ups(strategy == Strategy::one_for_all ? 5 : 2),
                strategy == Strategy::one_for_all ? "baaaa" : "ba");
      while (receive<Message>(0ms)) continue;
    }
  });
}

// V31, V35
TEST_P(SupervisorGroups, a_sibling_that_chooses_not_to_run_again_holds_up_nobody) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_all, {worker("a"), moody("b", "ui"), worker("c")}));
    end_child(up("a"));
    EXPECT_EQ(children_of(top), "c:running b:stopped a:running");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_groups_test
