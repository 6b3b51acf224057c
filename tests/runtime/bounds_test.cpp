// bounds_test.cpp: bounded mailboxes: what gets in, what goes, who waits (B1–B8).
//
// A receiver is held at a gate, an alias, for what comes through one is not bounded; meanwhile
// others fill its mailbox. Whether a sender is in line is asked by its wait edge.
#include "runtime/bounds.hpp"

#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/call.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::bounds_test {
namespace {

using namespace std::chrono_literals;

class Bounded : public support::InRuntime {};
RT_WITH_SCHEDULERS(Bounded);

struct Go {};
struct Done {};
struct Kilobyte {
  std::byte bytes[1024];
};

struct Held {
  Pid pid;
  Alias gate;

  void open() const { send(gate, Go()); }
};

// A process that does `body` once its gate is open.
template <class Body>
Held spawn_held(const MailboxOptions& options, Body body) {
  const Pid me = self();
  const Pid pid = spawn({.mailbox = options}, [me, body] {
    send(me, alias(AliasUse::once));
    receive<Go>();
    body();
  });
  return {pid, receive<Alias>()};
}

// Sends on to `me` all ints that it has, then Done.
auto pass_on(Pid me) {
  return [me] {
    while (auto value = receive<int>(Duration(0))) send(me, *value);
    send(me, Done());
  };
}

void await_end(Pid pid) {
  const MonitorRef ref = monitor(pid);
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

void end(Pid pid) {
  send_exit(pid, ExitReason::kill());
  await_end(pid);
}

// Returns when the process waits for room in `whom`.
void until_in_line(Pid pid, Pid whom) {
  for (;;) {
    const auto info = process_info(pid);
    ASSERT_TRUE(info);
    if (info->waits_for == whom && info->state == ProcessState::waiting) {
      EXPECT_EQ(info->wait_reason, "mailbox room");
      return;
    }
    yield();
  }
}

Drops drops_of(Pid pid) {
  const auto info = process_info(pid);
  return info ? info->drops : Drops();
}

// B3, B8
TEST_P(Bounded, a_mailbox_that_rejects_answers_full) {
  run([] {
    const Held held = spawn_held({.capacity = 2, .overflow = Overflow::reject}, [] {});
    EXPECT_EQ(try_send(held.pid, 1), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, 2), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, 3), SendResult::full);
    send(held.pid, 4);
    EXPECT_EQ(drops_of(held.pid)[DropReason::refused], 2U);
    held.open();
    await_end(held.pid);
    EXPECT_EQ(try_send(held.pid, 5), SendResult::no_process);
  });
}

TEST_P(Bounded, what_is_received_makes_room) {
  run([] {
    const Pid me = self();
    const Held held = spawn_held({.capacity = 2, .overflow = Overflow::reject}, [me] {
      for (;;) send(me, receive<int>());
    });
    held.open();
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(try_send(held.pid, i), SendResult::sent);
      EXPECT_EQ(receive<int>(), i);
    }
    end(held.pid);
  });
}

// B1
TEST_P(Bounded, bytes_bound_a_mailbox_too) {
  run([] {
    const Held held = spawn_held({.bytes = 3000, .overflow = Overflow::reject}, [] {});
    EXPECT_EQ(try_send(held.pid, Kilobyte()), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, Kilobyte()), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, Kilobyte()), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, 1), SendResult::full);
    end(held.pid);
  });
}

TEST_P(Bounded, one_message_larger_than_the_bound_gets_into_an_empty_mailbox) {
  run([] {
    const Held held = spawn_held({.bytes = 16, .overflow = Overflow::reject}, [] {});
    EXPECT_EQ(try_send(held.pid, Kilobyte()), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, Kilobyte()), SendResult::full);
    end(held.pid);
  });
}

// B4, B7
TEST_P(Bounded, what_drops_the_newest_keeps_the_oldest_in_order) {
  run([] {
    const Held held =
        spawn_held({.capacity = 3, .overflow = Overflow::drop_newest}, pass_on(self()));
    for (int i = 0; i < 10; ++i) send(held.pid, i);
    EXPECT_EQ(drops_of(held.pid)[DropReason::refused], 7U);
    held.open();
    receive<Done>();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(receive<int>(0ms), i);
    EXPECT_FALSE(receive<int>(0ms));
  });
}

// B5, B7
TEST_P(Bounded, what_drops_the_oldest_keeps_the_newest_in_order) {
  run([] {
    const Held held =
        spawn_held({.capacity = 3, .overflow = Overflow::drop_oldest}, pass_on(self()));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(try_send(held.pid, i), SendResult::sent);
    held.open();
    receive<Done>();
    for (int i = 97; i < 100; ++i) EXPECT_EQ(receive<int>(0ms), i);
    EXPECT_FALSE(receive<int>(0ms));
  });
}

// B2
TEST_P(Bounded, a_full_mailbox_that_blocks_holds_its_senders_in_order_of_arrival) {
  run([] {
    const Held held = spawn_held({.capacity = 2}, pass_on(self()));
    send(held.pid, 0);
    send(held.pid, 1);
    EXPECT_EQ(try_send(held.pid, -1), SendResult::full);
    std::vector<Pid> senders;
    for (int i = 2; i < 20; ++i) {
      senders.push_back(spawn_link([i, pid = held.pid] { send(pid, i); }));
      until_in_line(senders.back(), held.pid);
    }
    held.open();
    receive<Done>();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(receive<int>(0ms), i);
    for (const Pid sender : senders) await_end(sender);
  });
}

// B7
TEST_P(Bounded, order_between_two_processes_holds_through_every_wait) {
  run([] {
    constexpr int senders = 4;
    constexpr int messages = 500;
    const Pid receiver = spawn_link({.mailbox = {.capacity = 3}}, [] {
      std::vector<int> next(senders);
      for (int i = 0; i < senders * messages; ++i) {
        const auto [from, number] = receive<std::pair<int, int>>();
        EXPECT_EQ(number, next[static_cast<std::size_t>(from)]++);
      }
    });
    for (int from = 0; from < senders; ++from) {
      spawn_link([from, receiver] {
        for (int i = 0; i < messages; ++i) send(receiver, std::pair(from, i));
      });
    }
    await_end(receiver);
  });
}

// B2
TEST_P(Bounded, a_sender_in_line_can_be_killed_and_its_message_never_comes) {
  run([] {
    const Held held = spawn_held({.capacity = 1}, pass_on(self()));
    send(held.pid, 1);
    const Pid killed = spawn([pid = held.pid] { send(pid, 2); });
    until_in_line(killed, held.pid);
    const Pid patient = spawn_link([pid = held.pid] { send(pid, 3); });
    until_in_line(patient, held.pid);
    end(killed);
    held.open();
    receive<Done>();
    EXPECT_EQ(receive<int>(0ms), 1);
    EXPECT_EQ(receive<int>(0ms), 3);
    EXPECT_FALSE(receive<int>(0ms));
    await_end(patient);
  });
}

// Kills race with the owner that lets senders in: each message arrives or not, and none of the
// mailbox's room is lost by that.
TEST_P(Bounded, kills_in_the_line_lose_no_room) {
  run([] {
    const Pid receiver = spawn_link({.mailbox = {.capacity = 2}}, [] {
      while (receive<int>() >= 0) {
      }
    });
    for (int round = 0; round < 200; ++round) {
      std::vector<Spawned> senders;
      for (int i = 0; i < 4; ++i) {
        senders.push_back(spawn_monitor([receiver] {
          for (int n = 0; n < 5; ++n) send(receiver, n);
        }));
      }
      send_exit(senders[1].pid, ExitReason::kill());
      send_exit(senders[3].pid, ExitReason::shutdown());
      for (std::size_t i = 0; i < senders.size(); ++i) receive<Down>();
    }
    send(receiver, -1);
    await_end(receiver);
  });
}

TEST_P(Bounded, the_end_of_the_owner_lets_its_senders_go_on) {
  run([] {
    const Held held = spawn_held({.capacity = 1}, [] {});
    send(held.pid, 1);
    std::vector<Pid> senders;
    for (int i = 0; i < 5; ++i) {
      senders.push_back(spawn_link([pid = held.pid] { send(pid, 2); }));
      until_in_line(senders.back(), held.pid);
    }
    end(held.pid);
    for (const Pid sender : senders) await_end(sender);
  });
}

// B2
TEST_P(Bounded, sending_to_ones_own_full_mailbox_throws) {
  run([] {
    const Pid pid = spawn_link({.mailbox = {.capacity = 1}}, [] {
      send(self(), 1);
      EXPECT_THROW(send(self(), 2), BadArgument);
      EXPECT_EQ(receive<int>(), 1);
      send(self(), 3);
      EXPECT_EQ(receive<int>(), 3);
    });
    await_end(pid);
  });
}

// B1
TEST_P(Bounded, exits_downs_timers_and_replies_are_never_bounded) {
  run([] {
    const Pid me = self();
    const Held held = spawn_held({.capacity = 1, .overflow = Overflow::reject}, [me] {
      trap_exit(true);
      const MonitorRef ref = monitor(spawn([] {}));
      send_exit(self(), ExitReason::shutdown());
      send_after(0ms, self(), std::string("timer"));
      receive<Exit>();
      EXPECT_EQ(receive<Down>().ref, ref);
      EXPECT_EQ(receive<std::string>(), "timer");
      EXPECT_TRUE(is_alive(me));
      send(me, Done());
    });
    EXPECT_EQ(try_send(held.pid, 1), SendResult::sent);
    EXPECT_EQ(try_send(held.pid, 2), SendResult::full);
    held.open();
    receive<Done>();
  });
}

TEST_P(Bounded, a_message_that_is_passed_on_is_counted_anew) {
  run([] {
    const Pid me = self();
    const Held held = spawn_held({.capacity = 1, .overflow = Overflow::reject}, [me] {
      send(me, receive<Message>());
      receive<Go>();
    });
    EXPECT_EQ(try_send(held.pid, 7), SendResult::sent);
    held.open();
    EXPECT_EQ(receive<int>(), 7);
    EXPECT_EQ(try_send(held.pid, Go()), SendResult::sent);
    await_end(held.pid);
  });
}

TEST_P(Bounded, a_behaviour_frees_room_as_it_is_called) {
  class Echo final : public Behaviour {
   public:
    explicit Echo(Pid to) : to_(to) {}
    void message(Message& message) override { send(to_, message.take<int>()); }

   private:
    Pid to_;
  };
  run([] {
    const Pid echo = spawn_behaviour(std::make_unique<Echo>(self()), {.mailbox = {.capacity = 2}});
    const Pid sender = spawn_link([echo] {
      for (int i = 0; i < 500; ++i) send(echo, i);
    });
    for (int i = 0; i < 500; ++i) EXPECT_EQ(receive<int>(), i);
    await_end(sender);
    end(echo);
  });
}

TEST_P(Bounded, a_plain_thread_waits_in_line) {
  with_runtime([](Runtime& runtime) {
    std::atomic<Pid> receiver;
    std::thread outside([&] {
      while (!receiver.load()) std::this_thread::yield();
      for (int i = 0; i < 500; ++i) runtime.send(receiver.load(), i);
    });
    runtime.run([&receiver] {
      const Pid pid = spawn_link({.mailbox = {.capacity = 2}}, [] {
        for (int i = 0; i < 500; ++i) EXPECT_EQ(receive<int>(), i);
      });
      receiver.store(pid);
      await_end(pid);
    });
    outside.join();
  });
}

// B2
TEST_P(Bounded, a_plain_thread_gives_up_when_its_time_is_up) {
  options.send_timeout = 1ms;
  with_runtime([](Runtime& runtime) {
    const Pid full = runtime.spawn({.mailbox = {.capacity = 1}}, [] { receive<Done>(); });
    runtime.send(full, 1);
    runtime.send(full, 2);
    EXPECT_EQ(runtime.try_send(full, 3), SendResult::full);
    runtime.run([full] {
      EXPECT_EQ(drops_of(full)[DropReason::late], 1U);
      EXPECT_EQ(drops_of(full)[DropReason::refused], 1U);
      end(full);
    });
  });
}

// A process with a soft mark, which takes so many numbers as it is told through its gate.
class SoftMarks : public support::KeptReports {
 protected:
  struct Take {
    int count;
  };
  struct Marked {
    Pid pid;
    Alias gate;

    void send_to(int count) const {
      for (int i = 0; i < count; ++i) send(pid, i);
    }
    void take(int count) const {
      send(gate, Take{count});
      receive<Done>();
    }
  };

  static Marked spawn_marked(const MailboxOptions& options) {
    const Pid pid = spawn({.mailbox = options}, [me = self()] {
      send(me, alias());
      for (;;) {
        for (int left = receive<Take>().count; left > 0; --left) receive<int>();
        send(me, Done());
      }
    });
    return {pid, receive<Alias>()};
  }

  std::size_t times_told() { return reports_of("overload").size(); }
};
RT_WITH_SCHEDULERS(SoftMarks);

TEST_P(SoftMarks, are_told_of_once_until_half_is_left) {
  run([this] {
    const Marked marked = spawn_marked({.soft_mark = 4});
    marked.send_to(3);
    EXPECT_EQ(times_told(), 0U);
    EXPECT_FALSE(process_info(marked.pid)->is_overloaded);
    marked.send_to(1);
    EXPECT_EQ(times_told(), 1U);
    marked.send_to(10);
    EXPECT_TRUE(process_info(marked.pid)->is_overloaded);
    marked.take(11);  // three are left, more than half
    marked.send_to(5);
    EXPECT_EQ(times_told(), 1U);
    marked.take(6);  // half
    EXPECT_FALSE(process_info(marked.pid)->is_overloaded);
    marked.send_to(2);
    EXPECT_EQ(times_told(), 2U);
    end(marked.pid);
  });
}

TEST_P(SoftMarks, say_whose_mailbox_it_is_how_full_and_by_whom) {
  std::string pid;
  std::string sender;
  run([&] {
    const Marked marked = spawn_marked({.soft_mark = 2});
    marked.send_to(2);
    pid = marked.pid.to_string();
    sender = self().to_string();
    end(marked.pid);
  });
  ASSERT_EQ(times_told(), 1U);
  const Report report = reports_of("overload")[0];
  EXPECT_EQ(report.severity(), Severity::warning);
  EXPECT_EQ(support::field(report, "pid"), pid);
  EXPECT_EQ(support::field(report, "from"), sender);
  EXPECT_EQ(support::field<std::uint64_t>(report, "messages"), 2U);
  EXPECT_GE(support::field<std::uint64_t>(report, "bytes"), 2 * sizeof(int));
}

TEST_P(SoftMarks, may_be_of_bytes_and_stand_below_a_bound) {
  run([this] {
    const Marked marked =
        spawn_marked({.capacity = 5, .overflow = Overflow::reject, .soft_mark_bytes = 4096});
    for (int i = 0; i < 3; ++i) send(marked.pid, Kilobyte());
    EXPECT_EQ(times_told(), 0U);
    send(marked.pid, Kilobyte());
    EXPECT_EQ(times_told(), 1U);
    send(marked.pid, Kilobyte());
    EXPECT_EQ(try_send(marked.pid, Kilobyte()), SendResult::full);
    EXPECT_EQ(times_told(), 1U);
    end(marked.pid);
  });
}

// Of those who stood in line the first lets the mark be reached, not the one that was full before.
TEST_P(SoftMarks, are_told_of_by_who_stood_in_line) {
  run([this] {
    const Marked marked = spawn_marked({.capacity = 1, .soft_mark_bytes = 1024});
    marked.send_to(1);
    const Pid sender = spawn([to = marked.pid] { send(to, Kilobyte()); });
    until_in_line(sender, marked.pid);
    EXPECT_EQ(times_told(), 0U);
    const MonitorRef ref = monitor(sender);
    marked.take(1);
    receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
    EXPECT_EQ(times_told(), 1U);
    end(marked.pid);
  });
}

}  // namespace
}  // namespace airssys::rt::bounds_test
