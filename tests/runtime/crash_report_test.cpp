// crash_report_test.cpp: what is reported of a process that did not end in order.
//
// Method: processes that end in every way, in a runtime whose reports the test keeps.
#include "runtime/crash_report.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/symbol.hpp"
#include "fiber/throw_site.hpp"
#include "scheduler/thread.hpp"
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

[[gnu::noinline]] void leave_by_exit() {
  exit(ExitReason::error("no"));
}

struct Careful : Server<Careful> {
  struct Fail {};
  void handle(Fail) { throw std::runtime_error("boom"); }
};

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

TEST_P(Crashes, an_exception_is_told_with_the_stack_that_threw_it) {
  run([] { ended([] { static_cast<void>(std::vector<int>().at(7)); }); });
  ASSERT_EQ(reports().size(), 1U);
  const Report crash = reports()[0];
  const auto stack = field<std::vector<std::string>>(crash, "stack");
  ASSERT_GE(stack.size(), 2U);
  EXPECT_TRUE(stack[0].contains("libstdc++")) << stack[0];
  EXPECT_TRUE(stack[1].contains("runtime_crash_report_test+0x")) << stack[1];
  // People are told of what called the library.
  EXPECT_TRUE(crash.line().ends_with(", thrown at " + stack[1])) << crash.line();
  EXPECT_TRUE(crash.to_json().contains(R"("stack":[")" + stack[0] + R"(",")" + stack[1]))
      << crash.to_json();
}

TEST_P(Crashes, an_exit_is_told_with_the_stack_that_called_it) {
  run([] { ended([] { leave_by_exit(); }); });
  ASSERT_EQ(reports().size(), 1U);
  const auto stack = field<std::vector<std::string>>(reports()[0], "stack");
  ASSERT_FALSE(stack.empty());
  const auto offset_of_leave =
      base::symbol_at(reinterpret_cast<const void*>(&leave_by_exit)).offset;
  const auto offset = std::stoull(stack[0].substr(stack[0].find("+0x") + 3), nullptr, 16);
  EXPECT_GE(offset, offset_of_leave);
  EXPECT_LT(offset, offset_of_leave + 400);
}

// How many calls are noted on this stack as those of a failure.
std::size_t noted() {
  return fiber::throw_site(scheduler::Thread::current()->fiber()).size();
}

struct Ending : Server<Ending> {
  struct End {
    ExitReason reason;
  };
  explicit Ending(std::size_t& at_end) : noted_at_end(at_end) {}
  void handle(End end) { exit(std::move(end.reason)); }
  void terminate(const ExitReason&) { noted_at_end = noted(); }
  std::size_t& noted_at_end;
};

TEST_P(Crashes, an_orderly_exit_makes_no_report_and_notes_no_stack) {
  run([] {
    std::size_t calls = 0;
    for (const ExitReason& reason :
         {ExitReason::normal(), ExitReason::shutdown(), ExitReason::shutdown("enough")}) {
      ended([reason] { exit(reason); });
      const auto server = start_monitor<Ending>(std::ref(calls)).server;
      cast(server, Ending::End{reason});
      receive([&](const Down& down) { EXPECT_EQ(down.reason, reason); });
      EXPECT_EQ(calls, 0U) << reason.to_string();
    }
    const auto stopped = start_monitor<Ending>(std::ref(calls)).server;
    stop(stopped);
    receive([](Down) {});
    EXPECT_EQ(calls, 0U);
  });
  EXPECT_TRUE(reports().empty());
  run([] {
    std::size_t calls = 0;
    cast(start_monitor<Ending>(std::ref(calls)).server, Ending::End{ExitReason::error("no")});
    receive([](Down) {});
    EXPECT_GT(calls, 0U) << "of an exit that will be reported";
  });
}

TEST_P(Crashes, a_crash_behind_an_orderly_exit_that_was_caught_has_its_own_stack) {
  run([] {
    ended([] {
      try {
        exit(ExitReason::normal());
      } catch (const ExitException&) {
        leave_by_exit();
      }
    });
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_EQ(field(reports()[0], "reason"), "error: no");
  EXPECT_FALSE(field<std::vector<std::string>>(reports()[0], "stack").empty());
}

TEST_P(Crashes, the_message_in_hand_is_named) {
  run([] {
    cast(start_monitor<Careful>().server, Careful::Fail());
    receive([](Down) {});
  });
  ASSERT_EQ(reports_of("crash").size(), 1U);
  const Report crash = reports_of("crash")[0];
  EXPECT_TRUE(field(crash, "message").ends_with("Careful::Fail")) << field(crash, "message");
  EXPECT_NE(crash.line().find(" crashed handling " + field(crash, "message") + ": error: "),
            std::string::npos)
      << crash.line();
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
