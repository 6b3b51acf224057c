// timer_table_test.cpp: ids tell the truth, for ever; a target's timers go with it.
//
// Time is a number that the test moves; the race of cancel against expiry runs on two threads.
#include "scheduler/timer_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <set>
#include <thread>
#include <vector>

namespace airssys::rt::scheduler::timer_table_test {
namespace {

constexpr std::int64_t tick = TimerWheel::tick_ns;
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

// Where those who fire find their timer.
TimerTable* table_of_test = nullptr;

struct Fired {
  std::vector<TimerId> ids;
};

TimerOrder order_for(Fired& fired, std::uint64_t target = 0) {
  return {.fire =
              [](TimerEntry& timer) noexcept {
                const auto [order, id] = table_of_test->take_expired(timer);
                static_cast<Fired*>(order.payload)->ids.push_back(id);
              },
          .payload = &fired,
          .target = target};
}

class TimerTableTest : public testing::Test {
 protected:
  TimerTableTest() { table_of_test = &table_; }

  TimerId create(std::int64_t due_ns, std::uint64_t target = 0) {
    return table_.create(due_ns, order_for(fired_, target)).value().id;
  }

  TimerWheel wheel_;
  TimerTable table_{wheel_, 3};
  Fired fired_;
};

TEST_F(TimerTableTest, a_pending_timer_can_be_read_and_cancelled_once) {
  const TimerId id = create(100 * tick);
  EXPECT_EQ(id.table(), 3U);
  EXPECT_EQ(TimerId::from_bits(id.bits()), id);
  EXPECT_EQ(table_.due_ns(id), 100 * tick);
  const auto cancelled = table_.cancel(id);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->due_ns, 100 * tick);
  EXPECT_EQ(cancelled->order.payload, &fired_);
  EXPECT_FALSE(table_.cancel(id));
  EXPECT_FALSE(table_.due_ns(id));
  wheel_.expire_until(200 * tick, everything);
  EXPECT_TRUE(fired_.ids.empty());
}

TEST_F(TimerTableTest, a_timer_that_fires_says_its_id_and_is_gone) {
  const TimerId id = create(100 * tick);
  wheel_.expire_until(100 * tick, everything);
  EXPECT_EQ(fired_.ids, std::vector{id});
  EXPECT_FALSE(table_.due_ns(id));
  EXPECT_FALSE(table_.cancel(id));
}

TEST_F(TimerTableTest, an_id_never_names_the_next_user_of_its_slot) {
  const TimerId old = create(100 * tick);
  table_.cancel(old);
  const TimerId next = create(200 * tick);
  EXPECT_EQ(next.slot(), old.slot()) << "otherwise this test shows nothing";
  EXPECT_NE(next, old);
  EXPECT_FALSE(table_.cancel(old));
  EXPECT_TRUE(table_.cancel(next));
  EXPECT_FALSE(table_.cancel(TimerId(3, 77'777, 1))) << "a slot that never was";
}

TEST_F(TimerTableTest, a_sooner_timer_says_so) {
  const auto later = table_.create(500 * tick, order_for(fired_));
  const auto sooner = table_.create(50 * tick, order_for(fired_));
  EXPECT_TRUE(later->is_sooner);
  EXPECT_TRUE(sooner->is_sooner);
  EXPECT_FALSE(table_.create(400 * tick, order_for(fired_))->is_sooner);
  wheel_.expire_until(500 * tick, everything);
}

TEST_F(TimerTableTest, the_death_of_a_target_takes_back_its_timers_alone) {
  std::vector<TimerId> mine;
  std::vector<TimerId> others;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    others.push_back(create(100 * tick, 1000 + i % 300));
    if (i % 3 == 0) mine.push_back(create(100 * tick, 7));
  }
  std::size_t taken = 0;
  while (table_.cancel_target(7)) ++taken;
  EXPECT_EQ(taken, mine.size());
  for (const TimerId id : mine) EXPECT_FALSE(table_.due_ns(id));
  for (const TimerId id : others) EXPECT_TRUE(table_.due_ns(id));
  EXPECT_EQ(wheel_.expire_until(100 * tick, everything), others.size());
  EXPECT_FALSE(table_.cancel_target(1001)) << "a timer that fired has left its target's chain";
}

TEST_F(TimerTableTest, targets_that_share_a_bucket_are_told_apart) {
  constexpr std::uint64_t targets = 1000;  // more than half as many buckets: some share one
  for (std::uint64_t target = 1; target <= targets; ++target) create(100 * tick, target);
  for (std::uint64_t target = 1; target <= targets; ++target) {
    const auto taken = table_.cancel_target(target);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->order.target, target);
    EXPECT_FALSE(table_.cancel_target(target));
  }
}

TEST_F(TimerTableTest, the_end_can_take_back_whatever_is_pending) {
  for (int i = 0; i < 700; ++i) create(100 * tick, i % 2 == 0 ? 5 : 0);
  std::size_t taken = 0;
  while (table_.cancel_any()) ++taken;
  EXPECT_EQ(taken, 700U);
  create(100 * tick);
  EXPECT_TRUE(table_.cancel_any());
}

TEST_F(TimerTableTest, all_ids_differ) {
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 20; ++round) {
    std::vector<TimerId> ids;
    for (int i = 0; i < 400; ++i) ids.push_back(create(100 * tick));
    for (const TimerId id : ids) {
      EXPECT_TRUE(seen.insert(id.bits()).second);
      EXPECT_TRUE(table_.cancel(id));
    }
  }
}

// T4, under a race: one thread creates and cancels, the other drives the wheel.
TEST(TimerTableThreadsTest, exactly_one_of_cancelled_and_fired_holds) {
  TimerWheel wheel;
  TimerTable table(wheel, 0);
  table_of_test = &table;
  std::atomic<std::int64_t> now{0};
  std::atomic<bool> is_over{false};
  std::thread driver([&] {
    while (!is_over.load()) wheel.expire_until(now.fetch_add(tick) + tick, 16);
  });
  for (int i = 0; i < 400; ++i) {
    std::atomic<int> fired{0};
    const TimerOrder order{.fire =
                               [](TimerEntry& timer) noexcept {
                                 const TimerOrder expired =
                                     table_of_test->take_expired(timer).order;
                                 static_cast<std::atomic<int>*>(expired.payload)->fetch_add(1);
                               },
                           .payload = &fired};
    const std::int64_t due = now.load() + tick + (i % 3) * tick;
    const TimerId id = table.create(due, order)->id;
    // Now and then it waits until the driver is about to fire it.
    while (i % 4 == 0 && now.load() < due) std::this_thread::yield();
    const bool was_pending = table.cancel(id).has_value();
    ASSERT_EQ(fired.load(), was_pending ? 0 : 1);
  }
  is_over.store(true);
  driver.join();
}

}  // namespace
}  // namespace airssys::rt::scheduler::timer_table_test
