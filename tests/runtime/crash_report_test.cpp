// crash_report_test.cpp: what is reported of a process that did not end in order.
//
// Method: processes that end in every way, in a runtime whose reports the test keeps.
#include "runtime/crash_report.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <string>

#include "tests/support/kept_reports.hpp"

namespace airssys::rt::runtime {
namespace {

using support::field;

using Crashes = support::KeptReports;
RT_WITH_SCHEDULERS(Crashes);

// Runs body as a process until it has ended; answers its pid.
template <class Body>
std::string ended(Body body, const SpawnOptions& options = {}) {
  const Spawned process = spawn_monitor(options, std::move(body));
  receive([](Down) {});
  return process.pid.to_string();
}

TEST_P(Crashes, a_report_names_the_process_and_the_reason) {
  std::string pid;
  run([&pid] { pid = ended([] { exit(ExitReason::error("no")); }, {.name = "store"}); });
  ASSERT_EQ(reports().size(), 1U);
  const Report crash = reports()[0];
  EXPECT_EQ(crash.kind(), "crash");
  EXPECT_EQ(crash.severity(), Severity::error);
  EXPECT_EQ(crash.line(), "process " + pid + " \"store\" crashed: error: no");
  EXPECT_EQ(field(crash, "pid"), pid);
  EXPECT_EQ(field(crash, "name"), "store");
  EXPECT_EQ(field(crash, "reason"), "error: no");
}

TEST_P(Crashes, who_is_ended_by_a_signal_makes_no_report) {
  run([] {
    ended([] { send_exit(self(), ExitReason::kill()); });
    ended([] { send_exit(self(), ExitReason::error("from outside")); });
  });
  EXPECT_TRUE(reports().empty());
}

}  // namespace
}  // namespace airssys::rt::runtime
