// supervisors_restart_test.cpp: which child is started again when it has ended, how often, and what
// happens when that fails (V27–V30, V33, V35, V36).
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_restart_test {
namespace {

class SupervisorRestarts : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorRestarts);

// V27, V26
TEST_P(SupervisorRestarts, who_is_started_again_the_restart_type_and_the_reason_say) {
  run([] {
    struct Case {
      Restart restart;
      ExitReason reason;
      const char* children;
    };
    const char* const restarted = "a:running";
    const ExitReason crash = ExitReason::error("boom");
    const ExitReason done = ExitReason::shutdown("done");
    for (const Case& c : {Case{Restart::permanent, ExitReason::normal(), restarted},
                          Case{Restart::permanent, ExitReason::shutdown(), restarted},
                          Case{Restart::permanent, done, restarted},
                          Case{Restart::permanent, crash, restarted},
                          Case{Restart::transient, ExitReason::normal(), "a:stopped"},
                          Case{Restart::transient, ExitReason::shutdown(), "a:stopped"},
                          Case{Restart::transient, done, "a:stopped"},
                          Case{Restart::transient, crash, restarted},
                          Case{Restart::transient, ExitReason::killed(), restarted},
                          Case{Restart::transient, ExitReason::of(7), restarted},
                          Case{Restart::temporary, ExitReason::normal(), ""},
                          Case{Restart::temporary, crash, ""}}) {
      const Pid top = start_supervisor_link({.children = {worker("a", {.restart = c.restart})}});
      const Pid first = up("a");
      end_child(first, c.reason);
      EXPECT_EQ(children_of(top), c.children) << c.reason.to_string();
      if (c.children == restarted) {
        EXPECT_NE(up("a"), first);
      }
      EXPECT_FALSE(receive<Up>(0ms));
    }
  });
}

// V27
TEST_P(SupervisorRestarts, the_end_of_an_earlier_incarnation_is_not_that_of_the_next) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 0, .children = {worker("a")}});
    const Pid first = up("a");
    terminate_child(top, "a");
    const Pid second = restart_child(top, "a");
    // As if it came late: an exit signal in the name of the first.
    const Spawned late = spawn_monitor([top, first] {
      link(top);
      exit(ExitReason::error("not " + first.to_string()));
    });
    reason_of(late);
    EXPECT_EQ(which_children(top).front().pid, second);
  });
}

// V27, N2
TEST_P(SupervisorRestarts, a_server_comes_back_under_its_name) {
  struct Store : Server<Store> {
    struct Crash {};
    struct Get {
      using Reply = int;
    };
    void handle(Crash) { throw std::runtime_error("disk on fire"); }
    int handle(Get) { return 7; }
  };
  run([] {
    const ChildOptions named = {.start = {.name = "store"}};
    start_supervisor_link({.intensity = 1'000'000, .children = {child<Store>("a", named)}});
    for ([[maybe_unused]] const std::size_t i : support::rounds()) {
      const Pid store = whereis("store").value();
      const MonitorRef ref = monitor(store);
      cast(server_ref<Store>(store), typename Store::Crash{});
      reason_in_down(ref);
      while (!whereis("store")) yield();
      EXPECT_EQ(call(server_ref<Store>("store"), typename Store::Get{}), 7);
    }
  });
}

// V28
TEST_P(SupervisorRestarts, one_restart_more_than_allowed_ends_the_supervisor_with_shutdown) {
  run([] {
    for (unsigned intensity = 0; intensity < 4; ++intensity) {
      const Pid top =
          start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b")}, intensity));
      const Pid b = up("b");
      for (unsigned i = 0; i < intensity; ++i) end_child(up("a"));
      const Pid last = up("a");
      EXPECT_EQ(which_children(top).back().pid, last);
      end_child(last);
      EXPECT_EQ(exit_of(top), ExitReason::shutdown());
      const Going going = receive<Going>();
      EXPECT_EQ(going.id, "b") << "it was stopped in order";
      EXPECT_EQ(going.reason, ExitReason::shutdown());
      EXPECT_FALSE(is_alive(b));
      EXPECT_FALSE(receive<Up>(0ms));
    }
  });
  EXPECT_TRUE(was_reported("too many restarts"));
}

// V28
TEST_P(SupervisorRestarts, restarts_longer_ago_than_the_period_are_forgotten) {
  run([] {
    const Pid top =
        start_supervisor_link({.intensity = 1, .period = 5ms, .children = {worker("a")}});
    for (int i = 0; i < 5; ++i) {
      end_child(up("a"));
      children_of(top);  // it has been restarted
      sleep(6ms);
    }
    EXPECT_EQ(children_of(top), "a:running");
  });
}

// V28, V29
TEST_P(SupervisorRestarts, children_share_the_restarts_of_their_supervisor) {
  run([] {
    const Pid top = start_supervisor_link(
        tree(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}, 2));
    end_child(up("a"));
    end_child(up("b"));
    end_child(up("c"));
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
  });
}

// V29
TEST_P(SupervisorRestarts, a_groups_restart_counts_once) {
  run([] {
    for (const Strategy strategy : {Strategy::one_for_all, Strategy::rest_for_one}) {
      const Pid top =
          start_supervisor_link(tree(strategy, {worker("a"), worker("b"), worker("c")}, 2));
      for (int i = 0; i < 2; ++i) {
        end_child(up("a"));
        EXPECT_EQ(children_of(top), "c:running b:running a:running");
      }
      end_child(up("a"));
      EXPECT_EQ(exit_of(top), ExitReason::shutdown());
      while (receive<Up>(0ms)) continue;
    }
  });
}

// V30
TEST_P(SupervisorRestarts, one_for_one_restarts_the_dead_child_alone_in_its_place) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {worker("a"), worker("b"), worker("c")}));
    const Pid a = up("a");
    const Pid b = up("b");
    const Pid c = up("c");
    end_child(b);
    const std::vector<ChildInfo> children = which_children(top);
    EXPECT_EQ(children[0].pid, c);
    EXPECT_EQ(children[1].pid, up("b"));
    EXPECT_NE(children[1].pid, b);
    EXPECT_EQ(children[2].pid, a);
    EXPECT_FALSE(receive<Going>(0ms));
    stop(top);
    EXPECT_EQ(next_goings(3), "cba");
  });
}

// V29, V33
TEST_P(SupervisorRestarts, a_child_that_keeps_failing_is_tried_as_often_as_is_allowed) {
  run([] {
    constexpr unsigned intensity = 5;
    auto starts = std::make_shared<std::atomic<unsigned>>(0);
    auto failing = child_started_by("a", [starts, body = obedient("a")] {
      if ((*starts)++ != 0) throw std::runtime_error("no disk");
      return start_body_link(body);
    });
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {failing}, intensity));
    end_child(up("a"));
    EXPECT_EQ(exit_of(top), ExitReason::shutdown());
    EXPECT_EQ(*starts, 1 + intensity);
  });
  EXPECT_TRUE(was_reported("child a could not be started: error: std::runtime_error: no disk"));
}

// V33
TEST_P(SupervisorRestarts, a_failed_start_is_tried_again_behind_the_requests_that_have_come) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {worker("b")}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));
    EXPECT_EQ(while_restarting(top, children_of), "a:restarting b:running");
    const Pid c =
        while_restarting(top, [spec = worker("c")](Pid t) { return start_child(t, spec); });
    open_gate();
    EXPECT_EQ(children_of(top), "c:running a:running b:running");
    EXPECT_EQ(which_children(top).front().pid, c);
  });
}

// V33
TEST_P(SupervisorRestarts, what_comes_after_a_failed_start_comes_after_the_next_attempt) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));
    const AtGate at_gate = receive<AtGate>();
    ask_at_gate(top, [top, spec = gated("b")] { start_child(top, spec); });
    send(at_gate.supervisor, Open{.fails = true});
    receive<AtGate>();  // of b: by now a is to be tried again
    ask_at_gate(top, [top, owner = self()] { send(owner, children_of(top)); });
    send(top, Open());
    open_gate();
    EXPECT_EQ(receive<std::string>(), "b:running a:running");
  });
}

// V31, V33
TEST_P(SupervisorRestarts, an_attempt_that_fails_before_it_comes_to_its_child_is_over) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_all, {}));
    for (const char* id : {"a", "b"}) {
      spawn([top, spec = gated(id)] { start_child(top, spec); });
      open_gate();
      up(id);
    }
    end_child(which_children(top).front().pid);
    open_gate();  // a comes back
    send(receive<AtGate>().supervisor, Open{.fails = true});
    const AtGate at_gate = receive<AtGate>();  // of a, in the next attempt, which is for b
    ask_at_gate(top, [top] { terminate_child(top, "a"); });
    send(at_gate.supervisor, Open{.fails = true});
    EXPECT_EQ(children_of(top), "b:stopped a:stopped");
    spawn([top] { restart_child(top, "b"); });
    open_gate();
    EXPECT_EQ(children_of(top), "b:running a:stopped");
  });
}

// V33
TEST_P(SupervisorRestarts, a_retry_that_another_restart_has_gone_ahead_of_does_not_count) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_all, {worker("b")}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    up("b");
    end_child(up("a"));
    const AtGate first = receive<AtGate>();
    end_child(up("b"));  // for which all are restarted, before the retry of a comes
    send(first.supervisor, Open{.fails = true});
    const AtGate second = receive<AtGate>();
    ask_at_gate(top, [top, owner = self()] { send(owner, children_of(top)); });
    send(second.supervisor, Open{.fails = true});
    open_gate();
    // Asked before the second retry; were the first one to count, it would be answered behind that.
    EXPECT_EQ(receive<std::string>(), "a:restarting b:running");
    EXPECT_EQ(children_of(top), "a:running b:running");
  });
}

// B1, V33
TEST_P(SupervisorRestarts, a_failed_start_is_tried_again_by_a_supervisor_whose_mailbox_is_full) {
  run([] {
    for (const Overflow overflow :
         {Overflow::block, Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest}) {
      auto starts = std::make_shared<std::atomic<unsigned>>(0);
      auto failing_once = child_started_by("a", [starts, body = obedient("a")] {
        if ((*starts)++ != 1) return start_body_link(body);
        for (int i = 0; i < 4; ++i) try_send(self(), i);  // this runs in the supervisor
        throw std::runtime_error("no disk");
      });
      const Pid top = start_supervisor_link(
          tree(Strategy::one_for_one,
               {child_supervisor("bounded",
                                 tree(Strategy::one_for_one, {failing_once}),
                                 {.start = {.mailbox = {.capacity = 1, .overflow = overflow}}})}));
      const Pid bounded = which_children(top).front().pid;
      end_child(up("a"));
      up("a");
      EXPECT_EQ(children_of(bounded), "a:running");
      EXPECT_EQ(which_children(top).front().pid, bounded);
      terminate_child(top, "bounded");
    }
  });
}

// V33
TEST_P(SupervisorRestarts, a_stop_comes_before_the_next_attempt) {
  run([] {
    const Pid parent = spawn([owner = self(), specs = std::vector{worker("b"), gated("a")}] {
      send(owner, start_supervisor_link({.intensity = 10, .children = specs}));
      receive<Go>();
    });
    open_gate();
    const Pid top = receive<Pid>();
    end_child(up("a"));
    const AtGate at_gate = receive<AtGate>();
    const MonitorRef ref = monitor(top);
    send(parent, Go());
    while (is_alive(parent)) yield();  // its exit is on the way to the supervisor, or there
    send(at_gate.supervisor, Open{.fails = true});
    EXPECT_EQ(reason_in_down(ref), ExitReason::normal());
    EXPECT_EQ(receive<Going>().id, "b");
    EXPECT_FALSE(receive<AtGate>(0ms));
  });
}

// V35
TEST_P(SupervisorRestarts, a_child_that_chooses_not_to_run_again_stays_stopped) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_one, {moody("a", "ui"), moody("b", "ufi")}));
    end_child(up("a"));
    EXPECT_EQ(children_of(top), "b:running a:stopped");
    end_child(up("b"));
    while (children_of(top) == "b:restarting a:stopped") yield();
    EXPECT_EQ(children_of(top), "b:stopped a:stopped");
    EXPECT_TRUE(restart_child(top, "a"));
  });
}

// V36
TEST_P(SupervisorRestarts, children_that_the_supervisor_takes_down_count_as_no_restart) {
  run([] {
    const Pid top =
        start_supervisor_link(tree(Strategy::one_for_all, {worker("a"), worker("b")}, 1));
    for (int i = 0; i < 10; ++i) {
      terminate_child(top, "a");
      restart_child(top, "a");
      start_child(top, worker("c"));
      terminate_child(top, "c");
      delete_child(top, "c");
    }
    while (receive<Up>(0ms)) continue;
    end_child(which_children(top).back().pid);
    EXPECT_EQ(next_ups(2), "ab");
    EXPECT_EQ(children_of(top), "b:running a:running") << "b, which was taken down, did not count";
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_restart_test
