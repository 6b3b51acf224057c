// timer_wheel_test.cpp: the wheel against a sorted list, and under threads that race to cancel.
//
// Time is a number that the test moves, so no result depends on the machine. Random runs print
// their seed.
#include "scheduler/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace airssys::rt::scheduler::timer_wheel_test {
namespace {

constexpr std::int64_t tick = TimerWheel::tick_ns;
constexpr std::int64_t never = TimerWheel::never_ns;
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

struct Recorded : TimerEntry {
  explicit Recorded(std::vector<Recorded*>& log) : fired(&log) {
    expire = [](TimerEntry& entry) noexcept {
      auto& self = static_cast<Recorded&>(entry);
      self.fired->push_back(&self);
    };
  }
  std::vector<Recorded*>* fired;
};

class TimerWheelTest : public testing::Test {
 protected:
  Recorded& timer() { return *timers_.emplace_back(std::make_unique<Recorded>(fired_)); }

  TimerWheel wheel_;
  std::vector<Recorded*> fired_;
  std::vector<std::unique_ptr<Recorded>> timers_;
};

TEST_F(TimerWheelTest, a_timer_is_never_early_and_at_most_a_tick_late) {
  for (const std::int64_t due : {std::int64_t{1}, tick - 1, tick, tick + 1, 1'000'000'007L}) {
    Recorded& entry = timer();
    wheel_.arm(entry, due);
    EXPECT_EQ(wheel_.expire_until(due - 1, everything), 0U) << due;
    EXPECT_EQ(wheel_.expire_until(due - 1 + tick, everything), 1U) << due;
    EXPECT_EQ(fired_.back(), &entry);
  }
}

TEST_F(TimerWheelTest, a_past_time_fires_at_the_next_look) {
  wheel_.expire_until(1000 * tick, everything);
  wheel_.arm(timer(), 3 * tick);
  wheel_.arm(timer(), -5);
  EXPECT_LE(wheel_.next_due_ns(), 1000 * tick);
  EXPECT_EQ(wheel_.expire_until(1000 * tick, everything), 2U);
}

TEST_F(TimerWheelTest, very_long_times_wait_and_can_be_cancelled) {
  constexpr std::int64_t year = 365L * 24 * 3600 * 1'000'000'000;
  Recorded& sooner = timer();
  Recorded& later = timer();
  Recorded& last = timer();
  wheel_.arm(last, never);
  EXPECT_GT(wheel_.next_due_ns(), 200 * year) << "not before the beginning of time";
  wheel_.arm(later, 200 * year);
  wheel_.arm(sooner, (std::int64_t{1} << 33) * 1'000'000);
  EXPECT_EQ(wheel_.expire_until((std::int64_t{1} << 33) * 1'000'000 - 1, everything), 0U);
  EXPECT_EQ(wheel_.expire_until((std::int64_t{1} << 33) * 1'000'000 + tick, everything), 1U);
  EXPECT_EQ(fired_.back(), &sooner);
  EXPECT_EQ(wheel_.expire_until(200 * year - 1, everything), 0U);
  EXPECT_EQ(wheel_.expire_until(200 * year + tick, everything), 1U);
  EXPECT_TRUE(wheel_.cancel(last));
  EXPECT_EQ(last.due_ns, never);
}

TEST_F(TimerWheelTest, a_cancelled_timer_never_fires_and_is_cancelled_once) {
  Recorded& entry = timer();
  EXPECT_FALSE(wheel_.cancel(entry)) << "it was never armed";
  wheel_.arm(entry, 100 * tick);
  EXPECT_TRUE(wheel_.cancel(entry));
  EXPECT_FALSE(wheel_.cancel(entry));
  EXPECT_EQ(wheel_.next_due_ns(), never);
  EXPECT_EQ(wheel_.expire_until(1000 * tick, everything), 0U);
  wheel_.arm(entry, 2000 * tick);
  EXPECT_EQ(wheel_.expire_until(2000 * tick, everything), 1U);
  EXPECT_FALSE(wheel_.cancel(entry)) << "it has fired";
}

TEST_F(TimerWheelTest, an_entry_may_be_destroyed_or_armed_again_once_it_has_fired) {
  Recorded& entry = timer();
  for (int i = 1; i <= 10; ++i) {
    wheel_.arm(entry, i * 70 * tick);
    EXPECT_EQ(wheel_.expire_until(i * 70 * tick, everything), 1U);
  }
  timers_.clear();
}

TEST_F(TimerWheelTest, only_a_sooner_timer_makes_the_bound_sooner) {
  EXPECT_TRUE(wheel_.arm(timer(), 500 * tick));
  EXPECT_FALSE(wheel_.arm(timer(), 600 * tick));
  EXPECT_TRUE(wheel_.arm(timer(), 50 * tick));
  EXPECT_EQ(wheel_.expire_until(600 * tick, everything), 3U);
}

TEST_F(TimerWheelTest, a_lonely_timer_sets_the_exact_bound) {
  wheel_.arm(timer(), 5'000'000'000);
  EXPECT_GE(wheel_.next_due_ns(), 5'000'000'000) << "a sleeper would wake for nothing";
  EXPECT_LT(wheel_.next_due_ns(), 5'000'000'000 + tick);
  EXPECT_EQ(wheel_.expire_until(wheel_.next_due_ns(), everything), 1U);
}

TEST_F(TimerWheelTest, firing_stops_after_at_most_so_many_and_says_that_more_is_due) {
  for (int i = 0; i < 100; ++i) wheel_.arm(timer(), 10'000 * tick);
  std::size_t fired = 0;
  int rounds = 0;
  while (wheel_.next_due_ns() <= 10'000 * tick) {
    const std::size_t now = wheel_.expire_until(10'000 * tick, 7);
    EXPECT_LE(now, 7U);
    fired += now;
    ++rounds;
  }
  EXPECT_EQ(fired, 100U);
  EXPECT_GE(rounds, 100 / 7);
}

TEST_F(TimerWheelTest, equal_times_fire_in_the_order_of_arming) {
  for (int i = 0; i < 50; ++i) wheel_.arm(timer(), 12'345 * tick);
  wheel_.expire_until(20'000 * tick, everything);
  ASSERT_EQ(fired_.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(fired_[i], timers_[i].get());
}

// Arms, cancels and moves the time at random, and compares with a sorted list after each move.
class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 300; ++i) entries_.push_back(std::make_unique<Recorded>(fired_));
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      const std::uint64_t choice = random_() % 10;
      if (choice < 6) {
        arm_or_cancel();
      } else {
        move_time();
      }
      if (testing::Test::HasFailure()) return;
    }
    for (const auto& entry : entries_) wheel_.cancel(*entry);
  }

 private:
  // Near and far alike: the number of bits is chosen first.
  std::int64_t some_time() {
    return static_cast<std::int64_t>(random_() >> (64 - 10 - random_() % 45));
  }

  void arm_or_cancel() {
    Recorded& entry = *entries_[random_() % entries_.size()];
    const auto found =
        std::ranges::find(armed_, &entry, [](const auto& pair) { return pair.second; });
    if (found != armed_.end()) {
      EXPECT_TRUE(wheel_.cancel(entry));
      armed_.erase(found);
    } else {
      EXPECT_FALSE(wheel_.cancel(entry));
      const std::int64_t due = now_ + some_time();
      wheel_.arm(entry, due);
      armed_.emplace(due, &entry);
    }
    EXPECT_EQ(wheel_.armed(), armed_.size());
    if (!armed_.empty()) {
      EXPECT_LT(wheel_.next_due_ns(), armed_.begin()->first + tick);
    }
  }

  void move_time() {
    now_ += some_time();
    fired_.clear();
    // Small batches now and then, so that a cascade is interrupted too.
    const std::size_t at_most = random_() % 2 == 0 ? everything : 1 + random_() % 5;
    while (wheel_.next_due_ns() <= now_) wheel_.expire_until(now_, at_most);
    std::int64_t last_tick = 0;
    for (const Recorded* entry : fired_) {
      const auto found =
          std::ranges::find(armed_, entry, [](const auto& pair) { return pair.second; });
      ASSERT_NE(found, armed_.end()) << "what fires was armed";
      ASSERT_LE(found->first, now_) << "never early";
      const std::int64_t due_tick = (found->first + tick - 1) / tick;
      ASSERT_GE(due_tick, last_tick) << "an earlier tick fires first";
      last_tick = due_tick;
      armed_.erase(found);
    }
    if (!armed_.empty()) {
      ASSERT_GT(armed_.begin()->first + tick, now_) << "none is forgotten";
    }
  }

  std::mt19937_64 random_;
  TimerWheel wheel_;
  std::vector<Recorded*> fired_;
  std::vector<std::unique_ptr<Recorded>> entries_;
  std::multimap<std::int64_t, Recorded*> armed_;
  std::int64_t now_ = 0;
};

TEST(TimerWheelRandomTest, agrees_with_a_sorted_list) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRun(seed).steps(2000);
    if (testing::Test::HasFailure()) return;
  }
}

// Two threads arm and cancel, a third drives the wheel: every timer is either cancelled or fired.
TEST(TimerWheelThreadsTest, each_timer_is_either_cancelled_or_fired) {
  struct Counted : TimerEntry {
    std::atomic<int> fired{0};
  };
  TimerWheel wheel;
  std::atomic<std::int64_t> now{0};
  std::atomic<bool> is_over{false};
  std::thread driver([&] {
    while (!is_over.load()) wheel.expire_until(now.fetch_add(tick) + tick, 16);
  });
  auto contend = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 400; ++i) {
      Counted entry;  // on the stack: nothing may touch it after cancel said no
      entry.expire = [](TimerEntry& e) noexcept { static_cast<Counted&>(e).fired.store(1); };
      const std::int64_t due = now.load() + static_cast<std::int64_t>(random() % (4 * tick));
      wheel.arm(entry, due);
      // Now and then it waits until the driver is about to fire it.
      while (i % 4 == 0 && now.load() < due) std::this_thread::yield();
      const bool was_pending = wheel.cancel(entry);
      ASSERT_EQ(was_pending ? 0 : 1, entry.fired.load());
    }
  };
  std::thread first(contend, 1);
  std::thread second(contend, 2);
  first.join();
  second.join();
  is_over.store(true);
  driver.join();
  EXPECT_EQ(wheel.armed(), 0U);
}

}  // namespace
}  // namespace airssys::rt::scheduler::timer_wheel_test
