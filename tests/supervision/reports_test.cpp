// reports_test.cpp: what the log says of a supervisor, word by word (V40, V42).
// Method: a process that reports as if it were one.
#include "supervision/reports.hpp"

#include "tests/supervision/support.hpp"

namespace airssys::rt::test::reports_test {
namespace {

WITH_SCHEDULERS(ReportsTest);

TEST_P(ReportsTest, a_line_names_the_supervisor_the_child_and_what_happened) {
  std::string supervisor;
  run([&] {
    supervision::Reports reports("top");
    reports.child_ended("store", Pid(7, 1), ExitReason::error("boom"), std::nullopt);
    reports.start_failed("store", ExitReason::timeout());
    reports.stopped_otherwise("store", Pid(7, 1), ExitReason::killed());
    reports.still_there("store", Pid(7, 1), ExitReason::kill());
    reports.still_there("store", Pid(7, 1), ExitReason::shutdown());
    reports.gave_up();
    supervisor = "supervisor top " + self().to_string() + ": ";
  });
  EXPECT_TRUE(
      was_logged(supervisor + "child store <0.7.1> ended: error: boom; does not restart it"));
  EXPECT_TRUE(was_logged(supervisor + "child store could not be started: timeout"));
  EXPECT_TRUE(was_logged(supervisor + "child store <0.7.1> was stopped, but ended with: killed"));
  EXPECT_TRUE(was_logged(supervisor + "child store <0.7.1> has been killed but does not end"));
  EXPECT_TRUE(was_logged(supervisor + "child store <0.7.1> has been asked to stop but does not"));
  EXPECT_TRUE(was_logged(supervisor + "gives up: too many restarts"));
}

TEST_P(ReportsTest, an_end_is_told_with_the_decision) {
  run([] {
    supervision::Reports reports("top");
    const auto ended = [&](Strategy strategy, Duration wait) {
      reports.child_ended(
          "store", Pid(7, 1), ExitReason::timeout(), supervision::RestartPlan{strategy, wait});
    };
    ended(Strategy::one_for_one, 0ms);
    ended(Strategy::rest_for_one, 0ms);
    ended(Strategy::one_for_all, 1500us);
  });
  EXPECT_TRUE(was_logged("ended: timeout; restarts it"));
  EXPECT_TRUE(was_logged("ended: timeout; restarts it and those started later"));
  EXPECT_TRUE(was_logged("ended: timeout; restarts all in 2 ms"));
}

TEST_P(ReportsTest, only_a_supervisor_with_a_finite_shutdown_is_warned_about) {
  run([] {
    supervision::Reports reports("");
    reports.impatient_shutdown({.id = "worker", .shutdown = 1s});
    reports.impatient_shutdown(
        {.id = "patient", .shutdown = Shutdown::infinity(), .type = ChildType::supervisor});
    reports.impatient_shutdown({.id = "hasty", .shutdown = 1s, .type = ChildType::supervisor});
  });
  EXPECT_FALSE(was_logged("worker"));
  EXPECT_FALSE(was_logged("patient"));
  EXPECT_TRUE(was_logged("child hasty is a supervisor: its shutdown should be infinity"));
}

}  // namespace
}  // namespace airssys::rt::test::reports_test
