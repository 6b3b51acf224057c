// floods_test.cpp: signals that come faster than they are acted on (S11).
//
// What stands in an inbox is made before its receiver looks. With one scheduler the turns can be
// counted; the orders are kept with many.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::floods_test {
namespace {

class Floods : public QuietRules {};
RT_WITH_SCHEDULERS(Floods);

struct Numbered {
  std::size_t sender;
  int number;
};

class FloodsOfOne : public support::FixedSchedulers {
 protected:
  // A receiver of `count` numbers with `flood(pid)` before each, in order, which looks at none of
  // it until all is sent; how often another process had its turn until it had the first number.
  template <class Flood>
  static int turns_of_others_during(int count, Flood flood) {
    std::atomic<bool> is_sent = false;
    std::atomic<bool> is_over = false;
    std::atomic<int> ticks = 0;
    const Spawned ticker = spawn_monitor([&] {
      for (; !is_over; yield()) ++ticks;
    });
    std::atomic<int> turns = 0;
    const Spawned receiver = spawn_monitor([&] {
      while (!is_sent) {
      }
      // relaxed: figures.
      const int before = ticks.load(std::memory_order_relaxed);
      for (int n = 0; n < count; ++n) {
        EXPECT_EQ(receive<int>(), n);
        if (n == 0) turns.store(ticks.load(std::memory_order_relaxed) - before);
      }
      EXPECT_TRUE(process_info(self())->links.empty());
    });
    for (int n = 0; n < count; ++n) {
      flood(receiver.pid);
      send(receiver.pid, n);
    }
    is_sent = true;
    EXPECT_EQ(reason_of(receiver), ExitReason::normal());
    is_over = true;
    reason_of(ticker);
    return turns;
  }
};
INSTANTIATE_TEST_SUITE_P(With, FloodsOfOne, testing::Values(1U), support::schedulers_name);

// S11, S1
TEST_P(FloodsOfOne, a_flood_of_signals_lets_others_run_and_loses_none) {
  run([] {
    constexpr int pairs = 50'000;
    const int turns = turns_of_others_during(pairs, [](Pid receiver) {
      link(receiver);
      unlink(receiver);
    });
    EXPECT_GE(turns, 2 * pairs / 4000 / 2);
  });
}

// Who has mail comes to much of it in each turn, however many signals come in between.
// S11
TEST_P(FloodsOfOne, in_a_flood_of_signals_that_are_no_mail_a_receiver_comes_to_its_mail) {
  run([] {
    constexpr int count = 1000;
    constexpr int pairs_of_a_turn = 2000;
    std::atomic<bool> is_over = false;
    std::atomic<int> pairs = 0;
    const Spawned receiver = spawn_monitor([&] {
      receive<Go>();
      pairs = 0;
      for (int n = 0; n < count; ++n) EXPECT_EQ(receive<int>(), n);
      is_over = true;
    });
    for (int n = 0; n < count; ++n) send(receiver.pid, n);
    const Spawned flooding = spawn_monitor([&, to = receiver.pid] {
      send(to, Go());
      for (; !is_over; ++pairs) {
        link(to);
        unlink(to);
      }
    });
    EXPECT_EQ(reason_of(receiver), ExitReason::normal());
    EXPECT_LT(pairs, count / 10 * pairs_of_a_turn);
    reason_of(flooding);
  });
}

// Counts its mail, and tells when all of it has come.
class Counter : public Behaviour {
 public:
  Counter(Pid tester, int expected, std::size_t& most)
      : tester_(tester), expected_(expected), most_(most) {}
  void message(Message& message) override {
    message.take<Numbered>();
    if (++seen_ % 1000 == 0) most_ = std::max(most_, process_info(self())->message_queue_len);
    if (seen_ == expected_) send(tester_, Go());
  }

 private:
  Pid tester_;
  int expected_;
  std::size_t& most_;
  int seen_ = 0;
};

// The most mail that a server had while eight senders flooded it.
std::size_t most_mail_in_a_flood() {
  constexpr std::size_t senders = 8;
  constexpr int count = 20'000;
  std::size_t most = 0;
  const Pid server =
      spawn_behaviour(std::make_unique<Counter>(self(), static_cast<int>(senders) * count, most));
  for (std::size_t s = 0; s < senders; ++s) {
    spawn([server, s] {
      for (int n = 0; n < count; ++n) send(server, Numbered{s, n});
    });
  }
  receive<Go>();
  send_exit(server, ExitReason::kill());
  return most;
}

// Eight slices' mail comes before the server has its turn; behind that a message costs more. Three
// times, for on a slow machine a server may lose its turn, and others have many before the next.
// S11
TEST_P(FloodsOfOne, mail_does_not_pile_up_before_a_server_however_many_send) {
  run([] {
    std::size_t most = most_mail_in_a_flood();
    for (int n = 0; n < 2; ++n) most = std::min(most, most_mail_in_a_flood());
    EXPECT_GT(most, 0U);
    EXPECT_LT(most, 60'000U);
  });
}

// Its receiver, which calls nothing before `sent` is as many.
Spawned spawn_receiver_that_waits(std::atomic<std::size_t>& sent, std::size_t senders, int count) {
  return spawn_monitor([&sent, senders, count] {
    while (sent < senders) {
    }
    std::vector<int> next(senders, 0);
    for (std::size_t n = 0; n < senders * static_cast<std::size_t>(count); ++n)
      receive([&](Numbered got) { EXPECT_EQ(got.number, next[got.sender]++); });
    EXPECT_TRUE(process_info(self())->links.empty());
  });
}

// S11, S1
TEST_P(Floods, a_flood_from_many_is_obeyed_in_the_order_of_each) {
  run([] {
    constexpr std::size_t senders = 4;
    constexpr int pairs = 3'000;  // several slices' work in one inbox
    std::atomic<std::size_t> sent = 0;
    const Spawned receiver = spawn_receiver_that_waits(sent, senders, pairs);
    for (std::size_t s = 0; s < senders; ++s) {
      spawn([&sent, s, to = receiver.pid] {
        for (int n = 0; n < pairs; ++n) {
          link(to);
          unlink(to);
          send(to, Numbered{s, n});
        }
        ++sent;
      });
    }
    EXPECT_EQ(reason_of(receiver), ExitReason::normal());
  });
}

// S11, S9
TEST_P(Floods, an_exit_behind_a_flood_ends_its_receiver_before_it_receives) {
  run([] {
    std::atomic<std::size_t> sent = 0;
    const Spawned receiver = spawn_receiver_that_waits(sent, 1, 1);
    for (int n = 0; n < 10'000; ++n) {
      link(receiver.pid);
      unlink(receiver.pid);
    }
    send_exit(receiver.pid, ExitReason::of(7));
    send(receiver.pid, Numbered{0, 1});  // not the number that it would expect
    ++sent;
    EXPECT_EQ(reason_of(receiver), ExitReason::of(7));
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::floods_test
