// look_around_test.cpp: how long a busy scheduler may go without a look at its timers (D15).
//
// Method: one scheduler, whatever the environment says; timers that are due while others have their
// turns. What those have counted until it fires is held against the rule, never the time.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::semantics::look_around_test {
namespace {

using support::await_downs;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int slice = 4000;

class LookAround : public support::FixedSchedulers {};
INSTANTIATE_TEST_SUITE_P(With, LookAround, testing::Values(1U), support::schedulers_name);

struct Go {};

// The clock has passed the timer's time when the counting begins.
// D15
TEST_P(LookAround, a_busy_scheduler_fires_timers_within_eight_thousand_reductions) {
  run([] {
    for (int round = 0; round < 30; ++round) {
      std::atomic<bool> fired = false;
      const Spawned waiting = spawn_monitor([&fired] {
        receive<int>();
        fired = true;
      });
      while (process_info(waiting.pid)->wait_reason != "receive") yield();
      send_after(1ms, waiting.pid, 1);
      const auto not_before_due = Clock::now() + 1ms;
      while (Clock::now() < not_before_due + 100us) reductions(100);
      int used = 0;
      for (; !fired; used += 100) reductions(100);
      EXPECT_LE(used, 8000 + 2 * slice);  // and the slice at whose end the other one runs
      await_downs(1);
    }
  });
}

// Sixteen who are queued before a timer is due, and rest at the end of their turns: how much they
// have counted, or how many turns they have had, when it fires.
int counted_until_fired(int (*take_turn)()) {
  std::atomic<bool> is_due = false;
  std::atomic<bool> fired = false;
  std::atomic<int> counted = 0;
  const Spawned waiting = spawn_monitor([&fired] {
    receive<int>();
    fired = true;
  });
  std::vector<Pid> others;
  for (int i = 0; i < 16; ++i) {
    others.push_back(spawn_monitor([&, take_turn] {
                       receive<Go>();
                       const int part = take_turn();
                       if (is_due && !fired) counted += part;
                     }).pid);
  }
  for (const Pid other : others) {
    while (process_info(other)->wait_reason != "receive") yield();
  }
  while (process_info(waiting.pid)->wait_reason != "receive") yield();
  yield();
  send_after(1ms, waiting.pid, 1);
  const auto not_before_due = Clock::now() + 1ms;
  for (const Pid other : others) send(other, Go{});
  while (Clock::now() < not_before_due + 100us) {
  }
  is_due = true;
  await_downs(17);
  return counted;
}

// D15
TEST_P(LookAround, many_short_turns_delay_a_timer_no_longer_than_one_long_one) {
  run([] {
    for (int round = 0; round < 30; ++round) {
      const int counted = counted_until_fired([] {
        reductions(slice - 100);
        return slice - 100;
      });
      EXPECT_LE(counted, 8000 + 2 * slice);
    }
  });
}

// Two milliseconds a turn, which count for nothing: the monitor sees to it, when it comes to run.
// D15
TEST_P(LookAround, turns_that_count_for_nothing_do_not_delay_a_timer_for_long) {
  run([] {
    int least = 16;
    for (int round = 0; round < 10; ++round) {
      least = std::min(least, counted_until_fired([] {
                         const auto end = Clock::now() + 2ms;
                         while (Clock::now() < end) {
                         }
                         return 1;
                       }));
    }
    EXPECT_LE(least, 4);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::look_around_test
