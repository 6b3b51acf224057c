// keeper_test.cpp: sleeps in a real poller: how long, and by what they end. What may come between
// the steps, tests/model/keeper_model.cpp shows.
#include "scheduler/keeper.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "base/clock.hpp"

namespace airssys::rt::scheduler::keeper_test {
namespace {

constexpr std::int64_t for_ever = -1;
constexpr std::int64_t long_ns = 20'000'000;

struct KeeperTest : testing::Test {
  bool sleep(base::Parker& parker, std::int64_t timeout_ns) {
    return keeper.sleep(parker, timeout_ns, nullptr, nullptr);
  }

  Poller poller;
  Keeper keeper{poller};
  base::Parker mine;
  base::Parker other;
};

TEST_F(KeeperTest, an_unpark_ends_one_sleep_in_the_poller_and_no_other) {
  std::jthread waker([this] { keeper.unpark(mine); });
  EXPECT_TRUE(sleep(mine, for_ever));
  waker.join();
  static_cast<void>(poller.poll(0));  // an interrupt that came behind the look for a token
  const std::int64_t begin = base::steady_clock().now_ns();
  EXPECT_TRUE(sleep(mine, long_ns));
  EXPECT_GE(base::steady_clock().now_ns() - begin, long_ns);
}

TEST_F(KeeperTest, an_unpark_before_the_sleep_is_not_lost) {
  keeper.unpark(mine);
  EXPECT_TRUE(sleep(mine, for_ever));
}

TEST_F(KeeperTest, an_unpark_of_another_one_does_not_disturb_the_keeper) {
  std::jthread waker([this] { keeper.unpark(other); });
  const std::int64_t begin = base::steady_clock().now_ns();
  EXPECT_TRUE(sleep(mine, long_ns));
  EXPECT_GE(base::steady_clock().now_ns() - begin, long_ns);
}

TEST_F(KeeperTest, one_at_a_time_keeps_the_poller) {
  std::jthread first([this] {
    while (!sleep(mine, for_ever)) std::this_thread::yield();
  });
  // Until the first one is there, this one sleeps there itself.
  while (sleep(other, 1)) std::this_thread::yield();
  keeper.unpark(mine);
}

}  // namespace
}  // namespace airssys::rt::scheduler::keeper_test
