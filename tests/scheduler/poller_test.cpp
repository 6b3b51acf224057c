// poller_test.cpp: edges are neither lost nor delivered twice, over real pipes and sockets.
//
// The word of one direction is raced by threads of the test's own; the poller is driven by hand, so
// nothing here waits for a time to pass but the two tests about time-outs.
#include "scheduler/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/clock.hpp"

namespace airssys::rt::scheduler::poller_test {
namespace {

constexpr std::int64_t for_ever = -1;

struct Counted : Waiter {
  Counted() {
    ready = [](Waiter& waiter) noexcept { static_cast<Counted&>(waiter).calls.fetch_add(1); };
  }
  std::atomic<int> calls{0};
};

// Two connected non-blocking sockets.
class Pair {
 public:
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  ~Pair() {
    close_end(0);
    close_end(1);
  }
  int operator[](std::size_t end) const { return ends_[end]; }
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

void put(int fd) {
  ASSERT_EQ(write(fd, "x", 1), 1);
}
bool get(int fd) {
  char byte = 0;
  return read(fd, &byte, 1) == 1;
}

TEST(PollerTest, a_waiter_is_called_when_its_direction_becomes_ready) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  poller.poll(0);  // the first edge says "writable"
  Counted reader;
  ASSERT_EQ(Poller::arm(source, Direction::read, reader), Armed::waiting);
  EXPECT_EQ(poller.poll(0), 0);
  put(pair[1]);
  EXPECT_EQ(poller.poll(for_ever), 1);
  EXPECT_EQ(reader.calls.load(), 1);
  EXPECT_EQ(poller.poll(0), 0) << "an edge is told once";
  Poller::remove(source);
}

TEST(PollerTest, an_edge_before_the_arm_is_kept_and_used_up_once) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  put(pair[1]);
  poller.poll(for_ever);
  Counted reader;
  EXPECT_EQ(Poller::arm(source, Direction::read, reader), Armed::ready);
  EXPECT_EQ(Poller::arm(source, Direction::read, reader), Armed::waiting);
  EXPECT_TRUE(Poller::disarm(source, Direction::read, reader));
  EXPECT_EQ(Poller::arm(source, Direction::write, reader), Armed::ready);
  Poller::remove(source);
  EXPECT_EQ(reader.calls.load(), 0);
}

TEST(PollerTest, a_disarmed_waiter_is_not_called) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  Counted reader;
  ASSERT_EQ(Poller::arm(source, Direction::read, reader), Armed::waiting);
  EXPECT_TRUE(Poller::disarm(source, Direction::read, reader));
  EXPECT_FALSE(Poller::disarm(source, Direction::read, reader));
  put(pair[1]);
  EXPECT_EQ(poller.poll(for_ever), 0);
  EXPECT_EQ(reader.calls.load(), 0);
  Poller::remove(source);
}

TEST(PollerTest, only_one_waiter_fits_into_a_direction) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  Counted first;
  Counted second;
  ASSERT_EQ(Poller::arm(source, Direction::read, first), Armed::waiting);
  EXPECT_EQ(Poller::arm(source, Direction::read, second), Armed::taken);
  EXPECT_FALSE(Poller::disarm(source, Direction::read, second));
  EXPECT_TRUE(Poller::disarm(source, Direction::read, first));
  Poller::remove(source);
}

TEST(PollerTest, a_hang_up_makes_both_directions_ready) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  while (write(pair[0], "fill the buffer of this socket", 30) > 0) {
  }
  poller.poll(0);
  Counted reader;
  Counted writer;
  ASSERT_EQ(Poller::arm(source, Direction::read, reader), Armed::waiting);
  while (Poller::arm(source, Direction::write, writer) == Armed::ready) {
  }
  pair.close_end(1);
  EXPECT_EQ(poller.poll(for_ever), 2);
  EXPECT_EQ(reader.calls.load(), 1);
  EXPECT_EQ(writer.calls.load(), 1);
  Poller::remove(source);
}

TEST(PollerTest, who_still_waits_when_a_source_is_removed_is_called) {
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  Counted reader;
  ASSERT_EQ(Poller::arm(source, Direction::read, reader), Armed::waiting);
  Poller::remove(source);
  EXPECT_EQ(reader.calls.load(), 1);
}

TEST(PollerTest, a_removed_source_rests_until_the_next_poll_begins) {
  Poller poller;
  Pair first;
  Pair second;
  Source* const old = poller.add(first[0]).value();
  Poller::remove(*old);
  Source* const next = poller.add(second[0]).value();
  EXPECT_NE(next, old) << "an event in flight would reach the new owner (P3)";
  poller.poll(0);
  Pair third;
  EXPECT_EQ(poller.add(third[0]).value(), old);
  EXPECT_EQ(poller.sources(), 2U);
  Poller::remove(*old);
  Poller::remove(*next);
}

TEST(PollerTest, a_new_owner_of_a_source_does_not_inherit_an_edge) {
  Poller poller;
  Pair first;
  Source* const old = poller.add(first[0]).value();
  put(first[1]);
  poller.poll(for_ever);  // kept by nobody
  Poller::remove(*old);
  poller.poll(0);
  Pair second;
  ASSERT_EQ(poller.add(second[0]).value(), old);
  Counted reader;
  EXPECT_EQ(Poller::arm(*old, Direction::read, reader), Armed::waiting);
  EXPECT_TRUE(Poller::disarm(*old, Direction::read, reader));
  Poller::remove(*old);
}

TEST(PollerTest, a_source_may_be_removed_after_its_poller_is_gone) {
  Pair first;
  Pair second;
  Source* left[2] = {};
  {
    Poller poller;
    left[0] = poller.add(first[0]).value();
    left[1] = poller.add(second[0]).value();
  }
  for (Source* source : left) {
    EXPECT_EQ(source->poller(), nullptr);
    Poller::remove(*source);
  }
}

TEST(PollerTest, what_cannot_be_polled_is_refused_with_a_reason) {
  Poller poller;
  const int plain = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(plain, 0);
  EXPECT_EQ(poller.add(plain).error(), std::errc::operation_not_permitted);
  EXPECT_EQ(poller.add(-1).error(), std::errc::bad_file_descriptor);
  Pair pair;
  Source* const source = poller.add(pair[0]).value();
  EXPECT_EQ(poller.add(pair[0]).error(), std::errc::file_exists);
  EXPECT_EQ(poller.sources(), 1U);
  Poller::remove(*source);
  close(plain);
}

TEST(PollerTest, an_interrupt_ends_a_poll_that_waits_for_ever) {
  Poller poller;
  std::thread sleeper([&] { EXPECT_EQ(poller.poll(for_ever), 0); });
  poller.interrupt();
  sleeper.join();
  EXPECT_EQ(poller.poll(0), 0);
  poller.interrupt();
  poller.interrupt();
  EXPECT_EQ(poller.poll(for_ever), 0) << "it is kept for the next one who enters";
}

TEST(PollerTest, interrupts_are_not_lost_when_they_race_with_poll) {
  Poller poller;
  std::atomic<int> asked{0};
  std::atomic<int> seen{0};
  constexpr int rounds = 4'000;
  std::thread sleeper([&] {
    while (seen.load() < rounds) {
      poller.poll(for_ever);
      seen.store(asked.load());
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    asked.store(i);
    poller.interrupt();
    if (i % 16 == 0)
      while (seen.load() < i) std::this_thread::yield();
  }
  sleeper.join();
}

TEST(PollerTest, a_second_thread_is_turned_away) {
  struct Inside : Waiter {
    Poller* poller = nullptr;
    int answer = 0;
  };
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  Inside inside;
  inside.poller = &poller;
  inside.ready = [](Waiter& waiter) noexcept {
    auto& self = static_cast<Inside&>(waiter);
    std::thread([&self] { self.answer = self.poller->poll(for_ever); }).join();
  };
  ASSERT_EQ(Poller::arm(source, Direction::read, inside), Armed::waiting);
  put(pair[1]);
  EXPECT_EQ(poller.poll(for_ever), 1);
  EXPECT_EQ(inside.answer, Poller::somebody_else);
  Poller::remove(source);
}

TEST(PollerTest, a_poll_waits_no_less_than_its_time_out) {
  Poller poller;
  base::Clock& clock = base::steady_clock();
  for (const std::int64_t timeout_ns : {100'000, 3'000'000}) {
    const std::int64_t start = clock.now_ns();
    EXPECT_EQ(poller.poll(timeout_ns), 0);
    EXPECT_GE(clock.now_ns() - start, timeout_ns);
  }
}

// A reader that tries, arms and waits sees every byte, however writes, polls and arms interleave.
TEST(PollerTest, no_byte_is_left_behind_when_three_threads_race) {
  constexpr int bytes = 10'000;
  Poller poller;
  Pair pair;
  Source& source = *poller.add(pair[0]).value();
  std::atomic<bool> is_over{false};
  std::thread keeper([&] {
    while (!is_over.load()) poller.poll(1'000'000);
  });
  std::thread writer([&] {
    for (int i = 0; i < bytes;) {
      if (write(pair[1], "x", 1) == 1) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int got = 0; got < bytes;) {
    if (get(pair[0])) {
      ++got;
      continue;
    }
    Counted reader;
    if (Poller::arm(source, Direction::read, reader) == Armed::ready) continue;
    // Now and then it changes its mind, as at a deadline.
    if (got % 7 == 0 && Poller::disarm(source, Direction::read, reader)) continue;
    while (reader.calls.load() == 0) std::this_thread::yield();
  }
  writer.join();
  is_over.store(true);
  keeper.join();
  Poller::remove(source);
}

// P1 for the bare word: edges, arms and disarms race; each Waiter is disarmed or called, exactly
// once.
TEST(ReadinessStressTest, a_waiter_is_either_disarmed_or_called) {
  Readiness word;
  std::atomic<bool> is_over{false};
  std::vector<std::thread> edges;
  for (int i = 0; i < 2; ++i)
    edges.emplace_back([&] {
      while (!is_over.load()) {
        word.edge();
        std::this_thread::yield();
      }
    });
  for (int i = 0; i < 10'000; ++i) {
    Counted waiter;
    const Armed armed = word.arm(waiter);
    ASSERT_NE(armed, Armed::taken);
    if (armed == Armed::ready) continue;
    if (word.disarm(waiter)) {
      ASSERT_EQ(waiter.calls.load(), 0);
      continue;
    }
    while (waiter.calls.load() == 0) std::this_thread::yield();
    ASSERT_EQ(waiter.calls.load(), 1);
  }
  is_over.store(true);
  for (std::thread& edge : edges) edge.join();
}

}  // namespace
}  // namespace airssys::rt::scheduler::poller_test
