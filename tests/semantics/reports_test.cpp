// reports_test.cpp: what is reported, as machines read it (V40).
//
// Method: programs that go wrong on purpose, in runtimes whose sink keeps the reports.
#include <airssys/rt.hpp>
#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/kept_reports.hpp"

namespace airssys::rt::semantics::reports_test {
namespace {

using support::field;

class ReportRules : public support::KeptReports {
 protected:
  ReportRules() { options.log_from = Severity::info; }

  // The supervisors' reports of this context.
  std::vector<Report> of_context(std::string_view context) {
    std::vector<Report> found = reports_of("supervisor");
    std::erase_if(found, [=](const Report& each) { return field(each, "context") != context; });
    return found;
  }
};
RT_WITH_SCHEDULERS(ReportRules);

// A child that says hello and then does as it is told.
struct Up {
  std::string id;
  Pid pid;
};
struct End {
  ExitReason reason;
};
ChildSpec worker(std::string id, const ChildOptions& options = {}) {
  auto body = [id, tester = self()] {
    send(tester, Up{id, self()});
    receive([](End end) { exit(end.reason); });
  };
  return child(std::move(id), std::move(body), options);
}
// The pid with which this child has come up.
Pid up(std::string_view id) {
  return receive(when([&](Up& up) { return up.id == id; }, [](Up& up) { return up.pid; }));
}
// Ends a child as if by itself, and waits until it is gone.
void end(Pid child, const ExitReason& reason) {
  const MonitorRef ref = monitor(child);
  send(child, End{reason});
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

// V40
TEST_P(ReportRules, each_start_of_a_child_is_progress) {
  std::string supervisor;
  std::vector<std::string> pids;
  run([&] {
    const Pid pid = start_supervisor_link({.name = "top", .children = {worker("a"), worker("b")}});
    supervisor = pid.to_string();
    const Pid a = up("a");
    pids = {a.to_string(), up("b").to_string()};
    end(a, ExitReason::error("x"));
    pids.push_back(up("a").to_string());
    pids.push_back(start_child("top", worker("c")).to_string());
    const Pid dynamic = start_dynamic_supervisor_link({});
    pids.push_back(start_child(dynamic, worker("d")).to_string());
    stop(dynamic);
    stop(pid);
  });
  const std::vector<Report> progress = reports_of("progress");
  ASSERT_EQ(progress.size(), 5U);
  const std::vector<std::string> ids{"a", "b", "a", "c", "d"};
  for (std::size_t i = 0; i < progress.size(); ++i) {
    EXPECT_EQ(progress[i].severity(), Severity::info);
    EXPECT_EQ(field(progress[i], "child"), ids[i]);
    EXPECT_EQ(field(progress[i], "child_pid"), pids[i]);
    if (i < 4) {
      EXPECT_EQ(field(progress[i], "supervisor"), supervisor);
      EXPECT_EQ(field(progress[i], "name"), "top");
    }
  }
}

// V40
TEST_P(ReportRules, an_abnormal_end_and_any_of_a_permanent_child_is_reported_with_the_decision) {
  run([] {
    const Pid top = start_supervisor_link({.strategy = Strategy::rest_for_one,
                                           .intensity = 10,
                                           .children = {
                                               worker("permanent"),
                                               worker("transient", {.restart = Restart::transient}),
                                               worker("temporary", {.restart = Restart::temporary}),
                                           }});
    const Pid permanent = up("permanent");
    end(up("temporary"), ExitReason::error("first"));
    end(up("transient"), ExitReason::error("second"));
    end(up("transient"), ExitReason::normal());
    end(permanent, ExitReason::normal());
    up("permanent");
    stop(top);
  });
  const std::vector<Report> ends = of_context("child_terminated");
  ASSERT_EQ(ends.size(), 3U);
  EXPECT_EQ(field(ends[0], "reason"), "error: first");
  EXPECT_EQ(field(ends[0], "decision"), "none");
  EXPECT_EQ(field(ends[1], "child"), "transient");
  EXPECT_EQ(field(ends[1], "decision"), "restart");
  EXPECT_EQ(field(ends[1], "strategy"), "rest_for_one");
  EXPECT_EQ(ends[1].severity(), Severity::error);
  EXPECT_EQ(field(ends[2], "child"), "permanent");
  EXPECT_EQ(field(ends[2], "reason"), "normal");
  EXPECT_EQ(field(ends[2], "decision"), "restart");
  EXPECT_EQ(ends[2].severity(), Severity::warning);
}

// V40
TEST_P(ReportRules, a_failed_start_a_failed_stop_and_giving_up_have_contexts_of_their_own) {
  run([] {
    trap_exit(true);
    ChildSpec failing = child_started_by(
        "failing", []() -> std::expected<Pid, StartError> { throw std::runtime_error("no"); });
    EXPECT_FALSE(try_start_supervisor_link({.children = {failing}}));
    const Pid top = start_supervisor_link({.intensity = 0, .children = {worker("once")}});
    start_child(top, child("stubborn", [tester = self()] {
                  trap_exit(true);
                  send(tester, Up{"stubborn", self()});
                  receive<Exit>();
                  exit(ExitReason::error("stubborn"));
                }));
    up("stubborn");
    send(up("once"), End{ExitReason::error("boom")});
    receive(when([&](Exit& exit) { return exit.from == top; }, [](Exit&) {}));
  });
  ASSERT_EQ(of_context("start_error").size(), 1U);
  EXPECT_EQ(field(of_context("start_error")[0], "child"), "failing");
  EXPECT_EQ(field(of_context("start_error")[0], "reason"), "error: std::runtime_error: no");
  ASSERT_EQ(of_context("shutdown_error").size(), 1U);
  EXPECT_EQ(field(of_context("shutdown_error")[0], "child"), "stubborn");
  EXPECT_EQ(field(of_context("shutdown_error")[0], "reason"), "error: stubborn");
  ASSERT_EQ(of_context("shutdown").size(), 1U);
  EXPECT_EQ(field(of_context("shutdown")[0], "reason"), "reached_max_restart_intensity");
}

// V40
TEST_P(ReportRules, what_goes_in_order_is_no_report_of_a_supervisor) {
  run([] {
    const Pid top = start_supervisor_link(
        {.children = {worker("transient", {.restart = Restart::transient}), worker("other")}});
    end(up("transient"), ExitReason::shutdown("enough"));
    stop(top);
  });
  EXPECT_TRUE(reports_of("supervisor").empty());
  EXPECT_EQ(reports_of("progress").size(), 2U);
}

}  // namespace
}  // namespace airssys::rt::semantics::reports_test
