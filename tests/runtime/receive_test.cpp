// receive_test.cpp: taking mail out: order, patterns, time-outs, marks (R, P16).
#include "runtime/receive.hpp"

#include <airssys/rt.hpp>
#include <airssys/rt/call.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::receive_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Receive : public support::InRuntime {};
RT_WITH_SCHEDULERS(Receive);

struct Go {};

// R1
TEST_P(Receive, the_oldest_that_any_clause_takes_is_taken_and_the_others_stay_in_order) {
  run([] {
    for (int i = 0; i < 5; ++i) send(self(), i);
    send(self(), std::string("text"));
    EXPECT_EQ(receive(when([](int& n) { return n % 2 == 1; }, [](int n) { return n; })), 1);
    EXPECT_EQ(receive<std::string>(), "text");
    EXPECT_EQ(receive([](std::string) { return -1; }, [](int n) { return n; }), 0);
    for (const int expected : {2, 3, 4}) EXPECT_EQ(receive<int>(), expected);
  });
}

// R1
TEST_P(Receive, the_first_clause_that_takes_a_message_wins) {
  run([] {
    send(self(), 1);
    EXPECT_EQ(
        receive(when([](int&) { return true; }, [](int) { return 'a'; }), [](int) { return 'b'; }),
        'a');
  });
}

// R2, Z13
TEST_P(Receive, a_predicate_that_throws_leaves_the_mailbox_as_it_was) {
  run([] {
    for (int i = 0; i < 3; ++i) send(self(), i);
    EXPECT_THROW(receive(when([](int& n) -> bool { return n ? throw std::logic_error("") : false; },
                              [](int) {})),
                 std::logic_error);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(receive<int>(), i);
  });
}

// R3
TEST_P(Receive, each_message_is_tested_once_however_often_it_waits) {
  run([] {
    spawn([tester = self()] {
      for (int i = 0; i < 50; ++i) {
        send(tester, i);
        yield();
      }
      send(tester, Go());
    });
    int tests = 0;
    receive(when([&](int&) { return ++tests, false; }, [](int) {}), [](Go) {});
    EXPECT_EQ(tests, 50);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(receive<int>(), i);
  });
}

// R6
TEST_P(Receive, a_time_out_of_zero_looks_at_everything_that_is_there) {
  run([] {
    for (int i = 0; i < 1000; ++i) send(self(), i);
    send(self(), Go());
    EXPECT_TRUE(receive<Go>(0ms));
    EXPECT_FALSE(receive<Go>(0ms));
  });
}

TEST_P(Receive, a_negative_time_out_throws_and_all_mail_is_seen_afterwards) {
  run([] {
    send(self(), 1);
    EXPECT_THROW(receive<Go>(-1ns), BadArgument);
    EXPECT_EQ(receive<int>(), 1);
  });
}

// What does not match comes all the time, and must not put the time-out off.
// R5, R9
TEST_P(Receive, a_time_out_runs_from_the_beginning_and_is_never_early) {
  run([] {
    const Pid noise = spawn([tester = self()] {
      while (!receive<Go>(0ms)) {
        send(tester, 1);
        sleep(50us);
      }
    });
    const auto begin = Clock::now();
    EXPECT_FALSE(receive<Go>(5ms));
    EXPECT_GE(Clock::now() - begin, 5ms);
    send(noise, Go());
  });
}

// R8
TEST_P(Receive, a_message_and_a_time_out_that_race_give_one_of_both) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const auto time = std::chrono::microseconds(i % 100);
      spawn([time, tester = self()] {
        sleep(time);
        send(tester, 1);
      });
      const auto in_time = receive<int>(time);
      EXPECT_EQ(in_time ? *in_time : receive<int>(), 1);
      EXPECT_FALSE(receive<int>(0ms));
    }
  });
}

// A token goes round many rings at once: a lost wake stops one of them.
// R15
TEST_P(Receive, no_wake_is_lost_when_a_send_and_a_wait_race) {
  run([] {
    const int rounds = static_cast<int>(support::stress_size(2000));
    const auto partner = [rounds](Pid tester) {
      const Pid other = receive<Pid>();
      for (int i = 0; i < rounds; ++i) {
        send(other, i);
        EXPECT_EQ(receive<int>(), i);
      }
      send(tester, Go());
    };
    for (int pair = 0; pair < 8; ++pair) {
      const Pid a = spawn([&, tester = self()] { partner(tester); });
      const Pid b = spawn([&, tester = self()] { partner(tester); });
      send(a, b);
      send(b, a);
    }
    for (int i = 0; i < 16; ++i) receive<Go>();
  });
}

// Counted in reductions, not in time: each message that is looked at costs one.
// R10
TEST_P(Receive, a_call_does_not_look_at_mail_from_before_it) {
  run([] {
    const Pid echo = spawn([] {
      for (;;) {
        const Alias caller = receive<Alias>();
        if (!caller) return;
        send(caller, Go());
      }
    });
    for (int i = 0; i < 20'000; ++i) send(self(), i);
    const std::uint64_t before = process_info(self())->reductions;
    for (int i = 0; i < 10; ++i) {
      detail::PendingCall pending(echo);
      send(echo, pending.alias());
      EXPECT_TRUE(pending.wait(Deadline::never()));
    }
    EXPECT_LT(process_info(self())->reductions - before, 20'000U);
    send(echo, Alias());
    for (int i = 0; i < 20'000; ++i) receive<int>();
  });
}

}  // namespace
}  // namespace airssys::rt::receive_test
