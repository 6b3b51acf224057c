// receive_test.cpp: what a receive takes, when it waits, and what it leaves alone (R).
//
// Method: one process whose mailbox is filled first, so that what it must find is known; where
// another one takes part, both meet by messages or by a word in memory, never by time.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::receive_test {

using support::reason_of;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class ReceiveRules : public support::InRuntime {};
RT_WITH_SCHEDULERS(ReceiveRules);

struct Go {};
struct Never {};

void send_numbers(int count) {
  for (int i = 0; i < count; ++i) send(self(), i);
}

// R1
TEST_P(ReceiveRules, a_message_from_the_middle_leaves_the_others_in_order) {
  run([] {
    send_numbers(100);
    for (int i = 99; i >= 50; --i)
      EXPECT_EQ(receive(when([i](int& n) { return n == i; }, [](int n) { return n; })), i);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(receive<int>(), i);
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// R2, Z13
TEST_P(ReceiveRules, a_predicate_that_throws_after_a_wait_leaves_all_mail_in_order) {
  run([] {
    send_numbers(3);
    spawn([tester = self()] {
      send(tester, 3);
      send(tester, 4);
    });
    EXPECT_THROW(receive(when([](int& n) { return n == 4 ? throw 7 : false; }, [](int) {})), int);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(receive<int>(), i);
  });
}

// R3
TEST_P(ReceiveRules, the_next_receive_begins_with_the_oldest_again) {
  run([] {
    send_numbers(10);
    int tests = 0;
    const auto count = when([&tests](int&) { return ++tests, false; }, [](int) {});
    receive(count, after(0ms, [] {}));
    EXPECT_EQ(tests, 10);
    receive(count, after(0ms, [] {}));
    EXPECT_EQ(tests, 20);
    EXPECT_EQ(receive<int>(), 0);
  });
}

// R4
TEST_P(ReceiveRules, time_outs_are_of_any_length_but_not_negative) {
  run([] {
    send_numbers(3);
    for (const auto timeout : {Duration(-1), Duration(Duration::min()), Duration(-1h)}) {
      EXPECT_THROW(receive<Go>(timeout), BadArgument);
      EXPECT_THROW(receive<int>(timeout), BadArgument);
      EXPECT_THROW(sleep(timeout), BadArgument);
    }
    EXPECT_EQ(receive<int>(std::chrono::milliseconds(4'294'967'295)), 0);
    EXPECT_EQ(receive<int>(infinite - 1ns), 1);
    EXPECT_EQ(receive<int>(infinite), 2);
  });
}

// Each look at a message sends another one: there is always more to look at.
// R5
TEST_P(ReceiveRules, a_time_out_passes_in_a_flood_that_never_ends) {
  run([] {
    constexpr int for_ever = 3'000'000;
    int seen = 0;
    const auto looks = [&seen](Never&) {
      if (++seen < for_ever) send(self(), Never());
      return false;
    };
    send(self(), Never());
    receive(when(looks, [](Never) {}), after(20ms, [] {}));
    EXPECT_LT(seen, for_ever) << "it was over only when nothing came any more";
  });
}

// The same of signals that are no mail, from others.
// R5
TEST_P(ReceiveRules, a_time_out_passes_in_a_flood_of_signals_that_never_ends) {
  run([] {
    std::atomic<bool> is_over = false;
    std::vector<Spawned> flooding;
    for (int i = 0; i < 3; ++i) {
      flooding.push_back(spawn_monitor([&is_over, tester = self()] {
        while (!is_over) {
          link(tester);
          unlink(tester);
        }
      }));
    }
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(receive<Never>(2ms));
    is_over = true;
    for (const Spawned& each : flooding) reason_of(each);
  });
}

// The other's answer stands behind what it has sent before, and this process looks at both.
// R6
TEST_P(ReceiveRules, a_time_out_of_zero_sees_what_one_sent_who_has_been_heard_since) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      send_numbers(100);
      const Spawned other = spawn_monitor([tester = self()] {
        send(tester, std::string("text"));
        send(tester, Go());
        receive<Go>();
      });
      // Either the answer or a message, and neither is what is looked for afterwards.
      if (i % 2) {
        receive<Go>();
      } else {
        while (process_info(other.pid)->wait_reason != "receive") yield();
      }
      ASSERT_EQ(receive<std::string>(0ms), "text");
      if (i % 2 == 0) {
        EXPECT_TRUE(receive<Go>(0ms));
      }
      for (int n = 0; n < 100; ++n) EXPECT_EQ(receive<int>(0ms), n);
      send(other.pid, Go());
      reason_of(other);
    }
  });
}

// R7
TEST_P(ReceiveRules, a_sleep_leaves_the_mailbox_alone) {
  run([] {
    const auto begin = Clock::now();
    send_numbers(5);
    sleep(2ms);
    EXPECT_GE(Clock::now() - begin, 2ms);
    EXPECT_EQ(process_info(self())->message_queue_len, 5U);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(receive<int>(), i);
    // What comes meanwhile does not end it either.
    const Clock::time_point woken = Clock::now();
    spawn([tester = self()] { send(tester, 7); });
    sleep(2ms);
    EXPECT_GE(Clock::now() - woken, 2ms);
    EXPECT_EQ(receive<int>(), 7);
  });
}

// R8
TEST_P(ReceiveRules, a_time_out_that_lost_leaves_no_trace) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const auto time = std::chrono::microseconds(i % 80);
      send_after(time, self(), 1);
      if (!receive<int>(time)) receive<int>();
      // A time-out of before would end this one early.
      const auto begin = Clock::now();
      EXPECT_FALSE(receive<int>(100us));
      EXPECT_GE(Clock::now() - begin, 100us);
    }
  });
}

// What is left of a timer is never more than it was given and the tick it is rounded up by.
// R9
TEST_P(ReceiveRules, no_time_out_is_early_and_none_is_rounded_up_by_more_than_a_tick) {
  run([] {
    for (int i = 0; i < 200; ++i) {
      const auto time = std::chrono::nanoseconds(i * 7919);
      const auto begin = Clock::now();
      EXPECT_FALSE(receive<Go>(time));
      EXPECT_GE(Clock::now() - begin, time);
      const TimerRef timer = send_after(1h + time, self(), 1);
      EXPECT_LE(*read_timer(timer), 1h + time + 50us);
      cancel_timer(timer);
    }
  });
}

struct Echo : Server<Echo> {
  struct Ask {
    using Reply = int;
    int number;
  };
  int handle(Ask ask) { return ask.number; }
};

// Counted in reductions: each message that is looked at costs one.
// R10
TEST_P(ReceiveRules, calls_and_requests_do_not_look_at_mail_from_before_them) {
  run([] {
    constexpr int count = 20'000;
    const auto echo = start_link<Echo>();
    send_numbers(count);
    const std::uint64_t before = process_info(self())->reductions;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(call(echo, Echo::Ask{i}), i);
    {
      auto first = send_request(echo, Echo::Ask{1});
      auto second = send_request(echo, Echo::Ask{2});
      EXPECT_THROW(receive<Go>(-1ns), BadArgument);
      EXPECT_EQ(second.get(), 2);
      EXPECT_EQ(call(echo, Echo::Ask{3}), 3);
      EXPECT_EQ(first.get(), 1);
    }
    EXPECT_LT(process_info(self())->reductions - before, std::uint64_t{count});
    for (int i = 0; i < count; ++i) ASSERT_EQ(receive<int>(), i);
    stop(echo);
  });
}

// Counted by the predicate for what is there before the mark. The receives in between, the one that
// fails among them, see everything and move no mark.
// R10, R4
TEST_P(ReceiveRules, a_receive_from_a_mark_does_not_look_at_500000_messages_before_it) {
  run([] {
    constexpr int count = 500'000;
    send_numbers(count);
    int looks = 0;
    const auto counted = when([&](int&) { return ++looks, false; }, [](int) {});
    const MailMark first;
    const MonitorRef gone = monitor(spawn([] {}), AliasMode::explicit_unalias);
    const MailMark second;
    const Alias address = alias();
    spawn([=] { send(address, std::string("answer")); });
    EXPECT_THROW(receive(second, [](Go) {}, after(-1ns, [] {})), BadArgument);
    receive(second, counted, [](const std::string& text) { EXPECT_EQ(text, "answer"); });
    EXPECT_EQ(receive<int>(), 0);
    receive(first, counted, when([&](Down& down) { return down.ref == gone; }, [](Down&) {}));
    EXPECT_EQ(looks, 0);
    EXPECT_TRUE(receive(first, [](int) { return false; }, after(0ms, [] { return true; })));
    EXPECT_EQ(receive<int>(), 1);
  });
}

// R10, R3
TEST_P(ReceiveRules, what_a_receive_from_a_mark_leaves_is_found_by_the_next_one) {
  run([] {
    send(self(), 0);
    const MailMark mark;
    send_numbers(3);
    receive(mark, when([](int& n) { return n == 2; }, [](int) {}));
    EXPECT_EQ(receive(mark, [](int n) { return n; }), 0);
    EXPECT_EQ(receive(MailMark(mark), [](int n) { return n; }), 1);
    EXPECT_EQ(receive<int>(), 0);  // on which the mark stood
    send(self(), 7);
    EXPECT_EQ(receive(mark, [](int n) { return n; }), 7);
  });
}

// R11, D4
TEST_P(ReceiveRules, each_message_that_is_looked_at_costs_about_a_reduction) {
  run([] {
    send_numbers(10'000);
    receive<Never>(0ms);  // what is taken in is charged as well, once
    const std::uint64_t before = process_info(self())->reductions;
    receive<Never>(0ms);
    const std::uint64_t charged = process_info(self())->reductions - before;
    EXPECT_GE(charged, 10'000U);
    EXPECT_LT(charged, 20'000U);
  });
}

// The other process counts whenever it runs; with one scheduler that is when the scan gives way.
// R11
TEST_P(ReceiveRules, a_long_look_lets_others_run) {
  run([] {
    std::atomic<bool> is_over = false;
    std::atomic<int> turns = 0;
    send_numbers(100'000);
    const Spawned other = spawn_monitor([&] {
      while (!is_over) {
        ++turns;
        yield();
      }
    });
    while (turns == 0) yield();
    std::set<int> seen;
    const auto look = when([&](int&) { return seen.insert(turns), false; }, [](int) {});
    do {
      receive(look, after(0ms, [] {}));
    } while (GetParam() > 1 && seen.size() < 10);  // elsewhere it need not run just now
    EXPECT_GE(seen.size(), 10U);
    is_over = true;
    reason_of(other);
  });
}

// R12
TEST_P(ReceiveRules, a_handler_may_receive_and_its_message_has_left) {
  run([] {
    for (int i = 0; i < 6; ++i) send(self(), i);
    const int sum = receive([](int outer) {
      EXPECT_EQ(process_info(self())->message_queue_len, 5U);
      return outer + receive([](int middle) {
               EXPECT_EQ(receive(when([](int& n) { return n == 5; }, [](int n) { return n; })), 5);
               return middle + receive<int>();
             });
    });
    EXPECT_EQ(sum, 0 + 1 + 2);
    EXPECT_EQ(receive<int>(), 3);
    EXPECT_EQ(receive<int>(), 4);
    EXPECT_FALSE(receive<int>(0ms));
  });
}

// The predicate stops in the middle until the kill has been sent; then a slice at most is looked
// at.
// R13, Z1
TEST_P(ReceiveRules, a_process_that_is_killed_in_a_long_look_does_not_finish_it) {
  run([] {
    constexpr int stops_at = 5'000;
    constexpr int count = 50'000;
    std::atomic<bool> looks = false;
    std::atomic<bool> was_killed = false;
    std::atomic<int> seen = 0;
    const Spawned looking = spawn_monitor([&] {
      send_numbers(count);
      receive(when(
                  [&](int& n) {
                    looks = true;
                    seen = n;
                    while (n == stops_at && !was_killed) std::this_thread::yield();
                    return false;
                  },
                  [](int) {}),
              after(0ms, [] {}));
      ADD_FAILURE() << "it has looked at everything";
    });
    while (!looks) yield();
    send_exit(looking.pid, ExitReason::kill());
    was_killed = true;
    EXPECT_EQ(reason_of(looking), ExitReason::killed());
    EXPECT_LT(seen, stops_at + 10'000);
  });
}

// R13, X13
TEST_P(ReceiveRules, a_receive_that_begins_or_waits_is_ended_whatever_mail_is_there) {
  run([] {
    for (const std::size_t i : support::rounds()) {
      const Spawned waiting = spawn_monitor([i] {
        send(self(), 1);
        if (i % 2) receive<Never>();
        for (;;) {
          receive<int>(0ms);
          send(self(), 1);
        }
      });
      if (i % 3) yield();
      support::stagger(i);
      send_exit(waiting.pid, ExitReason::kill());
      EXPECT_EQ(reason_of(waiting), ExitReason::killed());
    }
  });
}

// Knows how often it was moved.
class Moved {
 public:
  Moved() = default;
  Moved(Moved&& other) noexcept : moves(other.moves + 1) {}
  Moved& operator=(Moved&&) = delete;
  ~Moved() = default;

  int moves = 0;
};

// R14
TEST_P(ReceiveRules, a_message_that_is_not_taken_is_not_moved) {
  run([] {
    send_numbers(10);
    send(self(), Moved());
    send_numbers(10);
    std::set<const Moved*> places;
    std::set<int> moves;
    const auto look = when(
        [&](Moved& moved) {
          places.insert(&moved);
          moves.insert(moved.moves);
          return false;
        },
        [](Moved&) {});
    for (int i = 0; i < 10; ++i) {
      receive(look, after(0ms, [] {}));
      receive<int>();
    }
    EXPECT_EQ(places.size(), 1U);
    EXPECT_EQ(moves.size(), 1U);
    receive([&](Moved& moved) { EXPECT_TRUE(places.contains(&moved)); });
  });
}

// R16
TEST_P(ReceiveRules, a_receive_without_a_type_takes_anything_oldest_first) {
  run([] {
    send(self(), 1);
    send(self(), std::string("two"));
    send(self(), Go());
    EXPECT_FALSE(receive<Never>(0ms));
    EXPECT_TRUE(receive<Message>().is<int>());
    EXPECT_EQ(receive<Message>().take<std::string>(), "two");
    EXPECT_TRUE(receive<Message>(0ms)->is<Go>());
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// R16
TEST_P(ReceiveRules, a_message_whose_type_nobody_asks_for_stays) {
  run([] {
    send(self(), Never());
    for (int i = 0; i < 100; ++i) {
      send(self(), i);
      EXPECT_EQ(receive<int>(), i);
    }
    EXPECT_EQ(process_info(self())->message_queue_len, 1U);
    receive<Never>();
  });
}

// R3
TEST_P(ReceiveRules, what_comes_alone_and_is_not_wanted_is_looked_at_once_and_stays) {
  run([] {
    constexpr int count = 100;
    std::atomic<int> looks = 0;
    const Spawned reader = spawn_monitor([&] {
      // relaxed: a count; the sender goes on when it has grown.
      const auto refuse = [&](int) { return looks.fetch_add(1, std::memory_order_relaxed) < 0; };
      receive(when(refuse, [](int) {}), [](Go) {});
      for (int i = 0; i < count; ++i) EXPECT_EQ(receive<int>(0ms), i);
      EXPECT_FALSE(receive<Message>(0ms));
    });
    for (int i = 0; i < count; ++i) {
      send(reader.pid, i);
      while (looks.load(std::memory_order_relaxed) <= i) yield();  // relaxed: as above
    }
    send(reader.pid, Go());
    EXPECT_EQ(reason_of(reader), ExitReason::normal());
    EXPECT_EQ(looks.load(std::memory_order_relaxed), count);  // relaxed: the Down came behind it
  });
}

}  // namespace
}  // namespace airssys::rt::receive_test
