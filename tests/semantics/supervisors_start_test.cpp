// supervisors_start_test.cpp: what starts a supervisor and its children, and what does not (V).
#include <airssys/rt.hpp>
#include <algorithm>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_start_test {
namespace {

class SupervisorStart : public SupervisorRules {};
RT_WITH_SCHEDULERS(SupervisorStart);

// V1
TEST_P(SupervisorStart, a_supervisor_traps_exits_and_its_children_have_started_when_it_has) {
  run([] {
    const Pid top = start_supervisor_link({.name = "top", .children = {worker("a"), worker("b")}});
    const std::vector<Pid> children = {receive<Up>(0ms)->pid, receive<Up>(0ms)->pid};
    const std::optional<ProcessInfo> info = process_info(top);
    EXPECT_TRUE(info->traps_exits);
    EXPECT_EQ(info->name, "top");
    const std::vector linked = {self(), children[0], children[1]};
    EXPECT_TRUE(std::ranges::is_permutation(info->links, linked));
  });
}

// V2
TEST_P(SupervisorStart, unless_told_otherwise_one_restart_is_allowed) {
  const SupervisorOptions defaults;
  EXPECT_EQ(defaults.strategy, Strategy::one_for_one);
  EXPECT_EQ(defaults.auto_shutdown, AutoShutdown::never);
  EXPECT_EQ(defaults.period, 5s);
  EXPECT_EQ(DynamicSupervisorOptions().period, 5s);
  run([] {
    const Pid top = start_supervisor_link({.period = 1h, .children = {worker("a"), worker("b")}});
    const Pid pool = start_dynamic_supervisor_link({.period = 1h});
    start_child(pool, worker("c"));
    const Pid b = up("b");
    for (const char* id : {"a", "c"}) {
      end_child(up(id));
      end_child(up(id));
    }
    for (const Pid supervisor : {top, pool}) EXPECT_EQ(exit_of(supervisor), ExitReason::shutdown());
    EXPECT_EQ(end_of(b), ExitReason::noproc());
    EXPECT_FALSE(receive<Up>(0ms)) << "b was not restarted";
  });
}

// V3
TEST_P(SupervisorStart, a_childs_specification_is_told_with_its_defaults) {
  run([] {
    const Pid top = start_supervisor_link(
        {.auto_shutdown = AutoShutdown::any_significant,
         .children = {worker("plain"),
                      worker("special",
                             {.restart = Restart::transient, .shutdown = 3s, .significant = true}),
                      child_supervisor("below", {}),
                      child_dynamic_supervisor("pool", {})}});
    const ChildSpec plain = get_childspec(top, "plain");
    EXPECT_EQ(plain.id, "plain");
    EXPECT_EQ(plain.restart, Restart::permanent);
    EXPECT_FALSE(plain.significant);
    EXPECT_EQ(plain.type, ChildType::worker);
    EXPECT_EQ(plain.shutdown, Shutdown(5s));
    const ChildSpec special = get_childspec(top, "special");
    EXPECT_EQ(special.restart, Restart::transient);
    EXPECT_TRUE(special.significant);
    EXPECT_EQ(special.shutdown, Shutdown(3s));
    for (const char* id : {"below", "pool"}) {
      const ChildSpec supervisor = get_childspec(top, id);
      EXPECT_EQ(supervisor.type, ChildType::supervisor);
      EXPECT_EQ(supervisor.shutdown, Shutdown::infinity());
    }
    EXPECT_EQ(try_get_childspec(top, "stranger").error().kind(), ChildError::not_found);
  });
}

// V4
TEST_P(SupervisorStart, a_period_that_is_none_starts_nothing) {
  run([] {
    for (const Duration period : {Duration(0s), Duration(-1s)}) {
      const StartError errors[] = {
          try_start_supervisor_link({.period = period, .children = {worker("a")}}).error(),
          try_start_dynamic_supervisor_link({.period = period}).error()};
      for (const StartError& error : errors) {
        EXPECT_EQ(error.kind(), StartError::bad_spec);
        EXPECT_NE(std::string_view(error.what()).find("period"), std::string_view::npos);
      }
    }
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

struct Wrong {
  ChildSpec spec;
  std::string_view child, field;
};

std::vector<Wrong> wrong_specifications() {
  const auto with = [](const ChildOptions& options) { return worker("a", options); };
  auto once = [owned = std::make_unique<int>(7)] { static_cast<void>(owned); };
  return {{ChildSpec{.id = "a"}, "\"a\"", "start"},
          {with({.shutdown = -1s}), "\"a\"", "shutdown"},
          {with({.significant = true}), "\"a\"", "significant"},
          {with({.restart = Restart::transient, .significant = true}), "\"a\"", "significant"},
          {with({.backoff = {.first = -1s}}), "\"a\"", "backoff.first"},
          {with({.backoff = {.first = 1s, .factor = 0.5}}), "\"a\"", "backoff.factor"},
          {with({.backoff = {.first = 1s, .jitter = 2.0}}), "\"a\"", "backoff.jitter"},
          {with({.backoff = {.first = 1s, .longest = -1s}}), "\"a\"", "backoff.longest"},
          {with({.backoff = {.first = 1s, .stable_after = -1s}}), "\"a\"", "backoff.stable_after"},
          {child("a", std::move(once)), "\"a\"", "start"}};
}

void expect_names(const StartError& error, const Wrong& wrong) {
  EXPECT_EQ(error.kind(), StartError::bad_spec);
  EXPECT_NE(std::string_view(error.what()).find(wrong.child), std::string_view::npos);
  EXPECT_NE(std::string_view(error.what()).find(wrong.field), std::string_view::npos)
      << error.what();
}

// V5, V23
TEST_P(SupervisorStart, a_wrong_specification_is_refused_by_its_childs_name_and_field) {
  run([] {
    const Pid top = start_supervisor_link({});
    const Pid pool = start_dynamic_supervisor_link({});
    for (const Wrong& wrong : wrong_specifications()) {
      expect_names(check_childspecs({wrong.spec}).error(), wrong);
      expect_names(try_start_supervisor_link({.children = {worker("b"), wrong.spec}}).error(),
                   wrong);
      for (const Pid supervisor : {top, pool}) {
        expect_names(try_start_child(supervisor, wrong.spec).error(), wrong);
        EXPECT_EQ(children_of(supervisor), "");
      }
    }
    EXPECT_FALSE(receive<Message>(0ms)) << "nothing was started";
  });
}

// V5
TEST_P(SupervisorStart, children_need_ids_of_their_own) {
  run([] {
    const Pid top = start_supervisor_link({});
    const Wrong nameless = {worker(""), "child 3", "id"};
    expect_names(check_childspecs({worker("a"), worker("b"), nameless.spec}).error(), nameless);
    expect_names(try_start_child(top, nameless.spec).error(), {nameless.spec, "child \"\"", "id"});
    const Wrong twice = {worker("a"), "\"a\"", "id"};
    expect_names(check_childspecs({worker("a"), worker("b"), twice.spec}).error(), twice);
    expect_names(try_start_supervisor_link({.children = {worker("a"), twice.spec}}).error(), twice);
    EXPECT_TRUE(check_childspecs({worker("a"), worker("b")}));
    EXPECT_FALSE(receive<Message>(0ms)) << "nothing was started";
  });
}

// V6
TEST_P(SupervisorStart, a_dynamic_supervisor_starts_with_no_children) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.name = "pool"});
    EXPECT_EQ(whereis("pool"), pool);
    EXPECT_EQ(children_of(pool), "");
    EXPECT_EQ(count_children(pool).specs, 0U);
  });
}

// V7
TEST_P(SupervisorStart, a_start_function_runs_in_the_supervisor_which_does_nothing_else) {
  run([] {
    const Pid top = start_supervisor_link({});
    spawn([top, spec = gated("a"), owner = self()] { send(owner, start_child(top, spec)); });
    EXPECT_EQ(receive<AtGate>().supervisor, top);
    ask_at_gate(top, [top, owner = self()] { send(owner, children_of(top)); });
    EXPECT_FALSE(receive<std::string>(0ms));
    send(top, Open());
    const Pid a = receive<Pid>();
    EXPECT_EQ(process_info(a)->links, std::vector{top});
    EXPECT_EQ(receive<std::string>(), "a:running");
  });
}

// V7
TEST_P(SupervisorStart, what_a_start_function_throws_is_why_it_failed) {
  run([] {
    const Pid top = start_supervisor_link({});
    const auto why = [top](auto start) {
      const StartError error = try_start_child(top, child_started_by("a", start)).error();
      EXPECT_EQ(error.kind(), StartError::error);
      return error.reason();
    };
    EXPECT_EQ(why([]() -> Pid { throw std::runtime_error("boom"); }),
              ExitReason::error("std::runtime_error", "boom"));
    EXPECT_EQ(why([]() -> Pid { exit(ExitReason::shutdown("no")); }), ExitReason::shutdown("no"));
    EXPECT_EQ(why([]() -> Pid { throw 42; }), ExitReason::error("nocatch", "int"));
    EXPECT_EQ(why([] { return try_start_body_link([](Starter) { exit(ExitReason::of(7)); }); }),
              ExitReason::of(7));
    EXPECT_EQ(children_of(top), "");
    EXPECT_EQ(process_info(top)->message_queue_len, 0U) << "what did not start left nothing";
  });
}

// V8
TEST_P(SupervisorStart, each_child_starts_when_the_start_of_the_one_before_it_is_over) {
  run([] {
    const auto slow = [owner = self()](std::string id) {
      return child_started_by(id, [id, owner] {
        send(owner, "(" + id);
        const Pid pid = start_body_link([owner, id](Starter starter) {
          for (int i = 0; i < 10; ++i) yield();
          send(owner, id);
          starter.acknowledge();
          receive<End>();
        });
        send(owner, id + ")");
        return pid;
      });
    };
    start_supervisor_link({.children = {slow("a"), slow("b"), slow("c")}});
    std::string order;
    while (auto word = receive<std::string>(0ms)) order += *word;
    EXPECT_EQ(order, "(aaa)(bbb)(ccc)");
  });
}

// V9
TEST_P(SupervisorStart, when_a_child_fails_to_start_those_before_it_are_stopped_in_reverse_order) {
  run([] {
    const std::expected<Pid, StartError> top = try_start_supervisor_link(
        {.children = {worker("a"),
                      worker("b"),
                      worker("killed", {.shutdown = Shutdown::brutal_kill()}),
                      moody("c", "f"),
                      worker("d")}});
    ASSERT_FALSE(top);
    EXPECT_EQ(top.error().kind(), StartError::error);
    EXPECT_EQ(top.error().reason(),
              ExitReason::shutdown("failed to start child c: error: std::runtime_error: moody"));
    EXPECT_EQ(next_ups(3), "abkilled");
    EXPECT_EQ(next_goings(2), "ba");
    EXPECT_FALSE(receive<Message>(0ms)) << "of a failed start nothing is left (G3)";
  });
  EXPECT_TRUE(was_reported("child c could not be started"));
}

// V9
TEST_P(SupervisorStart, a_supervisor_that_fails_to_start_ends_with_the_reason_it_answers) {
  run([] {
    const auto why =
        ExitReason::shutdown("failed to start child b: error: std::runtime_error: moody");
    const Spawned starter = spawn_monitor([specs = std::vector{gated("a"), moody("b", "f")}] {
      start_supervisor_link({.children = specs});
    });
    const Pid top = receive<AtGate>().supervisor;
    const MonitorRef ref = monitor(top);
    send(top, Open());
    EXPECT_EQ(reason_in_down(ref), why);
    EXPECT_EQ(reason_of(starter), why) << "one that does not trap exits ends with it";
  });
}

// A specification's own function stands in for an init that chooses: it answers ignore, or fails.
// V10
TEST_P(SupervisorStart, a_supervisor_may_choose_not_to_run_or_fail_before_it_has_begun) {
  run([] {
    bool is_wanted = false;
    const ChildSpec pool = child_started_by(
        "pool", [&is_wanted, spec = worker("a")]() -> std::expected<Pid, StartError> {
          if (!is_wanted) return std::unexpected(ignored());
          return try_start_supervisor_link({.children = {spec}});
        });
    const Pid top = start_supervisor_link({.children = {pool}});
    EXPECT_EQ(children_of(top), "pool:stopped");
    is_wanted = true;
    const Pid below = restart_child(top, "pool");
    EXPECT_EQ(children_of(below), "a:running");

    const ChildSpec failing =
        child_started_by("pool", []() -> Pid { throw std::runtime_error("no configuration"); });
    EXPECT_EQ(try_start_supervisor_link({.children = {failing}}).error().reason(),
              ExitReason::shutdown("failed to start child pool: "
                                   "error: std::runtime_error: no configuration"));
  });
}

// V11, V25
TEST_P(SupervisorStart, a_child_that_chooses_not_to_run_is_kept_unless_it_is_temporary) {
  run([] {
    const ChildOptions temporary = {.restart = Restart::temporary};
    const Pid top = start_supervisor_link(
        {.children = {moody("a", "i"), moody("b", "i", temporary), worker("c")}});
    EXPECT_EQ(children_of(top), "c:running a:stopped");
    EXPECT_EQ(start_child(top, moody("d", "i")), Pid());
    EXPECT_EQ(start_child(top, moody("e", "i", temporary)), Pid());
    EXPECT_EQ(children_of(top), "d:stopped c:running a:stopped");
    EXPECT_EQ(count_children(top).specs, 3U);
    EXPECT_EQ(count_children(top).active, 1U);
    const Pid pool = start_dynamic_supervisor_link({});
    EXPECT_EQ(start_child(pool, moody("f", "i")), Pid());
    EXPECT_EQ(children_of(pool), "");
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_start_test
