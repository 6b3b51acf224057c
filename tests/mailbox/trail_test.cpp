// trail_test.cpp: that a signal knows where the one lies that is six steps further on.
#include "mailbox/trail.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "mailbox/inbox.hpp"

namespace airssys::rt::mailbox {
namespace {

constexpr std::size_t steps = 6;

// How many cache lines further on that one lies.
std::int32_t distance(const Signal& from, const Signal& to) {
  const auto line = [](const Signal& signal) {
    return reinterpret_cast<std::intptr_t>(&signal) / 64;
  };
  return static_cast<std::int32_t>(line(to) - line(from));
}

TEST(TrailTest, each_signal_is_led_to_the_one_six_before) {
  Inbox inbox;
  std::array<Signal, 50> signals;
  for (Signal& signal : signals) ASSERT_EQ(inbox.push(signal), Pushed::queued);
  for (std::size_t i = 0; i < steps; ++i)
    EXPECT_EQ(signals[i].ahead, distance(signals[i], signals[0]));
  for (std::size_t i = steps; i < signals.size(); ++i)
    EXPECT_EQ(signals[i].ahead, distance(signals[i], signals[i - steps]));
}

TEST(TrailTest, each_signal_that_was_taken_is_led_to_the_one_six_behind) {
  Inbox inbox;
  std::array<Signal, 50> signals;
  for (Signal& signal : signals) ASSERT_EQ(inbox.push(signal), Pushed::queued);
  ASSERT_EQ(inbox.take_all(), signals.data());
  for (std::size_t i = 0; i + steps < signals.size(); ++i)
    EXPECT_EQ(signals[i].ahead, distance(signals[i], signals[i + steps]));
  for (std::size_t i = signals.size() - steps; i < signals.size(); ++i)
    EXPECT_EQ(signals[i].ahead, distance(signals[i], signals.back()));
}

TEST(TrailTest, the_way_ahead_is_as_long_as_was_noted_either_way) {
  std::array<Signal, 2> signals;
  const auto place = reinterpret_cast<std::uintptr_t>(&signals[1]);
  for (const std::int32_t lines : {0, 1, -1, 1 << 20, -(1 << 20)}) {
    signals[1].ahead = lines;
    const auto ahead = reinterpret_cast<std::uintptr_t>(Trail::what_is_ahead(signals[1]));
    EXPECT_EQ(static_cast<std::intptr_t>(ahead - place), std::intptr_t{lines} * 64);
  }
}

TEST(TrailTest, nobody_is_led_to_what_was_taken_before) {
  Inbox inbox;
  std::array<Signal, 20> taken;
  for (Signal& signal : taken) ASSERT_EQ(inbox.push(signal), Pushed::queued);
  EXPECT_EQ(inbox.take_all(), taken.data());
  std::array<Signal, steps> signals;
  for (Signal& signal : signals) {
    ASSERT_EQ(inbox.push(signal), Pushed::queued);
    EXPECT_EQ(signal.ahead, distance(signal, signals[0]));
  }
}

TEST(TrailTest, a_distance_is_known_up_to_64_mebibytes_either_way) {
  constexpr std::size_t window = std::size_t{1} << 27;
  const auto memory = std::make_unique_for_overwrite<std::byte[]>(window + sizeof(Signal));
  const auto signal_at = [&](std::size_t place) { return new (&memory[place]) Signal; };
  Signal& far = *signal_at(0);
  Signal& further_than_half = *signal_at(window / 4);
  Signal& near = *signal_at(window / 4 * 3);
  Signal& newest = *signal_at(window);
  Inbox inbox;
  for (Signal* signal : {&far, &further_than_half, &near, &newest})
    ASSERT_EQ(inbox.push(*signal), Pushed::queued);
  EXPECT_EQ(further_than_half.ahead, distance(further_than_half, far)) << "back";
  ASSERT_EQ(inbox.take_all(), &far);
  EXPECT_EQ(newest.ahead, 0);
  EXPECT_EQ(near.ahead, distance(near, newest));
  EXPECT_EQ(further_than_half.ahead, distance(further_than_half, newest) - (1 << 21)) << "in vain";
  EXPECT_EQ(far.ahead, 0) << "a whole window is no distance";
}

// What is fetched may be anything, also nothing that is mapped.
TEST(TrailTest, a_wrong_place_is_harmless) {
  Inbox inbox;
  std::array<Signal, 20> signals;
  for (Signal& signal : signals) {
    ASSERT_EQ(inbox.push(signal), Pushed::queued);
    signal.ahead = (1 << 30) - static_cast<std::int32_t>(&signal - signals.data());
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
