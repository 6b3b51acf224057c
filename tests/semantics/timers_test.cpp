// timers_test.cpp: what a timer promises to its maker, its target and who takes it back (T).
//
// Method: the real clock, asked only for what holds on the slowest machine; races for many rounds.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::timers_test {

using support::reason_in_down;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using support::rounds;
using support::stagger;

class TimerRules : public support::InRuntime {};
RT_WITH_SCHEDULERS(TimerRules);

struct Go {};

// T1
TEST_P(TimerRules, a_started_timer_s_message_carries_its_reference) {
  run([] {
    const TimerRef timers[] = {start_timer(2ms, self(), 0), start_timer(1ms, self(), 1)};
    for (int i = 0; i < 2; ++i) {
      Timeout timeout = receive<Timeout>();
      EXPECT_EQ(timeout.ref, timers[timeout.message.take<int>()]);
    }
    register_name("target", self());
    const TimerRef named = start_timer(0ms, "target", 3);
    EXPECT_EQ(receive<Timeout>().ref, named);
    unregister_name("target");
  });
}

// T1
TEST_P(TimerRules, a_time_that_has_passed_fires_at_once_and_a_later_one_not_before) {
  run([] {
    send_at(Deadline::at_ns(0), self(), 1);
    EXPECT_EQ(receive<int>(), 1);
    const auto begin = Clock::now();
    send_at(Deadline::after(3ms), self(), 2);
    EXPECT_EQ(receive<int>(), 2);
    EXPECT_GE(Clock::now() - begin, 3ms);
  });
}

// T2, T5
TEST_P(TimerRules, delays_of_any_length_are_accepted) {
  run([] {
    for (const std::int64_t ms : {std::int64_t{1} << 32, std::int64_t{1} << 33}) {
      const TimerRef timer = send_after(std::chrono::milliseconds(ms), self(), 1);
      const auto left = read_timer(timer);
      ASSERT_TRUE(left);
      EXPECT_GT(*left, std::chrono::milliseconds(ms) - 1h);
      EXPECT_EQ(cancel_timer(timer).has_value(), true);
    }
    EXPECT_THROW(send_after(-1ns, self(), 1), BadArgument);
    EXPECT_THROW(start_timer(-1h, self(), 1), BadArgument);
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// What cancels is right about it: the message is there, or it never comes.
// T3, T4
TEST_P(TimerRules, after_a_cancel_in_vain_the_message_has_been_delivered) {
  run([] {
    for (const std::size_t i : rounds()) {
      const TimerRef timer = send_after(std::chrono::microseconds(i % 70), self(), 1);
      if (i % 2) yield();
      stagger(i);
      if (const auto left = cancel_timer(timer)) {
        EXPECT_GE(*left, 0ns);
        ASSERT_FALSE(receive<int>(i % 10 ? 0ns : 100us));
      } else {
        // At the latest when the scheduler that fires it is done with that.
        ASSERT_EQ(receive<int>(60s), 1);
      }
    }
  });
}

// T6
TEST_P(TimerRules, the_asynchronous_forms_answer_with_a_message) {
  run([] {
    const TimerRef timer = send_after(1h, self(), 1);
    reason_in_down(spawn_monitor([timer] {
                     read_timer_async(timer);
                     const ReadTimer read = receive<ReadTimer>();
                     EXPECT_EQ(read.ref, timer);
                     EXPECT_GT(read.left, 30min);
                     cancel_timer_async(timer);
                     EXPECT_GT(receive<CancelTimer>().left, 30min);
                     cancel_timer_async(timer);
                     EXPECT_FALSE(receive<CancelTimer>().left);
                     cancel_timer_async(timer, Answer::no);
                     EXPECT_FALSE(receive<Message>(0ms));
                   }).ref);
    EXPECT_FALSE(read_timer(timer));
  });
}

// T7
TEST_P(TimerRules, all_of_very_many_timers_fire_once_and_none_early) {
  run([] {
    constexpr int count = 5000;
    const auto due = Clock::now() + 5ms;
    const Deadline at = Deadline::after(5ms);
    for (int i = 0; i < count; ++i) send_at(at, self(), i);
    std::set<int> seen;
    for (int i = 0; i < count; ++i) {
      seen.insert(receive<int>());
      EXPECT_GE(Clock::now(), due);
    }
    EXPECT_EQ(seen.size(), std::size_t{count});
    EXPECT_FALSE(receive<int>(0ms));
  });
}

// One scheduler, so who runs while the timers fire does so between two of them.
class TimersOfOneScheduler : public support::InRuntime {};
INSTANTIATE_TEST_SUITE_P(With, TimersOfOneScheduler, testing::Values(1U), support::schedulers_name);

// How often this process has run while some of so many timers, all due at once, had fired and
// others had not.
int turns_while_timers_fire(std::size_t count, Deadline at) {
  for (std::size_t i = 0; i < count; ++i) send_at(at, self(), Go());
  int turns = 0;
  for (std::size_t fired = 0, before = 0; fired < count; before = fired) {
    yield();
    fired = process_info(self())->message_queue_len;
    if (fired > before && fired < count) ++turns;
  }
  for (std::size_t i = 0; i < count; ++i) receive<Go>();
  return turns;
}

// Before the last is made, the first are due, unless there is time enough: then all fire at once.
// T7
TEST_P(TimersOfOneScheduler, very_many_timers_that_fire_at_once_let_others_run_in_between) {
  run([] {
    constexpr std::size_t count = 20'000;
    for (Duration lead = 20ms;; lead *= 2) {
      const Deadline at = Deadline::after(lead);
      const int turns = turns_while_timers_fire(count, at);
      if (turns >= 20) break;
      ASSERT_LT(lead, 3s) << turns;
    }
  });
}

// T12, P6
TEST_P(TimersOfOneScheduler, the_end_of_one_with_very_many_timers_lets_others_run_in_between) {
  run([] {
    constexpr int count = 40'000;
    const auto message = std::make_shared<int>(1);
    const Spawned target = spawn_monitor([] { receive<Go>(); });
    for (int i = 0; i < count; ++i) send_after(1h, target.pid, message);
    send_exit(target.pid, ExitReason::kill());
    int turns = 0;
    for (long left = count, before = count; left > 0; before = left) {
      yield();
      left = message.use_count() - 1;
      if (left < before && left > 0) ++turns;
    }
    EXPECT_GE(turns, 5);
    reason_in_down(target.ref);
  });
}

// Sets timers that are due one to nine milliseconds after `begin`; whether it was done by then.
bool set_nine(Deadline begin) {
  for (const int i : {7, 3, 9, 1, 5, 8, 2, 6, 4})
    send_at(Deadline::at_ns(begin.ns() + i * 1'000'000), self(), i);
  return Deadline::now().ns() < begin.ns();
}

// T8
TEST_P(TimerRules, timers_that_are_a_millisecond_apart_come_in_their_order) {
  run([] {
    auto lead = 1ms;
    for (int rounds = 0; rounds < 5;) {
      const bool in_time = set_nine(Deadline::after(lead));
      std::vector<int> order;
      while (order.size() < 9) order.push_back(receive<int>());
      if (!in_time) {
        lead *= 2;
        continue;
      }
      EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9}));
      ++rounds;
    }
  });
}

// T9, T10
TEST_P(TimerRules, a_timer_to_a_name_survives_its_holder_and_one_to_a_pid_does_not) {
  run([] {
    const Spawned holder = spawn_monitor({.name = "name"}, [] { receive<Go>(); });
    const TimerRef by_name = send_after(1h, "name", 1);
    const TimerRef by_pid = send_after(1h, holder.pid, 2);
    const TimerRef of_the_dead = [&] {
      const Spawned setter = spawn_monitor([tester = self()] {
        const TimerRef timer = send_after(5ms, tester, 3);
        send(tester, timer);
      });
      reason_in_down(setter.ref);
      return receive<TimerRef>();
    }();
    EXPECT_TRUE(read_timer(by_pid));
    send(holder.pid, Go());
    reason_in_down(holder.ref);
    EXPECT_FALSE(read_timer(by_pid));
    EXPECT_EQ(receive<int>(), 3);
    EXPECT_FALSE(cancel_timer(of_the_dead));
    EXPECT_TRUE(cancel_timer(by_name));
  });
}

// T10
TEST_P(TimerRules, a_timer_finds_a_name_that_was_registered_after_it_was_set) {
  run([] {
    bool was_pending = false;
    for (int n = 0; !was_pending; ++n) {
      const TimerRef timer = send_after(std::chrono::milliseconds(1 << n), "name", n);
      register_name("name", self());
      was_pending = read_timer(timer).has_value();
      if (was_pending) receive(when([n](int& got) { return got == n; }, [](int&) {}));
      unregister_name("name");
    }
  });
}

// T11
TEST_P(TimerRules, a_delay_of_zero_comes_behind_what_oneself_has_sent) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      for (int n = 0; n < 5; ++n) send(self(), n);
      send_after(0ms, self(), 5);
      for (int n = 0; n < 6; ++n) ASSERT_EQ(receive<int>(), n);
    }
  });
}

// T14
TEST_P(TimerRules, an_interval_ticks_first_after_one_period_and_on_its_grid) {
  run([] {
    const auto begin = Clock::now();
    const IntervalRef interval = send_interval(3ms, self(), 7);
    for (int tick = 1; tick <= 5; ++tick) {
      EXPECT_EQ(receive<int>(), 7);
      EXPECT_GE(Clock::now() - begin, tick * 3ms);
    }
    EXPECT_TRUE(cancel_interval(interval));
    EXPECT_FALSE(cancel_interval(interval));
    while (receive<int>(0ms)) {
    }
    EXPECT_FALSE(is_alive(interval.process));
    EXPECT_THROW(send_interval(0ms, self(), 1), BadArgument);
    EXPECT_THROW(apply_interval(-1ms, [] {}), BadArgument);
  });
}

// T14
TEST_P(TimerRules, an_interval_ends_with_its_owner) {
  run([] {
    const Spawned receiver = spawn_monitor([] {
      for (int i = 0; i < 3; ++i) receive<int>();
    });
    reason_in_down(monitor(send_interval(1ms, receiver.pid, 1).process));
    reason_in_down(receiver.ref);

    const Spawned caller = spawn_monitor([tester = self()] {
      send(tester, apply_interval(1ms, [tester] { send(tester, Go()); }));
      send(tester, apply_repeatedly(1ms, [tester] { send(tester, Go()); }));
      receive<Go>();
    });
    const auto first = receive<IntervalRef>();
    const auto second = receive<IntervalRef>();
    for (int i = 0; i < 4; ++i) receive<Go>();
    send(caller.pid, Go());
    reason_in_down(monitor(first.process));
    reason_in_down(monitor(second.process));
    reason_in_down(caller.ref);

    reason_in_down(monitor(send_interval(1ms, caller.pid, 1).process));  // it is dead already
  });
}

// T14
TEST_P(TimerRules, an_interval_to_a_name_finds_whoever_has_it_and_outlives_them) {
  run([] {
    const IntervalRef interval = send_interval(1ms, "ticking", 1);
    for (int i = 0; i < 3; ++i)
      reason_in_down(spawn_monitor({.name = "ticking"}, [] { receive<int>(); }).ref);
    EXPECT_TRUE(cancel_interval(interval));
  });
}

// T14
TEST_P(TimerRules, intervals_of_work_do_or_do_not_wait_for_the_run_before) {
  run([] {
    const IntervalRef side_by_side = apply_interval(1ms, [tester = self()] {
      send(tester, self());
      receive<Go>();
    });
    const Pid runs[] = {receive<Pid>(), receive<Pid>(), receive<Pid>()};
    EXPECT_TRUE(cancel_interval(side_by_side));
    EXPECT_EQ(std::set<Pid>(std::begin(runs), std::end(runs)).size(), 3U);
    for (const Pid run : processes()) send(run, Go());

    struct Running {  // for runs of the other interval may have begun late
      Pid run;
    };
    // The counter is theirs, for the last run may end after the tester.
    const IntervalRef in_turn =
        apply_repeatedly(1ms, [running = std::make_shared<std::atomic<int>>(0), tester = self()] {
          EXPECT_EQ(++*running, 1);
          send(tester, Running{self()});
          receive<Go>();
          --*running;
          exit(ExitReason::shutdown("the run ends, and the interval goes on"));
        });
    for (int i = 0; i < 3; ++i) {
      const Pid run = receive<Running>().run;
      EXPECT_FALSE(receive<Running>(3ms));
      send(run, Go());
    }
    EXPECT_TRUE(cancel_interval(in_turn));
    for (const Pid run : processes()) send(run, Go());
  });
}

// Its ticks are a timer's messages.
// T14, B1
TEST_P(TimerRules, an_interval_is_held_up_by_no_bound_and_loses_nothing_by_one) {
  run([] {
    for (const Overflow overflow :
         {Overflow::block, Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest}) {
      const Spawned full =
          spawn_monitor({.name = "full", .mailbox = {.capacity = 1, .overflow = overflow}}, [] {
            const auto is_tick = [](int number) { return number > 0; };
            for (int i = 0; i < 3; ++i) receive(when(is_tick, [](int) {}));
            receive(when([](int number) { return number == 2; }, [](int) {}));
            EXPECT_EQ(receive<int>(), 0);
          });
      send(full.pid, 0);
      const IntervalRef interval = send_interval(1ms, full.pid, 1);
      const IntervalRef named = send_interval(1ms, "full", 2);
      reason_in_down(full.ref);
      reason_in_down(monitor(interval.process));
      EXPECT_TRUE(cancel_interval(named));
    }
  });
}

}  // namespace
}  // namespace airssys::rt::timers_test
