// survivors_test.cpp: what is said of a process that has not ended in time.
// Method: processes as they might answer, or look.
#include <airssys/rt/detail/survivors.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/kept_reports.hpp"

namespace airssys::rt::detail::survivors_test {
namespace {

using namespace std::chrono_literals;
using support::field;

ProcessInfo store() {
  ProcessInfo store;
  store.pid = Pid(7, 1);
  store.name = "store";
  store.code = "Store";
  store.state = ProcessState::waiting;
  store.wait_reason = "reply";
  store.waits_for = Pid(9, 1);
  return store;
}
std::string line(const ProcessInfo& process) {
  return survivor_report("survivor", process, "is there").line();
}

TEST(Survivors, each_says_who_it_is_what_it_waits_for_since_when_and_where) {
  ProcessInfo process = store();
  process.waited = 2345ms;
  process.message_queue_len = 3;
  process.stack = {"store+0x10", "Store::flush(Disk&) (store+0x20)", "main (store+0x30)"};
  EXPECT_EQ(
      line(process),
      "process <0.7.1> \"store\" (Store) is there: it waits for reply from <0.9.1> for 2.3 s, "
      "with 3 messages, in Store::flush(Disk&) (store+0x20)");
  const Report report = survivor_report("survivor", process, "is there");
  EXPECT_EQ(report.severity(), Severity::error);
  EXPECT_EQ(field(report, "pid"), "<0.7.1>");
  EXPECT_EQ(field(report, "waits_for"), "reply");
  EXPECT_EQ(field(report, "waits_for_pid"), "<0.9.1>");
  EXPECT_EQ(field<std::uint64_t>(report, "waited_ms"), 2345U);
  EXPECT_EQ(field<std::vector<std::string>>(report, "stack"), process.stack);
}

TEST(Survivors, a_label_stands_for_the_code) {
  ProcessInfo process = store();
  process.label = "shard 3";
  process.message_queue_len = 1;
  EXPECT_EQ(line(process),
            "process <0.7.1> \"store\" (shard 3) is there: it waits for reply from <0.9.1>, "
            "with 1 message");
}

TEST(Survivors, the_place_is_a_call_of_the_programs_own_or_all_that_is_known) {
  ProcessInfo process = store();
  process.stack = {"_ZN7airssys2rtveryLong (store+0x0)",
                   "airssys::rt::sleep(int) (store+0x1)",
                   "void airssys::rt::receive<Go>() (store+0x2)",
                   "Store::wait(airssys::rt::Pid) (store+0x3)"};
  EXPECT_TRUE(line(process).ends_with(", in Store::wait(airssys::rt::Pid) (store+0x3)"));
  process.stack = {"store+0x1", "store+0x2"};
  EXPECT_TRUE(line(process).ends_with(", in store+0x1 < store+0x2"));
}

TEST(Survivors, who_does_not_wait_runs_or_is_held_or_ends) {
  ProcessInfo process;
  process.pid = Pid(7, 1);
  EXPECT_EQ(line(process), "process <0.7.1> is there: it runs");
  process.has_answered = false;
  EXPECT_EQ(line(process), "process <0.7.1> is there: it runs code that does not call the runtime");
  process.state = ProcessState::suspended;
  EXPECT_EQ(line(process), "process <0.7.1> is there: it is suspended");
  process.state = ProcessState::exiting;
  EXPECT_EQ(line(process), "process <0.7.1> is there: its end is under way");
}

}  // namespace
}  // namespace airssys::rt::detail::survivors_test
