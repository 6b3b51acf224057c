// mailbox_bounds_test.cpp: what a bound counts, and what becomes of what does not fit (B).
//
// Method: a process is held at a gate, through which nothing is bounded, while its mailbox fills.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <string>
#include <utility>

#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

class BoundRules : public support::InRuntime {};
RT_WITH_SCHEDULERS(BoundRules);

struct Go {};

void await_down(const MonitorRef& ref) {
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

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
    await_down(held.ref);
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
    await_down(held.ref);
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
      await_down(receiver.ref);
    }
  });
}

// B8, S5
TEST_P(BoundRules, a_send_to_the_dead_says_so_when_it_is_asked_alone) {
  run([] {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}}) {
      const Spawned dead = spawn_monitor({.mailbox = {.capacity = capacity}}, [] {});
      await_down(dead.ref);
      for (int i = 0; i < 3; ++i) {
        send(dead.pid, i);
        EXPECT_EQ(try_send(dead.pid, i), SendResult::no_process);
      }
    }
    EXPECT_EQ(try_send(Pid(), 1), SendResult::no_process);
  });
}

}  // namespace
}  // namespace airssys::rt
