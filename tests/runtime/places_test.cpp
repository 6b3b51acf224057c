// places_test.cpp: a limit is reached exactly, also by many at once, and given back.
#include "runtime/places.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "tests/support/stress.hpp"

namespace airssys::rt::runtime::places_test {
namespace {

constexpr std::size_t limitless = 1000;

TEST(Places, are_as_many_as_the_limit_and_come_back) {
  Places places(2, limitless);
  EXPECT_TRUE(places.take());
  EXPECT_TRUE(places.take());
  EXPECT_FALSE(places.take());
  EXPECT_FALSE(places.take()) << "who was refused has taken none";
  places.give_back();
  EXPECT_TRUE(places.take());
  EXPECT_FALSE(places.take());
}

TEST(Places, the_runtimes_own_count_but_are_never_refused) {
  Places places(2, limitless);
  for (int i = 0; i < 3; ++i) places.take_beyond();
  places.give_back();
  EXPECT_FALSE(places.take());
  places.give_back();
  EXPECT_TRUE(places.take());
}

TEST(Places, without_a_limit_are_never_used_up) {
  Places places(limitless, limitless);
  for (std::size_t i = 0; i < 2 * limitless; ++i) ASSERT_TRUE(places.take());
}

TEST(PlacesStress, are_never_taken_twice_nor_lost) {
  constexpr std::size_t max = 2;
  Places places(max, limitless);
  std::atomic<std::size_t> held = 0;
  std::atomic<std::size_t> most = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < support::stress_size(20'000); ++i) {
        if (!places.take()) continue;
        const std::size_t now = ++held;
        if (now > most) most = now;
        --held;
        places.give_back();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, 1U);
  EXPECT_LE(most, max);
  for (std::size_t i = 0; i < max; ++i) EXPECT_TRUE(places.take());
  EXPECT_FALSE(places.take());
}

}  // namespace
}  // namespace airssys::rt::runtime::places_test
