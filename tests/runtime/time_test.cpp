// time_test.cpp: deadlines, counted on the clock of the runtime, or of a plain thread.
//
// Compares with the clock itself before and after; no test waits.
#include <airssys/rt.hpp>
#include <chrono>

#include "base/clock.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

class Time : public support::InRuntime {};
RT_WITH_SCHEDULERS(Time);

void check_after() {
  const std::int64_t before = base::steady_clock().now_ns();
  const Deadline deadline = Deadline::after(1s);
  const std::int64_t after = base::steady_clock().now_ns();
  EXPECT_GE(deadline.ns(), before + 1'000'000'000);
  EXPECT_LE(deadline.ns(), after + 1'000'000'000);
}

TEST_P(Time, a_deadline_counts_from_now) {
  check_after();
  run([] { check_after(); });
}

TEST_P(Time, a_negative_time_out_throws) {
  EXPECT_THROW(Deadline::after(-1ns), BadArgument);
}

TEST_P(Time, a_time_out_beyond_the_clock_is_never) {
  EXPECT_TRUE(Deadline::after(infinite).is_never());
  EXPECT_TRUE(Deadline::after(infinite - 1ns).is_never());
  EXPECT_FALSE(Deadline::after(24h * 365 * 100).is_never());
  EXPECT_TRUE(Deadline().is_never());
}

}  // namespace
}  // namespace airssys::rt
