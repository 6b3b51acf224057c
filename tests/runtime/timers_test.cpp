// timers_test.cpp: messages that are sent later (T1–T13).
//
// Each test runs as a process on the real clock, and asks only for what must hold however slow the
// machine is: never early, never twice, never after it was taken back.
#include "runtime/timers.hpp"

#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/thread.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::timers_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Timers : public support::InRuntime {};
RT_WITH_SCHEDULERS(Timers);

// Says when it is destroyed.
class Tracked {
 public:
  explicit Tracked(std::atomic<int>& destroyed) : destroyed_(&destroyed) {}
  Tracked(Tracked&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (destroyed_) destroyed_->fetch_add(1);
  }

 private:
  std::atomic<int>* destroyed_;
};

struct Go {};

// T1, T7
TEST_P(Timers, a_message_comes_after_its_delay_and_never_before) {
  run([] {
    const auto begin = Clock::now();
    send_after(2ms, self(), 7);
    EXPECT_EQ(receive<int>(), 7);
    EXPECT_GE(Clock::now() - begin, 2ms);
  });
}

// T8
TEST_P(Timers, an_earlier_timer_of_one_process_comes_first) {
  run([] {
    for (int i = 5; i >= 1; --i) send_after(std::chrono::milliseconds(4 * i), self(), i);
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(receive<int>(), i);
  });
}

// T11
TEST_P(Timers, a_delay_of_zero_comes_behind_what_was_sent_already) {
  run([] {
    send_after(0ms, self(), 2);
    send(self(), 1);
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_EQ(receive<int>(), 2);
  });
}

// T3, T5
TEST_P(Timers, a_cancelled_timer_answers_what_was_left_and_never_fires) {
  run([] {
    const auto begin = Clock::now();
    const TimerRef timer = send_after(1h, self(), 1);
    const auto seen = read_timer(timer);
    const auto left = cancel_timer(timer);
    ASSERT_TRUE(seen);
    ASSERT_TRUE(left);
    EXPECT_LE(*seen, 1h);
    EXPECT_LE(*left, *seen);
    EXPECT_GE(*left, begin + 1h - Clock::now());
    EXPECT_FALSE(cancel_timer(timer));
    EXPECT_FALSE(read_timer(timer));
  });
}

// T1
TEST_P(Timers, start_timer_sends_a_timeout_that_names_its_timer) {
  run([] {
    const TimerRef timer = start_timer(0ms, self(), 7);
    Timeout timeout = receive<Timeout>();
    EXPECT_EQ(timeout.ref, timer);
    EXPECT_EQ(timeout.message.take<int>(), 7);
  });
}

// T1
TEST_P(Timers, a_timer_set_for_a_point_that_has_passed_fires_at_once) {
  run([] {
    send_at(Deadline::at_ns(0), self(), 1);
    EXPECT_EQ(receive<int>(), 1);
    const TimerRef timer = start_timer_at(Deadline::at_ns(0), self(), 3);
    EXPECT_EQ(receive<Timeout>().ref, timer);
    register_name("here", self());
    send_at(Deadline::after(1ms), "here", 2);
    EXPECT_EQ(receive<int>(), 2);
  });
}

// T6
TEST_P(Timers, the_asynchronous_forms_answer_by_a_message_if_they_are_asked_to) {
  run([] {
    const TimerRef timer = send_after(1h, self(), 1);
    read_timer_async(timer);
    const ReadTimer read = receive<ReadTimer>();
    EXPECT_EQ(read.ref, timer);
    EXPECT_GT(read.left, 30min);
    cancel_timer_async(timer);
    EXPECT_GT(receive<CancelTimer>().left, 30min);
    cancel_timer_async(timer);
    EXPECT_FALSE(receive<CancelTimer>().left);
    cancel_timer_async(timer, Answer::no);
    EXPECT_FALSE(receive<CancelTimer>(0ms));
  });
}

// Says, when it is destroyed, whether that is inside the runtime.
class Witness {
 public:
  explicit Witness(std::optional<bool>& inside) : inside_(&inside) {}
  Witness(Witness&& other) noexcept : inside_(std::exchange(other.inside_, nullptr)) {}
  Witness& operator=(Witness&&) = delete;
  ~Witness() {
    if (inside_) *inside_ = scheduler::Thread::current()->is_inside();
  }

 private:
  std::optional<bool>* inside_;
};

TEST_P(Timers, a_message_that_was_taken_back_is_destroyed_at_once_and_outside) {
  run([] {
    std::optional<bool> inside;
    cancel_timer(send_after(1h, self(), Witness(inside)));
    EXPECT_EQ(inside, false);
    inside.reset();
    cancel_timer_async(send_after(1h, self(), Witness(inside)));
    EXPECT_EQ(inside, false);
  });
}

// T3
TEST_P(Timers, a_timer_that_has_fired_is_gone) {
  run([] {
    const TimerRef timer = send_after(0ms, self(), 1);
    receive<int>();
    EXPECT_FALSE(cancel_timer(timer));
    EXPECT_FALSE(read_timer(timer));
  });
}

// T5
TEST_P(Timers, reading_a_timer_takes_nothing_away) {
  run([] {
    const TimerRef timer = send_after(1h, self(), 1);
    EXPECT_TRUE(read_timer(timer));
    EXPECT_TRUE(read_timer(timer));
    EXPECT_TRUE(cancel_timer(timer));
  });
}

TEST_P(Timers, refs_that_name_nothing_are_accepted) {
  run([] {
    EXPECT_FALSE(cancel_timer({}));
    EXPECT_FALSE(read_timer({}));
    EXPECT_FALSE(cancel_timer({~std::uint64_t{0}}));
  });
}

// T2
TEST_P(Timers, a_negative_delay_throws_and_the_message_is_destroyed) {
  run([] {
    std::atomic<int> destroyed = 0;
    EXPECT_THROW(send_after(-1ns, self(), Tracked(destroyed)), BadArgument);
    EXPECT_EQ(destroyed, 1);
  });
}

// T2
TEST_P(Timers, a_delay_beyond_the_clock_is_never) {
  run([] {
    const TimerRef timer = send_after(infinite, self(), 1);
    EXPECT_TRUE(read_timer(timer));
    EXPECT_TRUE(cancel_timer(timer));
  });
}

// T6
TEST_P(Timers, any_process_may_cancel_a_timer) {
  run([] {
    const TimerRef timer = send_after(1h, self(), 1);
    const Pid me = self();
    spawn([timer, me] { send(me, cancel_timer(timer).has_value()); });
    EXPECT_TRUE(receive<bool>());
  });
}

// T9
TEST_P(Timers, the_death_of_who_set_it_changes_nothing) {
  run([] {
    const Pid me = self();
    spawn_monitor([me] { send_after(5ms, me, 3); });
    receive<Down>();
    EXPECT_EQ(receive<int>(), 3);
  });
}

// T9, T12
TEST_P(Timers, the_death_of_its_target_takes_a_timer_back) {
  run([] {
    std::atomic<int> destroyed = 0;
    auto [target, ref] = spawn_monitor([] { receive<Go>(); });
    std::vector<TimerRef> timers;
    for (int i = 0; i < 300; ++i) timers.push_back(send_after(1h, target, Tracked(destroyed)));
    send(target, Go());
    receive<Down>();
    EXPECT_EQ(destroyed, 300);
    for (const TimerRef& timer : timers) EXPECT_FALSE(read_timer(timer));
  });
}

// T9
TEST_P(Timers, a_timer_to_the_dead_never_is) {
  run([] {
    std::atomic<int> destroyed = 0;
    auto [target, ref] = spawn_monitor([] {});
    receive<Down>();
    EXPECT_FALSE(read_timer(send_after(0ms, target, Tracked(destroyed))));
    EXPECT_EQ(destroyed, 1);
  });
}

// Aims while the target ends: whichever comes first, the message goes with the target.
// T9
TEST_P(Timers, no_timer_outlives_a_target_that_ends_meanwhile) {
  run([] {
    std::atomic<int> destroyed = 0;
    for (int i = 0; i < 500; ++i) {
      auto [target, ref] = spawn_monitor([] {});
      const TimerRef timer = send_after(1h, target, Tracked(destroyed));
      receive<Down>();
      EXPECT_FALSE(read_timer(timer));
    }
    EXPECT_EQ(destroyed, 500);
  });
}

// T10
TEST_P(Timers, a_name_is_looked_up_when_the_timer_fires) {
  run([] {
    send_after(10ms, "late", 9);
    register_name("late", self());
    EXPECT_EQ(receive<int>(), 9);
  });
}

// T10, T12
TEST_P(Timers, a_timer_to_a_name_that_nobody_has_destroys_its_message) {
  auto destroyed = std::make_unique<std::atomic<int>>(0);
  run([&destroyed] {
    send_after(0ms, "nobody", Tracked(*destroyed));
    while (*destroyed == 0) yield();
  });
  EXPECT_EQ(*destroyed, 1);
}

TEST_P(Timers, what_is_pending_at_the_end_of_the_runtime_is_destroyed) {
  std::atomic<int> destroyed = 0;
  run([&destroyed] { send_after(1h, "nobody", Tracked(destroyed)); });
  EXPECT_EQ(destroyed, 1);
}

// Two processes and the timer itself race for each of many timers: exactly one wins.
// T4, T6
TEST_P(Timers, a_timer_is_cancelled_once_or_fires_once) {
  run([] {
    const Pid me = self();
    const Pid rival = spawn([me] {
      for (;;) {
        const TimerRef timer = receive<TimerRef>();
        if (!timer) return;
        send(me, cancel_timer(timer).has_value());
      }
    });
    for (const std::size_t i : support::rounds()) {
      const TimerRef timer = send_after(std::chrono::microseconds(i % 60), me, i);
      send(rival, timer);
      support::stagger(i);
      const bool mine = cancel_timer(timer).has_value();
      const bool theirs = receive<bool>();
      EXPECT_FALSE(mine && theirs);
      if (mine || theirs) {
        EXPECT_FALSE(receive<std::size_t>(0ms));
      } else {
        EXPECT_EQ(receive<std::size_t>(), i);
      }
    }
    send(rival, TimerRef());
  });
}

}  // namespace
}  // namespace airssys::rt::timers_test
