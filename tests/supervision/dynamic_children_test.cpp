// dynamic_children_test.cpp: dynamic supervisors (V23): children by pid, limits, restarts, and a
// stop of all at once whose work is linear.
// Method: whole supervisors, with up to ten thousand children.
#include "supervision/dynamic_children.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(DynamicChildrenTest);

ChildOptions temporary() {
  return {.restart = Restart::temporary};
}

TEST_P(DynamicChildrenTest, ids_are_labels_and_children_are_known_by_pid) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({.name = "pool"});
    Pid a = start_child("pool", worker("same", temporary()));
    EXPECT_EQ(up("same"), a);
    Pid b = start_child(pool, worker("same", temporary()));
    EXPECT_EQ(up("same"), b);
    EXPECT_EQ(children_of(pool), "same:running same:running");
    terminate_child(pool, a);
    EXPECT_EQ(next_going(), "same");
    EXPECT_EQ(which_children(pool)[0].pid, b);
    terminate_child(pool, a);  // dead already: not an error
    EXPECT_EQ(try_terminate_child(pool, self()).error().kind(), ChildError::not_found);
    EXPECT_EQ(try_terminate_child(pool, "same").error().kind(), ChildError::by_pid_only);
    EXPECT_EQ(try_delete_child(pool, "same").error().kind(), ChildError::by_pid_only);
    EXPECT_EQ(try_restart_child(pool, "same").error().kind(), ChildError::by_pid_only);
    stop(pool);
    EXPECT_EQ(next_going(), "same");
  });
}

TEST_P(DynamicChildrenTest, a_child_that_owns_what_cannot_be_copied_runs_once) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({});
    auto body = [owned = std::make_unique<int>(7), owner = self()] { send(owner, *owned); };
    start_child(pool, child("a", std::move(body), temporary()));
    EXPECT_EQ(next<int>(), 7);
    auto permanent = [owned = std::make_unique<int>(8)] { static_cast<void>(owned); };
    EXPECT_EQ(try_start_child(pool, child("a", std::move(permanent))).error().kind(),
              StartError::bad_spec);
    stop(pool);
  });
}

TEST_P(DynamicChildrenTest, beyond_max_children_nothing_is_started_and_what_it_owned_is_freed) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({.max_children = 2});
    Pid a = start_child(pool, worker("a", temporary()));
    start_child(pool, worker("b", temporary()));
    auto owned = std::make_shared<int>(1);
    std::weak_ptr<int> watched = owned;
    StartError refused =
        try_start_child(pool,
                        child(
                            "c", [o = std::move(owned)] { static_cast<void>(o); }, temporary()))
            .error();
    EXPECT_EQ(refused.kind(), StartError::limit_reached);
    EXPECT_TRUE(watched.expired());
    terminate_child(pool, a);
    EXPECT_TRUE(try_start_child(pool, worker("c", temporary())));
    stop(pool);
  });
}

TEST_P(DynamicChildrenTest, restart_types_come_from_each_specification) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({.intensity = 10});
    start_child(pool, worker("p"));
    start_child(pool, worker("t", {.restart = Restart::transient}));
    start_child(pool, worker("x", temporary()));
    end_child(up("p"), ExitReason::normal());
    end_child(up("t"), ExitReason::normal());
    end_child(up("x"));
    up("p");
    EXPECT_EQ(children_of(pool), "p:running");
    EXPECT_EQ(count_children(pool).workers, 1U);
    stop(pool);
  });
}

TEST_P(DynamicChildrenTest, a_failing_restart_is_retried_and_one_too_many_ends_the_supervisor) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({.intensity = 2, .period = 1h});
    spawn([pool, spec = gated("a")] { start_child(pool, spec); });
    open_gate();
    end_child(up("a"));
    open_gate(true);
    EXPECT_EQ(while_restarting(pool, [](Pid p) { return children_of(p); }), "a:restarting");
    EXPECT_EQ(next<Exit>()->reason, ExitReason::shutdown());
  });
}

TEST_P(DynamicChildrenTest, a_child_whose_restart_is_ignored_is_dropped) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({});
    auto started = std::make_shared<bool>(false);
    start_child(
        pool, child_started_by("a", [started, owner = self()]() -> std::expected<Pid, StartError> {
          if (std::exchange(*started, true)) {
            return std::unexpected(StartError(StartError::ignore, {}, ""));
          }
          return spawn_link(obedient("a", owner));
        }));
    end_child(up("a"));
    EXPECT_EQ(children_of(pool), "");
    stop(pool);
  });
}

// Each child waits, when it is asked to stop, until all have been asked: one at a time would hang.
TEST_P(DynamicChildrenTest, all_children_are_stopped_at_once) {
  run([] {
    constexpr int count = 10;
    Pid pool = start_dynamic_supervisor_link({});
    std::vector<Pid> children;
    for (int i = 0; i < count; ++i) {
      children.push_back(
          start_child(pool,
                      child("a",
                            [owner = self()] {
                              trap_exit(true);
                              send(owner, Up{"a", self()});
                              receive<Exit>();
                              send(owner, Going{"a", {}});
                              receive<Open>();
                              exit(ExitReason::shutdown());
                            },
                            {.restart = Restart::temporary, .shutdown = Shutdown::infinity()})));
      up("a");
    }
    spawn_link([pool] { stop(pool); });
    for (int i = 0; i < count; ++i) next_going();
    for (Pid pid : children) send(pid, Open{});
    EXPECT_TRUE(next<Exit>());
    EXPECT_TRUE(next<Exit>());
  });
}

TEST_P(DynamicChildrenTest, what_does_not_stop_in_the_common_time_is_killed) {
  run([] {
    Pid pool = start_dynamic_supervisor_link({});
    auto stubborn = [owner = self()] {
      trap_exit(true);
      send(owner, Up{"a", self()});
      receive<End>();
    };
    for (int i = 0; i < 10; ++i) {
      start_child(pool, child("a", stubborn, {.restart = Restart::temporary, .shutdown = 1ms}));
      up("a");
    }
    stop(pool);
  });
  EXPECT_TRUE(was_logged("was stopped, but ended with: killed"));
}

TEST_P(DynamicChildrenTest, ten_thousand_children_come_and_go) {
  run([] {
    constexpr std::size_t count = 10'000;
    Pid pool = start_dynamic_supervisor_link({});
    std::vector<Pid> children;
    for (std::size_t i = 0; i < count; ++i) {
      children.push_back(start_child(pool, child("c", [] { receive<End>(); }, temporary())));
    }
    EXPECT_EQ(count_children(pool).active, count);
    for (std::size_t i = 0; i < count; i += 2) monitor(children[i]);
    for (std::size_t i = 0; i < count; i += 2) send(children[i], End{});
    for (std::size_t i = 0; i < count; i += 2) next<Down>();  // its supervisor has its Exit by now
    EXPECT_EQ(count_children(pool).active, count / 2);
    stop(pool);
    for (Pid pid : children) EXPECT_EQ(end_of(pid), ExitReason::noproc());
  });
}

}  // namespace
}  // namespace airssys::rt::test
