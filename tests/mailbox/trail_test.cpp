// trail_test.cpp: that a signal knows where the one lies that came six before it.
#include "mailbox/trail.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "mailbox/inbox.hpp"

namespace airssys::rt::mailbox {
namespace {

constexpr std::size_t steps = 6;

// The number of its cache line within 128 MiB.
std::uint32_t place_of(const Signal& signal) {
  return reinterpret_cast<std::uintptr_t>(&signal) / 64 % (1U << 21);
}

TEST(TrailTest, each_signal_is_led_to_the_one_six_before) {
  Inbox inbox;
  std::array<Signal, 50> signals;
  for (Signal& signal : signals) ASSERT_EQ(inbox.push(signal), Pushed::queued);
  for (std::size_t i = 0; i < steps; ++i) EXPECT_EQ(signals[i].ahead, 0U);
  for (std::size_t i = steps; i < signals.size(); ++i)
    EXPECT_EQ(signals[i].ahead, place_of(signals[i - steps]));
}

TEST(TrailTest, nobody_is_led_to_what_was_taken_before) {
  Inbox inbox;
  std::array<Signal, 20> taken;
  for (Signal& signal : taken) ASSERT_EQ(inbox.push(signal), Pushed::queued);
  EXPECT_EQ(inbox.take_all(), taken.data());
  std::array<Signal, steps> signals;
  for (Signal& signal : signals) {
    ASSERT_EQ(inbox.push(signal), Pushed::queued);
    EXPECT_EQ(signal.ahead, 0U);
  }
}

// What is fetched may be anything, also nothing that is mapped.
TEST(TrailTest, a_wrong_place_is_harmless) {
  Inbox inbox;
  std::array<Signal, 20> signals;
  for (Signal& signal : signals) {
    ASSERT_EQ(inbox.push(signal), Pushed::queued);
    signal.ahead = (1U << 21) - 1 - static_cast<std::uint32_t>(&signal - signals.data());
  }
  const Signal* next = inbox.take_all();
  for (const Signal& signal : signals) {
    ASSERT_EQ(next, &signal);
    next = next->next;
  }
  EXPECT_EQ(next, nullptr);
}

}  // namespace
}  // namespace airssys::rt::mailbox
