// dead_letters_test.cpp: who listens hears of what is dropped, in bounds.
//
// Method: the test's process listens, and makes mailboxes drop; what it hears is in order, for the
// sender of a letter is whoever drops. Threads and schedulers at the end.
#include "runtime/dead_letters.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "system/runtime_impl.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::runtime::dead_letters_test {
namespace {

using namespace std::chrono_literals;

using Letters = support::InRuntime;
RT_WITH_SCHEDULERS(Letters);

struct Go {};

Pid spawn_full(Overflow overflow = Overflow::reject) {
  const Pid pid =
      spawn_link({.mailbox = {.capacity = 1, .overflow = overflow}}, [] { receive<Go>(); });
  send(pid, 0);
  return pid;
}

void end(Pid pid) {
  const MonitorRef ref = monitor(pid);
  unlink(pid);
  send_exit(pid, ExitReason::kill());
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

TEST_P(Letters, a_letter_holds_the_message_and_says_whose_to_whom_and_why) {
  run([] {
    subscribe_dead_letters();
    const Pid full = spawn_full();
    send(full, std::string("lost"));
    DeadLetter letter = receive<DeadLetter>();
    EXPECT_EQ(letter.to, full);
    EXPECT_EQ(letter.from, self());
    EXPECT_EQ(letter.reason, DropReason::refused);
    EXPECT_EQ(letter.missed, 0U);
    EXPECT_EQ(letter.type, letter.message.type_name());
    ASSERT_TRUE(letter.message.is<std::string>());
    EXPECT_EQ(letter.message.take<std::string>(), "lost");
    end(full);
  });
}

TEST_P(Letters, the_message_in_a_letter_can_be_sent_on) {
  run([] {
    subscribe_dead_letters();
    const Pid full = spawn_full();
    send(full, std::string("again"));
    send(self(), std::move(receive<DeadLetter>().message));
    EXPECT_EQ(receive<std::string>(), "again");
    end(full);
  });
}

TEST_P(Letters, what_was_thrown_out_for_a_newer_one_names_its_own_sender) {
  run([] {
    subscribe_dead_letters();
    const Pid full = spawn_full(Overflow::drop_oldest);
    const Spawned other = spawn_monitor([full] { send(full, 1); });
    receive(when([&](Down& down) { return down.ref == other.ref; }, [](Down&) {}));
    process_info(full);  // it has taken its inbox in
    DeadLetter letter = receive<DeadLetter>();
    EXPECT_EQ(letter.reason, DropReason::oldest);
    EXPECT_EQ(letter.from, self());
    EXPECT_EQ(letter.message.take<int>(), 0);
    end(full);
  });
}

TEST_P(Letters, of_two_listeners_one_gets_the_message_and_both_hear_of_it) {
  run([] {
    subscribe_dead_letters();
    const Pid second = spawn_link([tester = self()] {
      subscribe_dead_letters();
      send(tester, Go());
      send(tester, std::pair(receive<DeadLetter>().type, true));
    });
    receive<Go>();
    const Pid full = spawn_full();
    send(full, 7);
    const DeadLetter letter = receive<DeadLetter>();
    const auto [type, is_second] = receive<std::pair<std::string_view, bool>>();
    EXPECT_TRUE(is_second);
    EXPECT_EQ(letter.type, type);
    EXPECT_TRUE(letter.message.is<int>());
    EXPECT_FALSE(is_alive(second));
    end(full);
  });
}

TEST_P(Letters, more_than_the_unread_are_missed_and_told_in_the_next) {
  run([] {
    subscribe_dead_letters({.unread_max = 3});
    const Pid full = spawn_full();
    for (int i = 0; i < 10; ++i) send(full, i);
    {
      // Those that are kept take their seats.
      const DeadLetter kept[] = {
          receive<DeadLetter>(), receive<DeadLetter>(), receive<DeadLetter>()};
      EXPECT_FALSE(receive<DeadLetter>(0ms));
      EXPECT_EQ(kept[2].missed, 0U);
      send(full, 10);
      EXPECT_FALSE(receive<DeadLetter>(0ms));
    }
    send(full, 11);
    EXPECT_EQ(receive<DeadLetter>().missed, 8U);
    send(full, 12);
    EXPECT_EQ(receive<DeadLetter>().missed, 0U);
    end(full);
  });
}

TEST_P(Letters, a_dead_letter_that_is_dropped_makes_none) {
  run([] {
    subscribe_dead_letters({.undeliverable = true});
    const Pid full = spawn_full();
    send(full, 1);
    send(full, receive<DeadLetter>());
    EXPECT_FALSE(receive<DeadLetter>(0ms));
    EXPECT_EQ(process_info(full)->drops[DropReason::refused], 2U);
    end(full);
  });
}

TEST_P(Letters, letters_do_not_count_in_a_bounded_mailbox) {
  run([] {
    const Pid full = spawn_full();
    spawn_monitor({.mailbox = {.capacity = 1, .overflow = Overflow::reject}},
                  [full, tester = self()] {
                    subscribe_dead_letters();
                    for (int i = 0; i < 5; ++i) send(full, i);
                    send(tester, process_info(self())->message_queue_len);
                  });
    EXPECT_EQ(receive<std::size_t>(), 5U);
    receive<Down>();
    end(full);
  });
}

TEST_P(Letters, who_unsubscribes_or_ends_hears_no_more) {
  run([] {
    const Pid full = spawn_full();
    subscribe_dead_letters();
    send(full, 1);
    unsubscribe_dead_letters();
    send(full, 2);
    EXPECT_EQ(receive<DeadLetter>().message.take<int>(), 1);
    EXPECT_FALSE(receive<DeadLetter>(0ms));
    spawn_monitor([] { subscribe_dead_letters(); });
    receive<Down>();
    for (int i = 0; i < 3; ++i) send(full, i);
    EXPECT_EQ(process_info(full)->drops[DropReason::refused], 5U);
    end(full);
  });
}

TEST_P(Letters, a_plain_threads_letter_is_from_nobody) {
  with_runtime([](Runtime& runtime) {
    std::atomic<std::uint64_t> full = 0;
    const Pid listener = runtime.spawn([&full] {
      subscribe_dead_letters();
      const Pid pid = spawn_full();
      full = pid.bits();
      const DeadLetter letter = receive<DeadLetter>();
      EXPECT_EQ(letter.to, pid);
      EXPECT_FALSE(letter.from);
      end(pid);
    });
    while (full == 0) std::this_thread::yield();
    EXPECT_EQ(runtime.try_send(Pid::from_bits(full), 1), SendResult::full);
    runtime.run([listener] {
      monitor(listener);
      receive<Down>();
    });
  });
}

// The value in a message: how many of them there are.
struct Counted {
  std::shared_ptr<int> value;
};

TEST_P(Letters, nothing_is_lost_or_kept_while_listeners_come_and_go) {
  run([] {
    const auto value = std::make_shared<int>(0);
    const Pid full = spawn_full();
    const int rounds = static_cast<int>(support::stress_size(50));
    std::vector<Spawned> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(spawn_monitor([full, rounds, value] {
        for (int n = 0; n < rounds; ++n) {
          for (int k = 0; k < 5; ++k) send(full, Counted{value});
          yield();
        }
      }));
      all.push_back(spawn_monitor([rounds] {
        for (int n = 0; n < rounds; ++n) {
          subscribe_dead_letters({.unread_max = 2});
          receive<DeadLetter>(0ms);
          yield();
          if (n % 3 == 0) unsubscribe_dead_letters();
        }
      }));
    }
    for (const Spawned& each : all)
      receive(when([&](Down& down) { return down.ref == each.ref; }, [](Down&) {}));
    all.clear();
    EXPECT_EQ(process_info(full)->drops.total(), static_cast<std::uint64_t>(20 * rounds));
    end(full);
    while (value.use_count() != 1) yield();
  });
}

}  // namespace
}  // namespace airssys::rt::runtime::dead_letters_test
