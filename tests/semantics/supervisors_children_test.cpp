// supervisors_children_test.cpp: what can be asked of a supervisor about its children (V20–V26).
#include <airssys/rt.hpp>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_children_test {
namespace {

class SupervisorRequests : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorRequests);

ChildSpec failing(std::string id) {
  return child_started_by(std::move(id), []() -> Pid { throw std::runtime_error("no disk"); });
}

// V20
TEST_P(SupervisorRequests, a_started_child_is_the_last_in_order) {
  run([] {
    const Pid top = start_supervisor_link({.children = {worker("a"), worker("b")}});
    const Pid c = start_child(top, worker("c"));
    EXPECT_EQ(up("c"), c);
    EXPECT_EQ(children_of(top), "c:running b:running a:running");
    stop(top);
    EXPECT_EQ(next_goings(3), "cba");
  });
}

// V20
TEST_P(SupervisorRequests, a_child_that_fails_to_start_is_named_and_not_kept) {
  run([] {
    const Pid top = start_supervisor_link({});
    const StartError error = try_start_child(top, failing("a")).error();
    EXPECT_EQ(error.kind(), StartError::error);
    EXPECT_EQ(error.reason(), ExitReason::error("std::runtime_error", "no disk"));
    EXPECT_NE(std::string_view(error.what()).find("child \"a\""), std::string_view::npos);
    EXPECT_THROW(start_child(top, failing("a")), StartError);
    EXPECT_EQ(children_of(top), "");
    EXPECT_TRUE(start_child(top, worker("a"))) << "its id is free";
  });
}

// V20
TEST_P(SupervisorRequests, an_id_that_is_there_is_refused) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {worker("a")}));
    const StartError running = try_start_child(top, worker("a")).error();
    EXPECT_EQ(running.kind(), StartError::already_started);
    EXPECT_EQ(running.pid(), up("a"));
    terminate_child(top, "a");
    EXPECT_EQ(try_start_child(top, worker("a")).error().kind(), StartError::already_present);
    delete_child(top, "a");

    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));
    EXPECT_EQ(while_restarting(
                  top, [](Pid t) { return try_start_child(t, failing("a")).error().kind(); }),
              StartError::already_present);
    open_gate();
  });
}

// A child's name may be taken by anybody; that is no child that runs already.
// V20
TEST_P(SupervisorRequests, a_child_whose_name_is_taken_has_failed_to_start) {
  run([] {
    register_name("store", self());
    const Pid top = start_supervisor_link({});
    const StartError error =
        try_start_child(top, worker("a", {.start = {.name = "store"}})).error();
    EXPECT_EQ(error.kind(), StartError::error);
    EXPECT_EQ(error.pid(), self()) << "who has it";
    EXPECT_EQ(children_of(top), "");
  });
}

// V21
TEST_P(SupervisorRequests, a_terminated_child_is_kept_and_neither_restarted_nor_counted) {
  run([] {
    const Pid top = start_supervisor_link(
        {.intensity = 0,
         .auto_shutdown = AutoShutdown::any_significant,
         .children = {worker("a"),
                      worker("b", {.restart = Restart::transient, .significant = true}),
                      worker("c", {.restart = Restart::temporary, .significant = true})}});
    for (int i = 0; i < 3; ++i) {
      terminate_child(top, "a");
      terminate_child(top, "a");
      EXPECT_EQ(children_of(top), "c:running b:running a:stopped");
      restart_child(top, "a");
    }
    terminate_child(top, "b");
    terminate_child(top, "c");
    EXPECT_EQ(children_of(top), "b:stopped a:running") << "a temporary child's goes";
    EXPECT_EQ(try_terminate_child(top, "c").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_terminate_child(top, which_children(top).back().pid).error().kind(),
              ChildError::not_found)
        << "these are known by id";
  });
}

// V21, V33
TEST_P(SupervisorRequests, a_restart_that_is_to_be_tried_again_is_cancelled) {
  run([] {
    const Pid top = start_supervisor_link(tree(Strategy::one_for_one, {}));
    spawn([top, spec = gated("a")] { start_child(top, spec); });
    open_gate();
    end_child(up("a"));
    EXPECT_TRUE(
        while_restarting(top, [](Pid t) { return try_terminate_child(t, "a").has_value(); }));
    EXPECT_EQ(children_of(top), "a:stopped");
    EXPECT_FALSE(receive<AtGate>(0ms));
  });
}

// V22
TEST_P(SupervisorRequests, only_a_child_that_does_not_run_is_deleted_or_restarted) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 10, .children = {worker("a")}});
    spawn([top, spec = gated("b")] { start_child(top, spec); });
    open_gate();
    const Pid first = up("a");
    EXPECT_EQ(try_delete_child(top, "a").error().kind(), ChildError::running);
    EXPECT_EQ(try_restart_child(top, "a").error().kind(), ChildError::running);
    EXPECT_EQ(try_delete_child(top, "stranger").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_restart_child(top, "stranger").error().kind(), ChildError::not_found);
    EXPECT_EQ(try_terminate_child(top, "stranger").error().kind(), ChildError::not_found);

    end_child(up("b"));
    const auto kind_of = [](auto answer) { return answer.error().kind(); };
    EXPECT_EQ(while_restarting(top, [=](Pid t) { return kind_of(try_delete_child(t, "b")); }),
              ChildError::restarting);
    EXPECT_EQ(while_restarting(top, [=](Pid t) { return kind_of(try_restart_child(t, "b")); }),
              ChildError::restarting);
    open_gate();

    terminate_child(top, "a");
    const Pid second = restart_child(top, "a");
    EXPECT_NE(first, second);
    EXPECT_EQ(up("a"), second);
    EXPECT_EQ(children_of(top), "b:running a:running") << "in its old place";
    terminate_child(top, "a");
    delete_child(top, "a");
    EXPECT_EQ(children_of(top), "b:running");
    EXPECT_EQ(try_restart_child(top, "a").error().kind(), ChildError::not_found);
  });
}

// V22
TEST_P(SupervisorRequests, a_restart_that_fails_on_request_keeps_the_child_stopped) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 0, .children = {moody("a", "ufi")}});
    terminate_child(top, "a");
    const ChildError error = try_restart_child(top, "a").error();
    EXPECT_EQ(error.kind(), ChildError::not_started);
    EXPECT_EQ(error.reason(), ExitReason::error("std::runtime_error", "moody"));
    EXPECT_NE(std::string_view(error.what()).find("child \"a\""), std::string_view::npos);
    EXPECT_EQ(children_of(top), "a:stopped");
    EXPECT_EQ(restart_child(top, "a"), Pid()) << "it chose not to run";
    EXPECT_EQ(children_of(top), "a:stopped");
    EXPECT_TRUE(restart_child(top, "a"));
  });
}

// V20, V21, V22
TEST_P(SupervisorRequests, a_dead_supervisor_answers_that_it_is_gone) {
  run([] {
    const Pid top = start_supervisor_link({});
    stop(top);
    EXPECT_EQ(try_start_child(top, worker("a")).error().kind(), StartError::no_supervisor);
    EXPECT_EQ(try_start_child("nobody", worker("a")).error().reason(), ExitReason::noproc());
    const auto why = [](const ChildError& error) {
      EXPECT_EQ(error.kind(), ChildError::no_supervisor);
      return error.reason();
    };
    EXPECT_EQ(why(try_terminate_child(top, "a").error()), ExitReason::noproc());
    EXPECT_EQ(why(try_delete_child(top, "a").error()), ExitReason::noproc());
    EXPECT_EQ(why(try_restart_child(top, "a").error()), ExitReason::noproc());
    EXPECT_EQ(why(try_get_childspec(top, "a").error()), ExitReason::noproc());
    EXPECT_EQ(reason_of(spawn_monitor([top] { which_children(top); })), ExitReason::noproc());
    EXPECT_EQ(reason_of(spawn_monitor([top] { count_children(top); })), ExitReason::noproc());
  });
}

// V20, V21, V22
TEST_P(SupervisorRequests, what_cannot_be_asked_there_is_told_from_a_supervisor_that_is_gone) {
  run([] {
    auto results = std::make_shared<std::vector<int>>();
    const auto ask = [results](SupervisorRef supervisor) {
      results->push_back(try_start_child(supervisor, moody("b", "u")).error().kind());
      results->push_back(try_terminate_child(supervisor, "a").error().kind());
      results->push_back(try_count_children(supervisor).error().kind());
    };
    start_supervisor_link(
        {.children = {child_started_by("a", [ask]() -> std::expected<Pid, StartError> {
           ask(self());
           return std::unexpected(ignored());
         })}});
    EXPECT_EQ(*results,
              (std::vector<int>{
                  StartError::calling_self, ChildError::calling_self, ChildError::calling_self}));
    results->clear();

    const Pid top = start_supervisor_link(
        {.children = {child_supervisor(
             "full", {}, {.start = {.mailbox = {.capacity = 1, .overflow = Overflow::reject}}})}});
    const Pid full = which_children(top).front().pid;
    sys::suspend(full);
    send(full, 1);
    ask(full);
    EXPECT_EQ(
        *results,
        (std::vector<int>{StartError::overloaded, ChildError::overloaded, ChildError::overloaded}));
    sys::resume(full);
  });
}

// V25
TEST_P(SupervisorRequests, a_child_that_unlinked_itself_and_ended_is_not_counted_as_active) {
  run([] {
    const Pid ordered = start_supervisor_link({});
    for (const Pid supervisor : {ordered, start_dynamic_supervisor_link({})}) {
      const Pid child_pid = start_child(supervisor, child("a", [] {
                                          unlink(parent());
                                          receive<Go>();
                                        }));
      start_child(supervisor, child_supervisor("b", {}));
      while (process_info(child_pid)->links.size() > 0) yield();
      EXPECT_EQ(count_children(supervisor).active, 2U);
      const MonitorRef ref = monitor(child_pid);
      send(child_pid, Go());
      EXPECT_EQ(reason_in_down(ref), ExitReason::normal());
      const ChildCounts counts = count_children(supervisor);
      EXPECT_EQ(counts.specs, 2U);
      EXPECT_EQ(counts.active, 1U);
      EXPECT_EQ(counts.workers, 1U);
      EXPECT_EQ(counts.supervisors, 1U);
    }
  });
}

// V24, V25
TEST_P(SupervisorRequests, children_are_listed_latest_first_and_counted_by_kind) {
  run([] {
    const Pid top = start_supervisor_link(
        {.name = "top",
         .intensity = 10,
         .children = {worker("a"), child_supervisor("b", {}), moody("c", "i")}});
    const std::vector<ChildInfo> children = which_children("top");
    ASSERT_EQ(children.size(), 3U);
    EXPECT_EQ(children[0].id, "c");
    EXPECT_EQ(children[0].pid, Pid());
    EXPECT_EQ(children[0].state, ChildState::stopped);
    EXPECT_EQ(children[1].id, "b");
    EXPECT_EQ(children[1].type, ChildType::supervisor);
    EXPECT_EQ(children[2].pid, up("a"));
    EXPECT_EQ(children[2].type, ChildType::worker);
    EXPECT_EQ(children[2].state, ChildState::running);

    spawn([top, spec = gated("d")] { start_child(top, spec); });
    open_gate();
    end_child(up("d"));
    const std::vector<ChildInfo> list =
        while_restarting(top, [](Pid t) { return which_children(t); });
    EXPECT_EQ(list.front().id, "d");
    EXPECT_EQ(list.front().pid, Pid());
    EXPECT_EQ(list.front().state, ChildState::restarting);
    const ChildCounts counts = while_restarting(top, [](Pid t) { return count_children(t); });
    EXPECT_EQ(counts.specs, 4U);
    EXPECT_EQ(counts.active, 2U);
    EXPECT_EQ(counts.supervisors, 1U);
    EXPECT_EQ(counts.workers, 3U);
    open_gate();
  });
}

// V26
TEST_P(SupervisorRequests, what_a_temporary_child_was_made_of_is_not_kept) {
  run([] {
    const Pid supervisors[] = {start_supervisor_link({}), start_dynamic_supervisor_link({})};
    for (const Pid supervisor : supervisors) {
      auto owned = std::make_shared<int>(1);
      const std::weak_ptr<int> watched = owned;
      const Pid pid = start_child(supervisor,
                                  child("a",
                                        [owned = std::move(owned), owner = self()]() mutable {
                                          receive<Go>();
                                          owned.reset();
                                          send(owner, Ready());
                                          exit(receive<End>().reason);
                                        },
                                        {.restart = Restart::temporary}));
      send(pid, Go());
      receive<Ready>();
      EXPECT_TRUE(watched.expired()) << "only the child had it";
      end_child(pid);
    }
  });
}

// V26
TEST_P(SupervisorRequests, a_temporary_childs_id_is_free_as_soon_as_it_has_ended) {
  run([] {
    const Pid top = start_supervisor_link({.intensity = 0});
    const ChildSpec spec = worker("a", {.restart = Restart::temporary});
    for (const std::size_t i : support::rounds()) {
      start_child(top, spec);
      end_child(up("a"), i % 2 ? ExitReason::normal() : ExitReason::error("boom"));
      EXPECT_EQ(children_of(top), "");
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_children_test
