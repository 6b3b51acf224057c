// suspended_waits_test.cpp: the time-outs of processes that others hold still (P15).
//
// How long a time-out stood still is bounded from below alone, by times taken inside the
// suspension; a round that came too late for its time-out is played again.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::suspended_waits_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class SuspendedWaits : public QuietRules {};
RT_WITH_SCHEDULERS(SuspendedWaits);

struct Round {
  Clock::time_point began;
  Clock::time_point ended;
};

// Suspends who `wait`s for `timeout` for longer than that. Answers whether its time-out began
// before the suspension and ended after it; then it must have lasted longer by the suspension.
template <class Wait>
bool stands_still(Duration timeout, Wait wait) {
  std::atomic<bool> has_begun = false;
  const Spawned process = spawn_monitor([&, tester = self()] {
    const auto began = Clock::now();
    has_begun = true;
    wait();
    send(tester, Round{began, Clock::now()});
  });
  while (!has_begun) yield();
  // What a call does before it waits is no wait yet, and its time-out runs.
  for (auto info = process_info(process.pid); info && info->state != ProcessState::waiting;
       info = process_info(process.pid))
    yield();
  try {
    suspend(process.pid);
  } catch (const ProcessError&) {
    receive<Round>();
    reason_of(process);
    return false;
  }
  const auto from = Clock::now();
  sleep(2 * timeout);
  const auto to = Clock::now();
  resume(process.pid);
  const Round round = receive<Round>();
  reason_of(process);
  if (round.ended < from) return false;
  EXPECT_GE(round.ended - round.began, timeout + (to - from));
  return true;
}

template <class Wait>
void expect_to_stand_still(Wait wait) {
  constexpr Duration timeout = 20ms;
  int rounds = 0;
  for (int i = 0; i < 100 && rounds < 3; ++i)
    rounds += stands_still(timeout, [&] { wait(timeout); });
  EXPECT_EQ(rounds, 3);
}

// P15, R5
TEST_P(SuspendedWaits, the_time_out_of_a_receive_stands_still) {
  run([] { expect_to_stand_still([](Duration timeout) { EXPECT_FALSE(receive<Go>(timeout)); }); });
}

// P15, R7
TEST_P(SuspendedWaits, a_sleep_stands_still) {
  run([] { expect_to_stand_still([](Duration timeout) { sleep(timeout); }); });
}

struct Silent : Server<Silent> {
  struct Ask {
    using Reply = int;
  };
  static int handle(Ask) { return 0; }
};

// P15, G5
TEST_P(SuspendedWaits, the_time_out_of_a_call_stands_still) {
  run([] {
    const ServerRef<Silent> silent = start<Silent>();
    suspend(silent.pid());
    expect_to_stand_still([&](Duration timeout) {
      EXPECT_EQ(try_call(silent, Silent::Ask{}, timeout).error().kind(), CallError::timeout);
    });
    resume(silent.pid());
    stop(silent);
  });
}

struct Idle : Server<Idle> {
  struct Rest {
    using Reply = void;
    Duration time;
  };
  explicit Idle(Pid of_tester) : tester(of_tester) {}
  void handle(Rest rest) {
    began = Clock::now();
    idle_after(rest.time);
  }
  void handle_idle() const { send(tester, Round{began, Clock::now()}); }

  Pid tester;
  Clock::time_point began;
};

// P15, G13
TEST_P(SuspendedWaits, the_idle_time_of_a_server_stands_still) {
  run([] {
    constexpr Duration timeout = 20ms;
    const ServerRef<Idle> idle = start<Idle>(self());
    int rounds = 0;
    for (int i = 0; i < 100 && rounds < 3; ++i) {
      call(idle, Idle::Rest{timeout});
      suspend(idle.pid());
      const auto from = Clock::now();
      sleep(2 * timeout);
      const auto to = Clock::now();
      resume(idle.pid());
      const Round round = receive<Round>();
      if (round.ended < from) continue;  // its time was up before the suspension
      EXPECT_GE(round.ended - round.began, timeout + (to - from));
      ++rounds;
    }
    stop(idle);
  });
}

// A message that comes while it is suspended is received in time when it goes on.
// P15, R8
TEST_P(SuspendedWaits, what_came_during_the_suspension_wins_over_the_time_out) {
  run([] {
    for (int i = 0; i < 5; ++i) {
      std::atomic<bool> waits = false;
      const Spawned process = spawn_monitor([&, tester = self()] {
        waits = true;
        send(tester, receive<Go>(10s).has_value());
      });
      while (!waits) yield();
      suspend(process.pid);
      send(process.pid, Go());
      sleep(1ms);
      resume(process.pid);
      EXPECT_TRUE(receive<bool>());
      reason_of(process);
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::suspended_waits_test
