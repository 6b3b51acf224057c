// deferred_timers_test.cpp: a time-out that nobody waits for any more never gets to the wheel, and
// all others do in time.
//
// Time is a number that the test moves; what races is in tests/model.
#include "scheduler/deferred_timers.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace airssys::rt::scheduler::deferred_timers_test {
namespace {

constexpr std::int64_t tick = TimerWheel::tick_ns;
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

struct Recorded : DeferredEntry {
  Recorded() {
    expire = [](TimerEntry& entry) noexcept { static_cast<Recorded&>(entry).has_fired = true; };
  }
  bool has_fired = false;
};

class DeferredTimersTest : public testing::Test {
 protected:
  Recorded& add(std::int64_t due_ns) {
    entries_.push_back(std::make_unique<Recorded>());
    deferred_.add(*entries_.back(), due_ns);
    return *entries_.back();
  }

  TimerWheel wheel_;
  DeferredTimers deferred_{wheel_};
  std::vector<std::unique_ptr<Recorded>> entries_;
};

TEST_F(DeferredTimersTest, one_that_is_taken_back_never_gets_to_the_wheel) {
  EXPECT_EQ(deferred_.next_due_ns(), TimerWheel::never_ns);
  for (int i = 0; i < 1000; ++i) {
    Recorded& entry = add(500 * tick);
    EXPECT_EQ(deferred_.next_due_ns(), 500 * tick);
    EXPECT_TRUE(deferred_.take_back(entry));
    EXPECT_FALSE(deferred_.take_back(entry));
  }
  EXPECT_EQ(deferred_.next_due_ns(), TimerWheel::never_ns);
  deferred_.arm_all();
  EXPECT_EQ(wheel_.armed(), 0U);
}

TEST_F(DeferredTimersTest, the_bound_is_that_of_the_soonest) {
  add(500 * tick);
  add(50 * tick);
  add(600 * tick);
  EXPECT_EQ(deferred_.next_due_ns(), 50 * tick);
  deferred_.arm_all();
  EXPECT_EQ(deferred_.next_due_ns(), TimerWheel::never_ns);
  EXPECT_EQ(wheel_.next_due_ns(), 50 * tick);
  EXPECT_EQ(wheel_.expire_until(600 * tick, everything), 3U);
}

TEST_F(DeferredTimersTest, one_that_is_armed_can_be_taken_back_until_it_has_fired) {
  Recorded& first = add(100 * tick);
  Recorded& second = add(100 * tick);
  Recorded& third = add(100 * tick);
  deferred_.arm_all();
  EXPECT_TRUE(deferred_.take_back(first));
  EXPECT_TRUE(deferred_.cancel(second));
  wheel_.expire_until(100 * tick, everything);
  EXPECT_TRUE(third.has_fired);
  EXPECT_FALSE(deferred_.cancel(third));
  EXPECT_FALSE(first.has_fired || second.has_fired);
}

// From elsewhere as by the driver, in whatever order: the places left empty are passed over.
TEST_F(DeferredTimersTest, those_that_are_cancelled_leave_the_others_as_they_are) {
  for (int i = 0; i < 40; ++i) add(100 * tick);
  for (std::size_t i = 0; i < 40; i += 4) EXPECT_TRUE(deferred_.cancel(*entries_[i]));
  for (std::size_t i = 1; i < 40; i += 4) EXPECT_TRUE(deferred_.take_back(*entries_[i]));
  deferred_.arm_all();
  EXPECT_EQ(wheel_.expire_until(100 * tick, everything), 20U);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(entries_[i]->has_fired, i % 4 > 1);
}

TEST_F(DeferredTimersTest, there_is_no_end_of_them) {
  for (int i = 0; i < 1000; ++i) add(100 * tick);
  EXPECT_GT(wheel_.armed(), 900U) << "the row is as full as it gets, and begun anew";
  deferred_.arm_all();
  EXPECT_EQ(wheel_.expire_until(100 * tick, everything), 1000U);
}

}  // namespace
}  // namespace airssys::rt::scheduler::deferred_timers_test
