// canary_test.cpp: each byte of the canary is watched.
// Method: lays it, flips one byte after the other; death for one of them.
#include "fiber/canary.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::fiber::canary_test {
namespace {

TEST(Canary, a_fresh_one_is_whole) {
  std::array<std::byte, sizeof canary_words> low{};
  lay_canary(low.data());
  check_canary(low.data());
}

TEST(CanaryDeathTest, a_single_changed_byte_ends_the_program) {
  for (const std::size_t place : {std::size_t{0}, sizeof canary_words - 1}) {
    std::array<std::byte, sizeof canary_words> low{};
    lay_canary(low.data());
    low.at(place) ^= std::byte{1};
    EXPECT_DEATH(check_canary(low.data()), "has not overflowed");
  }
}

}  // namespace
}  // namespace airssys::rt::fiber::canary_test
