// time_test.cpp: deadlines, counted on the clock of the runtime, or of a plain thread.
//
// Compares with the clock itself before and after; no test waits for a time to pass.
#include <fcntl.h>
#include <unistd.h>
#include <airssys/rt.hpp>
#include <airssys/rt/io.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <system_error>

#include "base/clock.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::time_test {
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

TEST_P(Time, any_duration_becomes_one_that_is_as_long_or_infinite) {
  using std::chrono::duration;
  using Milliseconds = std::chrono::milliseconds;
  EXPECT_EQ(Duration(5ms), 5ms);
  EXPECT_EQ(Duration(-5ms), -5ms);
  EXPECT_EQ(Duration(duration<double, std::milli>(0.0000015)), 2ns);
  EXPECT_EQ(Duration(std::chrono::hours::max()), infinite);
  EXPECT_EQ(Duration(Milliseconds(1LL << 58)), infinite);
  EXPECT_EQ(Duration(Milliseconds(9'223'372'036'855)), infinite);
  EXPECT_EQ(Duration(Milliseconds(9'223'372'036'854)), Milliseconds(9'223'372'036'854));
  EXPECT_EQ(Duration(duration<double>(1e300)), infinite);
  EXPECT_EQ(Duration(Milliseconds::min()), Duration::min());
}

// T2, R4
TEST_P(Time, a_time_beyond_all_clocks_is_for_ever_for_every_verb) {
  run([] {
    const auto longest = std::chrono::milliseconds::max();
    const TimerRef timer = send_after(longest, self(), 1);
    EXPECT_FALSE(receive<int>(1ms));
    EXPECT_TRUE(cancel_timer(timer));
    send(self(), 2);
    EXPECT_EQ(receive<int>(longest), 2);
    send(self(), 3);
    EXPECT_EQ(receive([](int n) { return n; }, after(longest, [] { return 0; })), 3);
    EXPECT_THROW(send_after(-longest, self(), 1), BadArgument);
  });
}

// --- The farthest past. --------------------------------------------------------------------------

constexpr Deadline beginning = Deadline::at_ns(std::numeric_limits<std::int64_t>::min());

TEST_P(Time, nothing_remains_until_the_farthest_past) {
  EXPECT_EQ(beginning.remaining(), 0ns);
  run([] { EXPECT_EQ(beginning.remaining(), 0ns); });
}

// T1, T5
TEST_P(Time, a_timer_for_the_farthest_past_is_due_at_once) {
  run([] {
    const TimerRef timer = send_at(beginning, self(), 1);
    // Unless it has fired already.
    const auto left = read_timer(timer);
    EXPECT_EQ(left.value_or(0ns), 0ns);
    EXPECT_EQ(receive<int>(), 1);
  });
}

std::errc error_of_wait_for(int fd) {
  io::Handle handle(::dup(fd));
  const auto waited = handle.wait(io::Direction::read, beginning);
  return waited ? std::errc() : static_cast<std::errc>(waited.error().value());
}

TEST_P(Time, a_wait_until_the_farthest_past_is_over) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  EXPECT_EQ(error_of_wait_for(ends[0]), std::errc::timed_out);
  run([&ends] {
    EXPECT_EQ(error_of_wait_for(ends[0]), std::errc::timed_out);
    EXPECT_EQ(detail::take_mail([](void*, void*) { return true; }, nullptr, beginning), nullptr);
  });
  for (const int fd : ends) ::close(fd);
}

}  // namespace
}  // namespace airssys::rt::time_test
