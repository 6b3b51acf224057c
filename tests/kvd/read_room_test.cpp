// read_room_test.cpp: a client's bursts are soon read whole, and a client that falls quiet keeps
// little.
//
// Method: bursts of every length up to half the largest room are read through a room that adapts,
// as a connection does.
#include "examples/kvd/read_room.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace {

// Reads one burst; answers in how many pieces it came.
int read(kvd::ReadRoom& room, std::size_t burst) {
  int pieces = 0;
  for (; burst > 0; ++pieces) {
    std::size_t got = std::min(burst, room.bytes());
    room.adapt(got);
    burst -= got;
  }
  return pieces;
}

TEST(ReadRoom, bursts_soon_come_in_one_piece) {
  for (std::size_t burst = 1; burst <= kvd::read_bytes_max / 2; ++burst) {
    kvd::ReadRoom room;
    for (int n = 0; n < 10; ++n) read(room, burst);
    for (int n = 0; n < 100; ++n) ASSERT_EQ(read(room, burst), 1) << burst;
  }
}

TEST(ReadRoom, a_client_that_falls_quiet_keeps_little) {
  kvd::ReadRoom room;
  for (int n = 0; n < 10; ++n) read(room, kvd::read_bytes_max);
  EXPECT_GT(room.bytes(), kvd::read_bytes_max / 2);
  for (int n = 0; n < 50; ++n) read(room, 30);
  EXPECT_EQ(room.bytes(), kvd::read_bytes_min);
}

}  // namespace
