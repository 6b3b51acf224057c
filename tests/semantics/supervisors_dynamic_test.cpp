// supervisors_dynamic_test.cpp: many children that come and go (V23, and what the other rules of
// chapter V mean for them).
#include <airssys/rt.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::supervisors_dynamic_test {
namespace {

class DynamicSupervisors : public SupervisorRules {};
RT_WITH_SCHEDULERS(DynamicSupervisors);

ChildOptions temporary(Shutdown shutdown = {}) {
  return {.restart = Restart::temporary, .shutdown = shutdown};
}

// V23
TEST_P(DynamicSupervisors, ids_are_labels_and_children_are_known_by_pid) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.intensity = 0});
    const Pid a = start_child(pool, worker("same"));
    const Pid b = start_child(pool, worker("same"));
    const Pid nameless = start_child(pool, worker(""));
    EXPECT_EQ(children_of(pool).size(), std::string("same:running same:running :running").size());
    terminate_child(pool, a);
    EXPECT_FALSE(is_alive(a));
    EXPECT_EQ(receive<Going>().reason, ExitReason::shutdown());
    terminate_child(pool, nameless);
    ASSERT_EQ(which_children(pool).size(), 1U);
    EXPECT_EQ(which_children(pool).front().pid, b);
    EXPECT_EQ(which_children(pool).front().id, "same");
  });
}

// V23
TEST_P(DynamicSupervisors, the_dead_are_terminated_already_and_strangers_are_left_alone) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    const Pid a = start_child(pool, worker("a"));
    terminate_child(pool, a);
    terminate_child(pool, a);
    terminate_child(pool, spawn_dead());
    const Spawned stranger = spawn_target();
    for (const Pid pid : {stranger.pid, self(), pool})
      EXPECT_EQ(try_terminate_child(pool, pid).error().kind(), ChildError::not_found);
    EXPECT_EQ(end(stranger), ExitReason::normal());
  });
}

// V23
TEST_P(DynamicSupervisors, what_goes_by_id_is_refused) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    start_child(pool, worker("a"));
    EXPECT_EQ(try_terminate_child(pool, "a").error().kind(), ChildError::by_pid_only);
    EXPECT_EQ(try_delete_child(pool, "a").error().kind(), ChildError::by_pid_only);
    EXPECT_EQ(try_restart_child(pool, "a").error().kind(), ChildError::by_pid_only);
    EXPECT_EQ(children_of(pool), "a:running");
  });
}

// V23, V3
TEST_P(DynamicSupervisors, the_specification_of_a_child_is_known_by_its_pid) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    const Pid a = start_child(pool, worker("label", {.restart = Restart::transient}));
    const Pid b = start_child(pool, worker("label", {.restart = Restart::temporary}));
    const ChildSpec spec = get_childspec(pool, a);
    EXPECT_EQ(spec.id, "label");
    EXPECT_EQ(spec.restart, Restart::transient);
    EXPECT_EQ(spec.shutdown, Shutdown(5s));
    EXPECT_EQ(get_childspec(pool, b).restart, Restart::temporary);
    const Pid another = start_child(pool, spec);
    EXPECT_EQ(get_childspec(pool, another).restart, Restart::transient);
    terminate_child(pool, b);
    EXPECT_EQ(try_get_childspec(pool, b).error().kind(), ChildError::not_found);
    EXPECT_EQ(try_get_childspec(pool, self()).error().kind(), ChildError::not_found);
    EXPECT_EQ(try_get_childspec(pool, "label").error().kind(), ChildError::by_pid_only);
    const Pid ordered = start_supervisor_link({.children = {worker("c")}});
    EXPECT_EQ(try_get_childspec(ordered, up("c")).error().kind(), ChildError::not_found);
  });
}

// V23
TEST_P(DynamicSupervisors, a_child_that_fails_to_start_leaves_nothing) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    const StartError error = try_start_child(pool, moody("a", "f")).error();
    EXPECT_EQ(error.kind(), StartError::error);
    EXPECT_EQ(error.reason(), ExitReason::error("std::runtime_error", "moody"));
    EXPECT_EQ(count_children(pool).specs, 0U);
  });
}

// V23, V25
TEST_P(DynamicSupervisors, there_are_at_most_as_many_children_as_it_may_have) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.max_children = 2});
    const Pid a = start_child(pool, worker("a", temporary()));
    start_child(pool, child_supervisor("b", {}));
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    const auto refused = try_start_child(
        pool, child("c", [owned = std::move(owned)] { static_cast<void>(owned); }, temporary()));
    EXPECT_EQ(refused.error().kind(), StartError::limit_reached);
    EXPECT_TRUE(watched.expired());
    const ChildCounts counts = count_children(pool);
    EXPECT_EQ(counts.active, 2U);
    EXPECT_EQ(counts.supervisors, 1U);
    EXPECT_EQ(counts.workers, 1U);
    end_child(a);
    EXPECT_TRUE(start_child(pool, worker("c"))) << "there is room again";
  });
}

// V23, V27, V36
TEST_P(DynamicSupervisors, who_is_restarted_each_specification_says) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.intensity = 10, .period = 1h});
    start_child(pool, worker("permanent"));
    start_child(pool, worker("transient", {.restart = Restart::transient}));
    start_child(pool, worker("temporary", temporary()));
    end_child(up("permanent"), ExitReason::normal());
    end_child(up("transient"), ExitReason::error("boom"));
    end_child(up("transient"), ExitReason::shutdown("done"));
    end_child(up("temporary"), ExitReason::error("boom"));
    const Pid again = up("permanent");
    EXPECT_EQ(children_of(pool), "permanent:running");
    terminate_child(pool, again);
    EXPECT_EQ(children_of(pool), "") << "its specification goes with it";
  });
}

// V23
TEST_P(DynamicSupervisors, what_cannot_be_copied_is_started_once) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    const auto owner_of = [](int number) {
      return [owned = std::make_unique<int>(number), owner = self()] { send(owner, *owned); };
    };
    start_child(pool, child("a", owner_of(7), temporary()));
    EXPECT_EQ(receive<int>(), 7);
    EXPECT_EQ(try_start_child(pool, child("b", owner_of(8))).error().kind(), StartError::bad_spec);
  });
}

// V28, V33, V23
TEST_P(DynamicSupervisors, a_failing_restart_is_tried_again_until_it_is_one_too_many) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.intensity = 2, .period = 1h});
    const Pid other = start_child(pool, plain("other"));
    spawn([pool, spec = gated("a")] { start_child(pool, spec); });
    open_gate();
    const MonitorRef ref = monitor(other);
    end_child(up("a"));
    open_gate({.fails = true});
    const ChildCounts counts = while_restarting(pool, [](Pid p) { return count_children(p); });
    EXPECT_EQ(counts.specs, 2U);
    EXPECT_EQ(counts.active, 1U);
    EXPECT_EQ(counts.workers, 2U);
    EXPECT_EQ(exit_of(pool), ExitReason::shutdown());
    EXPECT_EQ(reason_in_down(ref), ExitReason::shutdown());
    EXPECT_FALSE(receive<AtGate>(0ms));
  });
}

// V21, V23
TEST_P(DynamicSupervisors, a_restart_that_is_to_be_tried_again_is_cancelled) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({.intensity = 10, .period = 1h});
    spawn([pool, spec = gated("a")] { start_child(pool, spec); });
    open_gate();
    const Pid a = up("a");
    end_child(a);
    EXPECT_TRUE(
        while_restarting(pool, [a](Pid p) { return try_terminate_child(p, a).has_value(); }));
    EXPECT_EQ(children_of(pool), "");
    EXPECT_FALSE(receive<AtGate>(0ms));
  });
}

// V35
TEST_P(DynamicSupervisors, a_child_that_chooses_not_to_run_again_is_dropped) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    start_child(pool, moody("a", "ui"));
    end_child(up("a"));
    EXPECT_EQ(children_of(pool), "");
  });
}

// Each child goes when all have been asked: one at a time would hang.
// V23
TEST_P(DynamicSupervisors, all_children_are_stopped_at_once) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    std::vector<Pid> children;
    for (int i = 0; i < 10; ++i)
      children.push_back(start_child(pool, lingering("a", temporary(Shutdown::infinity()))));
    const Spawned stopper = spawn_monitor([pool] { stop(pool); });
    for (std::size_t i = 0; i < children.size(); ++i)
      EXPECT_EQ(receive<Going>().reason, ExitReason::shutdown());
    for (const Pid pid : children) send(pid, End{ExitReason::shutdown()});
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
  });
}

// The longest limit is everybody's: those that may take no time at all are given it, too.
// V23, V13
TEST_P(DynamicSupervisors, who_may_take_no_time_has_as_long_as_the_slowest_may_take) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    const Pid hasty = start_child(pool, lingering("hasty", temporary(0ms)));
    const Pid patient = start_child(pool, lingering("patient", temporary(1h)));
    const MonitorRef ref = monitor(hasty);
    const Spawned stopper = spawn_monitor([pool] { stop(pool); });
    ASSERT_FALSE(receive<Down>(20ms)) << "it has time";
    for (int i = 0; i < 2; ++i) receive<Going>();
    send(hasty, End{ExitReason::of(1)});
    EXPECT_EQ(reason_in_down(ref), ExitReason::of(1));
    send(patient, End{ExitReason::shutdown()});
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
  });
}

// V23, V13
TEST_P(DynamicSupervisors, who_does_not_go_in_the_common_time_is_killed) {
  run([] {
    const Pid pool = start_dynamic_supervisor_link({});
    std::vector<MonitorRef> refs;
    for (int i = 0; i < 10; ++i)
      refs.push_back(monitor(start_child(pool, lingering("a", temporary(i * 1ms)))));
    const MonitorRef brutal =
        monitor(start_child(pool, worker("b", temporary(Shutdown::brutal_kill()))));
    stop(pool);
    for (const MonitorRef& ref : refs) EXPECT_EQ(reason_in_down(ref), ExitReason::killed());
    EXPECT_EQ(reason_in_down(brutal), ExitReason::killed());
  });
  EXPECT_TRUE(was_reported("child a"));
  EXPECT_FALSE(was_reported("child b"));
}

struct Sleeper : Server<Sleeper> {};

// What it costs is counted in the supervisor's own reductions, while one child is still awaited.
// V23
TEST_P(DynamicSupervisors, many_children_are_stopped_in_linear_time) {
  run([] {
    constexpr std::size_t count = 20'000;
    const Pid pool = start_dynamic_supervisor_link({});
    for (std::size_t i = 0; i < count; ++i) start_child(pool, child<Sleeper>("a", temporary()));
    const Pid last = start_child(pool, lingering("b", temporary(Shutdown::infinity())));
    EXPECT_EQ(count_children(pool).active, count + 1);
    const std::uint64_t before = process_info(pool)->reductions;
    const Spawned stopper = spawn_monitor([pool] { stop(pool); });
    receive<Going>();
    while (process_info(pool)->monitors.size() != 1) yield();
    EXPECT_LT(process_info(pool)->reductions - before, 100 * count);
    send(last, End{ExitReason::shutdown()});
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::supervisors_dynamic_test
