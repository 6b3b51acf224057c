// parker_test.cpp: no unpark is lost, tokens do not add up, time-outs are told.
// Method: one thread for the token's rules; two that hand a plain word to and fro, where a lost
// wake hangs and a missing order is a race that TSan reports.
#include "base/parker.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace airssys::rt::base::parker_test {
namespace {

constexpr std::int64_t long_ns = 3'600'000'000'000;

TEST(Parker, an_unpark_before_the_park_is_not_lost) {
  Parker parker;
  parker.unpark();
  parker.park();
  parker.unpark();
  EXPECT_EQ(parker.park_for(long_ns), Woken::unparked);
}

TEST(Parker, two_unparks_are_one_token) {
  Parker parker;
  parker.unpark();
  parker.unpark();
  parker.park();
  EXPECT_EQ(parker.park_for(0), Woken::timed_out);
}

TEST(Parker, a_park_without_unpark_times_out) {
  Parker parker;
  EXPECT_EQ(parker.park_for(1'000'000), Woken::timed_out);
  EXPECT_EQ(parker.park_for(-1), Woken::timed_out);
  parker.unpark();
  EXPECT_EQ(parker.park_for(0), Woken::unparked);
}

TEST(Parker, each_wake_hands_over_what_was_done_before_it) {
  constexpr int rounds = 5'000;
  Parker here;
  Parker there;
  int word = 0;
  std::thread other([&] {
    for (int round = 0; round < rounds; ++round) {
      there.park();
      ++word;
      here.unpark();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    ++word;
    there.unpark();
    EXPECT_EQ(here.park_for(long_ns), Woken::unparked);
    ASSERT_EQ(word, 2 * (round + 1));
  }
  other.join();
}

}  // namespace
}  // namespace airssys::rt::base::parker_test
