// mailbox_bounds_test.cpp: what a bound counts, and what becomes of what does not fit (B).
//
// Method: a process is held at a gate, through which nothing is bounded, while its mailbox fills.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::mailbox_bounds_test {

using support::reason_in_down;

namespace {

using namespace std::chrono_literals;

class BoundRules : public support::InRuntime {};
RT_WITH_SCHEDULERS(BoundRules);

struct Go {};

// One whose mailbox holds `capacity` numbers, 0 and up, and takes none of them.
Spawned spawn_full(std::size_t capacity, Overflow overflow) {
  const Spawned full = spawn_monitor({.mailbox = {.capacity = capacity, .overflow = overflow}},
                                     [] { receive<Go>(); });
  for (std::size_t i = 0; i < capacity; ++i) send(full.pid, static_cast<int>(i));
  return full;
}

void end(const Spawned& full) {
  send_exit(full.pid, ExitReason::kill());
  reason_in_down(full.ref);
}

// A server that has handlers for nothing but its own cast.
struct Deaf : Server<Deaf> {
  struct Note {};
  void handle(Note) {}
};

// B1
TEST_P(BoundRules, without_a_capacity_a_mailbox_takes_everything) {
  run([] {
    constexpr int count = 100'000;
    const Spawned held = spawn_monitor([] {
      receive<Go>();
      for (int i = 0; i < count; ++i) ASSERT_EQ(receive<int>(), i);
    });
    for (int i = 0; i < count; ++i) ASSERT_EQ(try_send(held.pid, i), SendResult::sent);
    send(held.pid, Go());
    reason_in_down(held.ref);
  });
}

// B1
TEST_P(BoundRules, what_its_owner_has_taken_in_and_not_received_counts) {
  run([] {
    const Spawned held = spawn_monitor({.mailbox = {.capacity = 3, .overflow = Overflow::reject}},
                                       [] { receive<Go>(); });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(try_send(held.pid, i), SendResult::sent);
    EXPECT_EQ(process_info(held.pid)->message_queue_len, 3U);
    EXPECT_EQ(try_send(held.pid, 3), SendResult::full);
    send_exit(held.pid, ExitReason::kill());
    reason_in_down(held.ref);
  });
}

// B3, B4, B5, B6
TEST_P(BoundRules, a_drop_is_counted_by_mailbox_reason_and_sender) {
  run([] {
    const std::pair<Overflow, DropReason> policies[] = {
        {Overflow::block, DropReason::refused},
        {Overflow::reject, DropReason::refused},
        {Overflow::drop_newest, DropReason::refused},
        {Overflow::drop_oldest, DropReason::oldest},
    };
    for (const auto& [overflow, reason] : policies) {
      const Spawned full = spawn_full(2, overflow);
      const Spawned other = spawn_full(2, overflow);
      for (int i = 0; i < 3; ++i) {
        try_send(full.pid, i);
        process_info(full.pid);  // it takes its inbox in
      }
      const Drops drops = process_info(full.pid)->drops;
      EXPECT_EQ(drops[reason], 3U);
      EXPECT_EQ(drops.total(), 3U);
      EXPECT_EQ(drops.senders.size(), 1U);
      EXPECT_EQ(drops.senders.at(0).pid, self());
      EXPECT_EQ(drops.senders.at(0).count, 3U);
      EXPECT_EQ(process_info(other.pid)->drops.total(), 0U);
      end(full);
      end(other);
    }
  });
}

// B6
TEST_P(BoundRules, who_subscribes_hears_of_a_drop_as_a_dead_letter) {
  run([] {
    subscribe_dead_letters();
    const Spawned full = spawn_full(1, Overflow::drop_newest);
    send(full.pid, std::string("one too many"));
    DeadLetter letter = receive<DeadLetter>();
    EXPECT_EQ(letter.to, full.pid);
    EXPECT_EQ(letter.from, self());
    EXPECT_EQ(letter.reason, DropReason::refused);
    EXPECT_EQ(letter.message.take<std::string>(), "one too many");
    unsubscribe_dead_letters();
    send(full.pid, std::string("and another"));
    EXPECT_FALSE(receive<DeadLetter>(0ms));
    end(full);
  });
}

// The same whether it has a bound or not.
// B6, G10
TEST_P(BoundRules, what_its_receiver_has_no_use_for_is_a_drop) {
  options.log = [](std::string_view) {};
  run([] {
    subscribe_dead_letters();
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{5}}) {
      const SpawnOptions bounded{.mailbox = {.capacity = capacity}};
      const Spawned plain = spawn_monitor(bounded, [] { receive<Go>(); });
      cast(ServerRef<Deaf>(plain.pid), Deaf::Note());
      const DeadLetter of_plain = receive<DeadLetter>();
      EXPECT_EQ(of_plain.to, plain.pid);
      EXPECT_EQ(of_plain.reason, DropReason::wrong_type);
      EXPECT_EQ(process_info(plain.pid)->drops[DropReason::wrong_type], 1U);
      end(plain);
    }
    const ServerRef<Deaf> server = start<Deaf>();
    send(server.pid(), 7);
    DeadLetter of_server = receive<DeadLetter>();
    EXPECT_EQ(of_server.to, server.pid());
    EXPECT_EQ(of_server.reason, DropReason::wrong_type);
    EXPECT_EQ(of_server.message.take<int>(), 7);
    stop(server.pid());
  });
}

// B6, A2, S5
TEST_P(BoundRules, what_comes_too_late_is_heard_of_by_who_asks_for_it) {
  run([] {
    subscribe_dead_letters({.undeliverable = true});
    const Spawned dead = spawn_monitor([] {});
    reason_in_down(dead.ref);
    send(dead.pid, 1);
    DeadLetter of_dead = receive<DeadLetter>();
    EXPECT_EQ(of_dead.reason, DropReason::no_process);
    EXPECT_EQ(of_dead.to, dead.pid);
    EXPECT_EQ(of_dead.message.take<int>(), 1);

    const Alias gone = alias();
    unalias(gone);
    send(gone, 2);
    DeadLetter of_alias = receive<DeadLetter>();
    EXPECT_EQ(of_alias.reason, DropReason::inactive_alias);
    EXPECT_EQ(of_alias.to, self());
    EXPECT_EQ(of_alias.message.take<int>(), 2);
    EXPECT_EQ(process_info(self())->drops[DropReason::inactive_alias], 1U);

    subscribe_dead_letters();
    send(dead.pid, 3);
    EXPECT_FALSE(receive<DeadLetter>(0ms));
  });
}

// Each sender's numbers that arrive are in order, whatever is dropped between them.
// B7, S1
TEST_P(BoundRules, what_is_not_dropped_arrives_in_its_senders_order) {
  run([] {
    constexpr int senders = 4;
    const int each = static_cast<int>(support::stress_size(500));
    for (const Overflow overflow :
         {Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest}) {
      const Spawned receiver =
          spawn_monitor({.mailbox = {.capacity = 5, .overflow = overflow}}, [] {
            int last[senders] = {-1, -1, -1, -1};
            for (;;) {
              const auto [sender, number] = receive<std::pair<int, int>>();
              ASSERT_GT(number, last[sender]);
              last[sender] = number;
            }
          });
      for (int sender = 0; sender < senders; ++sender) {
        spawn_link([sender, each, pid = receiver.pid, tester = self()] {
          for (int n = 0; n < each; ++n) {
            send(pid, std::pair(sender, n));
            if (n % 8 == 0) yield();
          }
          send(tester, Go());
        });
      }
      for (int sender = 0; sender < senders; ++sender) receive<Go>();
      EXPECT_TRUE(is_alive(receiver.pid));
      send_exit(receiver.pid, ExitReason::kill());
      reason_in_down(receiver.ref);
    }
  });
}

// One that takes numbers once its gate, which no bound counts, has been opened, and sends them on.
struct Resting {
  Spawned process;
  Alias gate;

  explicit Resting(const MailboxOptions& mailbox)
      : process(spawn_monitor({.mailbox = mailbox},
                              [tester = self()] {
                                send(tester, alias(AliasUse::once));
                                receive<Go>();
                                while (auto number = receive<int>(0ms)) send(tester, *number);
                              })),
        gate(receive<Alias>()) {
    while (process_info(process.pid)->wait_reason != "receive") yield();
  }

  std::vector<int> take() const {
    send(gate, Go());
    reason_in_down(process.ref);
    std::vector<int> taken;
    while (auto number = receive<int>(0ms)) taken.push_back(*number);
    return taken;
  }
};

// B5
TEST_P(BoundRules, of_a_burst_that_drops_the_oldest_the_newest_stay) {
  run([] {
    for (int round = 0; round < 50; ++round) {
      const Resting receiver({.capacity = 3, .overflow = Overflow::drop_oldest});
      for (int i = 0; i < 10; ++i) EXPECT_EQ(try_send(receiver.process.pid, i), SendResult::sent);
      ASSERT_EQ(receiver.take(), (std::vector{7, 8, 9}));
    }
  });
}

// What stays of each sender's are its last ones, and together they fill the mailbox.
// B5, B7
TEST_P(BoundRules, of_many_bursts_that_drop_the_oldest_the_newest_stay) {
  run([] {
    constexpr int senders = 4;
    constexpr int each = 100;
    for (int round = 0; round < 50; ++round) {
      const Resting receiver({.capacity = 5, .overflow = Overflow::drop_oldest});
      std::vector<Spawned> sending;
      for (int sender = 0; sender < senders; ++sender) {
        sending.push_back(spawn_monitor([sender, pid = receiver.process.pid] {
          for (int n = 0; n < each; ++n) send(pid, sender * each + n);
        }));
      }
      for (const Spawned& sender : sending) reason_in_down(sender.ref);
      const std::vector<int> taken = receiver.take();
      ASSERT_EQ(taken.size(), 5U);
      int next[senders] = {};
      for (int sender = 0; sender < senders; ++sender) next[sender] = (sender + 1) * each;
      for (std::size_t i = taken.size(); i-- > 0;) ASSERT_EQ(taken[i], --next[taken[i] / each]);
    }
  });
}

// B8, S5
TEST_P(BoundRules, a_send_to_the_dead_says_so_when_it_is_asked_alone) {
  run([] {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}}) {
      const Spawned dead = spawn_monitor({.mailbox = {.capacity = capacity}}, [] {});
      reason_in_down(dead.ref);
      for (int i = 0; i < 3; ++i) {
        send(dead.pid, i);
        EXPECT_EQ(try_send(dead.pid, i), SendResult::no_process);
      }
    }
    EXPECT_EQ(try_send(Pid(), 1), SendResult::no_process);
  });
}

}  // namespace
}  // namespace airssys::rt::mailbox_bounds_test
