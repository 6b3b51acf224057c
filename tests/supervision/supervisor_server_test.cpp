// supervisor_server_test.cpp: the supervisor as a process: who may end it and what becomes of its
// tree (V17, V18, V39), and what it answers (V20–V26, V41).
// Method: whole trees.
#include "supervision/supervisor_server.hpp"

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(SupervisorServerTest);

// --- who ends it ---

TEST_P(SupervisorServerTest, the_end_of_its_parent_takes_the_tree_down) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::error("gone")}) {
      Pid parent = spawn([owner = self(), spec = worker("a"), reason] {
        Pid top = start_supervisor_link({.children = {spec}});
        send(owner, top);
        receive<End>();
        exit(reason);
      });
      Pid top = *next<Pid>();
      up("a");
      MonitorRef ref = monitor(top);
      end_child(parent, reason);
      std::optional<Going> going = next<Going>();
      EXPECT_EQ(going->reason, ExitReason::shutdown()) << "the child was asked, in order";
      std::optional<Down> down = next<Down>();
      EXPECT_EQ(down->ref, ref);
      EXPECT_EQ(down->reason, reason);
    }
  });
}

TEST_P(SupervisorServerTest, an_exit_from_somebody_else_is_ignored) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    Pid a = up("a");
    end_of(spawn([top] { send_exit(top, ExitReason::shutdown()); }));
    send(top, std::string("hello"));
    EXPECT_EQ(which_children(top)[0].pid, a);
    stop(top);
  });
  EXPECT_TRUE(was_logged("dropped a message that nobody expects"));
}

TEST_P(SupervisorServerTest, a_killed_supervisors_children_get_killed_through_their_links) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a"), child("b", [owner = self()] {
                                                    send(owner, Up{"b", self()});
                                                    receive<End>();
                                                  })}});
    up("a");
    monitor(up("b"));
    send_exit(top, ExitReason::kill());
    EXPECT_EQ(next<Exit>()->reason, ExitReason::killed());
    EXPECT_EQ(next<Down>()->reason, ExitReason::killed());
    EXPECT_EQ(next<Going>()->reason, ExitReason::killed()) << "one that traps sees its parent end";
  });
}

TEST_P(SupervisorServerTest, a_request_that_waits_in_a_killed_supervisor_fails) {
  run([] {
    Pid top = start_supervisor_link({});
    spawn([top, owner = self(), spec = gated("a")] {
      send(owner, try_start_child(top, spec).error().reason());
    });
    next<AtGate>();
    send_exit(top, ExitReason::kill());
    EXPECT_EQ(*next<ExitReason>(), ExitReason::killed());
  });
}

// E3: the runtime asks the root of the tree, and the tree does the rest.
TEST_P(SupervisorServerTest, a_runtime_that_stops_takes_a_tree_down_in_order) {
  std::mutex mutex;
  std::string order;
  auto leaf = [&](char id) {
    return child(std::string(1, id), [&, id](Starter starter) {
      trap_exit(true);
      starter.acknowledge();
      receive<Exit>();
      sleep(1ms);
      std::scoped_lock lock(mutex);
      order += id;
    });
  };
  Runtime runtime({.schedulers = GetParam(), .log = [](std::string_view) {}});
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
  runtime.stop(patience);
  EXPECT_EQ(order, "dcba");
}

// --- trees ---

TEST_P(SupervisorServerTest, a_supervisor_that_gives_up_is_restarted_from_its_list_by_its_own) {
  run([] {
    Pid top = start_supervisor_link(
        {.children = {child_supervisor("pool", {.intensity = 0, .children = {worker("a")}})}});
    Pid pool = which_children(top)[0].pid;
    Pid a = up("a");
    start_child(pool, worker("extra"));
    up("extra");
    end_child(a);
    EXPECT_EQ(next_going(), "extra");
    up("a");
    Pid again = which_children(top)[0].pid;
    EXPECT_NE(again, pool);
    EXPECT_EQ(children_of(again), "a:running") << "what was added later is not made again";
    stop(top);
  });
}

TEST_P(SupervisorServerTest, a_transient_supervisor_that_gives_up_is_not_restarted) {
  run([] {
    Pid top = start_supervisor_link(
        {.children = {child_supervisor("pool",
                                       {.intensity = 0, .children = {worker("a")}},
                                       {.restart = Restart::transient})}});
    Pid pool = which_children(top)[0].pid;
    MonitorRef ref = monitor(pool);
    end_child(up("a"));
    EXPECT_EQ(next<Down>()->ref, ref);
    EXPECT_EQ(children_of(top), "pool:stopped");
    stop(top);
  });
}

TEST_P(SupervisorServerTest, a_finite_shutdown_of_a_supervisor_is_warned_about) {
  run([] {
    Pid top = start_supervisor_link({.children = {child_supervisor("pool", {}, {.shutdown = 1s}),
                                                  child_supervisor("well", {})}});
    stop(top);
  });
  EXPECT_TRUE(was_logged("child pool is a supervisor: its shutdown should be infinity"));
  EXPECT_FALSE(was_logged("child well is a supervisor"));
}

TEST_P(SupervisorServerTest, a_server_comes_back_under_its_name) {
  struct Store : Server<Store> {
    struct Crash {};
    struct Get {
      using Reply = int;
    };
    void handle(Crash) { throw std::runtime_error("disk on fire"); }
    int handle(Get) { return 7; }
  };
  run([] {
    Pid top = start_supervisor_link(
        {.intensity = 1000, .children = {child<Store>("store", {.start = {.name = "store"}})}});
    for (int round = 0; round < 100; ++round) {
      Pid store = whereis("store").value();
      MonitorRef ref = monitor(store);
      cast(server_ref<Store>(store), typename Store::Crash{});
      EXPECT_EQ(next<Down>()->ref, ref);
      while (!whereis("store")) yield();
      EXPECT_EQ(call(server_ref<Store>("store"), typename Store::Get{}), 7);
    }
    stop(top);
  });
}

// --- what it answers ---

TEST_P(SupervisorServerTest, start_child_adds_a_child_last) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    Pid b = start_child(top, worker("b"));
    EXPECT_EQ(up("b"), b);
    EXPECT_EQ(children_of(top), "b:running a:running");
    stop(top);
  });
}

TEST_P(SupervisorServerTest, start_child_refuses_an_id_that_is_there) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    StartError running = try_start_child(top, worker("a")).error();
    EXPECT_EQ(running.kind(), StartError::already_started);
    EXPECT_EQ(running.pid(), up("a"));
    terminate_child(top, "a");
    EXPECT_EQ(try_start_child(top, worker("a")).error().kind(), StartError::already_present);
    stop(top);
  });
}

TEST_P(SupervisorServerTest, a_child_that_fails_to_start_is_not_kept) {
  run([] {
    Pid top = start_supervisor_link({});
    auto failing = child_started_by("a", []() -> Pid { throw std::runtime_error("no"); });
    StartError error = try_start_child(top, failing).error();
    EXPECT_EQ(error.kind(), StartError::error);
    EXPECT_EQ(error.reason(), ExitReason::error("std::runtime_error", "no"));
    EXPECT_EQ(try_start_child(top, worker("")).error().kind(), StartError::bad_spec);
    EXPECT_EQ(children_of(top), "");
    EXPECT_THROW(start_child(top, failing), StartError);
    stop(top);
  });
}

TEST_P(SupervisorServerTest, children_are_terminated_restarted_and_deleted_by_id) {
  run([] {
    Pid top = start_supervisor_link({.children = {worker("a")}});
    Pid first = up("a");
    EXPECT_EQ(try_delete_child(top, "a").error().kind(), ChildError::running);
    EXPECT_EQ(try_restart_child(top, "a").error().kind(), ChildError::running);
    terminate_child(top, "a");
    EXPECT_EQ(end_of(first), ExitReason::noproc());
    terminate_child(top, "a");  // not an error
    EXPECT_EQ(children_of(top), "a:stopped");
    Pid second = restart_child(top, "a");
    EXPECT_EQ(up("a"), second);
    terminate_child(top, "a");
    delete_child(top, "a");
    EXPECT_EQ(children_of(top), "");
    EXPECT_EQ(try_terminate_child(top, "a").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_delete_child(top, "a").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_restart_child(top, "a").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_terminate_child(top, self()).error().kind(), ChildError::not_found);
    stop(top);
  });
}

TEST_P(SupervisorServerTest, a_temporary_childs_id_is_free_as_soon_as_it_has_ended) {
  run([] {
    Pid top = start_supervisor_link({});
    ChildSpec spec = worker("a", {.restart = Restart::temporary});
    for (int round = 0; round < 100; ++round) {
      start_child(top, spec);
      end_child(up("a"));
    }
    start_child(top, spec);
    terminate_child(top, "a");
    EXPECT_EQ(children_of(top), "");
    stop(top);
  });
}

TEST_P(SupervisorServerTest, children_are_counted_and_described) {
  run([] {
    Pid top = start_supervisor_link(
        {.name = "top", .children = {worker("a"), worker("b"), child_supervisor("s", {})}});
    terminate_child("top", "a");
    ChildCounts counts = count_children("top");
    EXPECT_EQ(counts.specs, 3U);
    EXPECT_EQ(counts.active, 2U);
    EXPECT_EQ(counts.supervisors, 1U);
    EXPECT_EQ(counts.workers, 2U);
    ChildSpec a = get_childspec(top, "a");
    EXPECT_EQ(a.restart, Restart::permanent);
    EXPECT_EQ(a.shutdown, Shutdown(5s));
    EXPECT_EQ(get_childspec(top, "s").shutdown, Shutdown::infinity());
    EXPECT_EQ(try_get_childspec(top, "x").error().kind(), ChildError::not_found);
    stop(top);
  });
}

TEST_P(SupervisorServerTest, a_dead_supervisor_answers_nothing) {
  run([] {
    Pid top = start_supervisor_link({});
    stop(top);
    EXPECT_EQ(try_start_child(top, worker("a")).error().kind(), StartError::no_supervisor);
    EXPECT_EQ(try_start_child("nobody", worker("a")).error().kind(), StartError::no_supervisor);
    EXPECT_EQ(try_terminate_child(top, "a").error().kind(), ChildError::no_supervisor);
    EXPECT_THROW(which_children(top), ChildError);
    EXPECT_THROW(count_children(top), ChildError);
  });
}

}  // namespace
}  // namespace airssys::rt::test
