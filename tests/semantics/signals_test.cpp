// signals_test.cpp: what holds of all signals (S): their order, and that they need no receive.
//
// Order is looked at from the sender's side by questions, which stand behind all that the asker
// has sent, and from the receiver's by numbers. Senders are moved about, crowd, and are ended.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::signals_test {
namespace {

using namespace std::chrono_literals;

class SignalRules : public QuietRules {};
RT_WITH_SCHEDULERS(SignalRules);

struct Numbered {
  std::size_t sender;
  int number;
};

// A process that is never in a receive, but for the moment of Go; it keeps its scheduler busy.
Spawned spawn_busy() {
  return spawn_monitor([] {
    while (!receive<Go>(0ms)) reductions(1);
  });
}

// Each step is seen by the question behind it, whatever the other does meanwhile.
// S1, P13
TEST_P(SignalRules, a_question_sees_every_kind_of_signal_sent_before_it) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned other = i % 2 ? spawn_busy() : spawn_target();
      const auto info = [pid = other.pid] { return process_info(pid).value(); };
      send(other.pid, 1);
      EXPECT_EQ(info().message_queue_len, 1U);
      link(other.pid);
      EXPECT_EQ(info().links, std::vector{self()});
      send(other.pid, 2);
      unlink(other.pid);
      EXPECT_TRUE(info().links.empty());
      const MonitorRef second = monitor(other.pid);
      EXPECT_EQ(info().monitored_by.size(), 2U);
      demonitor(second);
      EXPECT_EQ(info().monitored_by.size(), 1U);
      EXPECT_EQ(info().message_queue_len, 2U);
      send_exit(other.pid, ExitReason::of(1));
      EXPECT_FALSE(process_info(other.pid));
      EXPECT_EQ(reason_of(other), ExitReason::of(1));
    }
  });
}

// An exit of each stands between its messages, and they are moved between schedulers all the time.
// S1, S10
TEST_P(SignalRules, messages_and_exits_of_one_sender_come_in_the_order_sent) {
  run([] {
    trap_exit(true);
    constexpr int senders = 6;
    const int count = static_cast<int>(round_count());
    struct Nth {
      Pid from;
      int number;
    };
    std::vector<std::pair<Pid, int>> next;
    for (int s = 0; s < senders; ++s) {
      next.emplace_back(spawn([count, tester = self()] {
                          for (int n = 0; n < count; n += 2) {
                            send(tester, Nth{self(), n});
                            if (n % 3 == 0) yield();
                            send_exit(tester, ExitReason::of(n + 1));
                          }
                        }),
                        0);
    }
    const auto expect_next = [&next](Pid from, int number) {
      for (auto& [pid, expected] : next) {
        if (pid == from) {
          EXPECT_EQ(number, expected++);
        }
      }
    };
    for (int i = 0; i < senders * (count + count % 2); ++i) {
      receive([&](Nth message) { expect_next(message.from, message.number); },
              [&](Exit& exit) { expect_next(exit.from, *exit.reason.value<int>()); });
    }
  });
}

// S2
TEST_P(SignalRules, pid_name_and_alias_are_one_way) {
  run([] {
    register_name("one way", self());
    const Alias address = alias();
    const int count = static_cast<int>(round_count());
    const Spawned sender = spawn_monitor([pid = self(), address, count] {
      for (int i = 0; i < count; ++i) {
        switch (i % 7 % 3) {
          case 0:
            send(pid, i);
            break;
          case 1:
            send("one way", i);
            break;
          default:
            send(address, i);
        }
        if (i % 11 == 0) yield();
      }
    });
    for (int i = 0; i < count; ++i) ASSERT_EQ(receive<int>(), i);
    reason_of(sender);
    unregister_name("one way");
  });
}

// S5
TEST_P(SignalRules, a_send_to_the_dead_returns_and_only_an_unknown_name_is_an_error) {
  run([] {
    for (const Pid nobody : {spawn_dead(), Pid()}) {
      auto message = std::make_shared<int>(1);
      send(nobody, message);
      EXPECT_EQ(message.use_count(), 1);
      EXPECT_EQ(try_send(nobody, message), SendResult::no_process);
      EXPECT_EQ(message.use_count(), 1);
    }
    EXPECT_THROW(send("nobody has this name", 1), NameError);
    const Spawned holder = spawn_target({.name = "released"});
    end(holder);
    EXPECT_THROW(send("released", 1), NameError);
  });
}

// With one scheduler the receiver cannot even run before all is sent.
// S5
TEST_P(SignalRules, a_send_never_waits_for_its_receiver) {
  run([] {
    set_priority(Priority::high);
    const int count = 20'000;
    std::atomic<bool> may_go_on = false;
    const Spawned receiver = spawn_monitor({.priority = Priority::low}, [&, tester = self()] {
      while (!may_go_on) reductions(1);
      int expected = 0;
      while (const auto number = receive<int>(0ms)) EXPECT_EQ(*number, expected++);
      send(tester, expected);
    });
    for (int i = 0; i < count; ++i) send(receiver.pid, i);
    may_go_on = true;
    EXPECT_EQ(receive<int>(), count);
    reason_of(receiver);
  });
}

// Its last message was sent in its last moment, and it may have been ended from outside in any.
// S6
TEST_P(SignalRules, nothing_comes_behind_the_news_of_an_end) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned sender = spawn_monitor({.link = true}, [tester = self(), i] {
        for (int n = 0; i % 3 == 0 || n < 5; ++n) send(tester, n);
        if (i % 3 == 1) exit(ExitReason::of(1));
      });
      for (std::size_t n = 0; n < i % 5; ++n) yield();
      stagger(i);
      if (i % 3 == 0) send_exit(sender.pid, ExitReason::kill());
      int expected = 0;
      for (bool is_over = false; !is_over;)
        receive([&](int number) { EXPECT_EQ(number, expected++); }, [&](Exit&) { is_over = true; });
      if (i % 3 != 0) {
        EXPECT_EQ(expected, 5);
      }
      reason_of(sender);
      EXPECT_FALSE(receive<Message>(0ms));
    }
  });
}

// S7
TEST_P(SignalRules, what_a_process_did_not_get_to_act_on_is_lost_or_answered_as_by_the_dead) {
  run([] {
    std::atomic<int> received = 0;
    for (const std::size_t i : rounds()) {
      const Spawned other = spawn_monitor([&received] {
        receive<std::shared_ptr<int>>();
        ++received;
      });
      if (i % 2) yield();
      stagger(i);
      auto message = std::make_shared<int>(1);
      send_exit(other.pid, ExitReason::of(1));
      send(other.pid, message);
      const MonitorRef late = monitor(other.pid);
      EXPECT_FALSE(process_info(other.pid));
      EXPECT_EQ(reason_in_down(late), ExitReason::noproc());
      EXPECT_EQ(reason_of(other), ExitReason::of(1));
      EXPECT_EQ(message.use_count(), 1);
    }
    EXPECT_EQ(received, 0);
  });
}

// S8
TEST_P(SignalRules, who_does_not_receive_acts_on_signals_all_the_same) {
  run([] {
    const auto check = [](const Spawned& other) {
      link(other.pid);
      EXPECT_EQ(process_info(other.pid)->links, std::vector{self()});
      unlink(other.pid);
      EXPECT_TRUE(process_info(other.pid)->links.empty());
      const MonitorRef ref = monitor(other.pid);
      EXPECT_TRUE(is_alive(other.pid));
      send_exit(other.pid, ExitReason::normal());
      EXPECT_TRUE(is_alive(other.pid));
      send_exit(other.pid, ExitReason::of(1));
      EXPECT_FALSE(is_alive(other.pid));
      EXPECT_EQ(reason_of(other), ExitReason::of(1));
      EXPECT_EQ(reason_in_down(ref), ExitReason::of(1));
    };
    check(spawn_busy());
    check(spawn_monitor([] { sleep(1h); }));
    check(spawn_monitor([] {
      for (;;) yield();
    }));
    // Waits for mail of another type than any that comes.
    check(spawn_target());
    // A job of its own thread, which ends when its process has.
    check(spawn_monitor([] {
      blocking([] {
        while (!blocking_is_cancelled()) std::this_thread::yield();
      });
    }));
  });
}

// The exit falls anywhere among the numbers, and the receiver is anywhere in its work.
// S9
TEST_P(SignalRules, what_stands_behind_a_terminating_exit_is_never_received) {
  run([] {
    for (const std::size_t i : rounds()) {
      std::atomic<int> last = 0;
      const int before = static_cast<int>(i % 20);
      const Spawned receiver = spawn_monitor([&last] {
        for (;;) last = receive<int>();
      });
      for (int n = 1; n <= before; ++n) send(receiver.pid, n);
      send_exit(receiver.pid, ExitReason::of(1));
      for (int n = before + 1; n <= before + 20; ++n) send(receiver.pid, n);
      EXPECT_EQ(reason_of(receiver), ExitReason::of(1));
      EXPECT_LE(last, before);
    }
  });
}

// S9
TEST_P(SignalRules, an_exit_does_not_overtake_a_monitor) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Pid other = spawn([] { receive<Go>(); });
      if (i % 2) yield();
      stagger(i);
      const MonitorRef before = monitor(other);
      send_exit(other, ExitReason::kill());
      const MonitorRef behind = monitor(other);
      EXPECT_EQ(reason_in_down(before), ExitReason::killed());
      EXPECT_EQ(reason_in_down(behind), ExitReason::noproc());
    }
  });
}

// S11
TEST_P(SignalRules, each_signal_costs_its_receiver_a_reduction) {
  run([] {
    constexpr int count = 500;
    const auto used = [] { return process_info(self())->reductions; };
    const std::uint64_t before_idle = used();
    const std::uint64_t of_asking = used() - before_idle;
    const std::uint64_t before = used();
    // They leave nothing behind: no mail is looked at, the signals themselves are what costs.
    const Spawned other = spawn_monitor([tester = self()] {
      for (int i = 0; i < count; ++i) {
        link(tester);
        unlink(tester);
      }
    });
    reason_of(other);
    EXPECT_GE(used() - before, 2U * count);
    EXPECT_LT(of_asking, 100U);
  });
}

// The down of each is the last that is seen of it, however many crowd at the one inbox.
// S13, S6
TEST_P(SignalRules, in_a_crowd_of_senders_the_order_of_each_is_kept) {
  run([] {
    constexpr std::size_t senders = 300;
    const int count = static_cast<int>(stress_size(40));
    std::vector<MonitorRef> refs;
    for (std::size_t s = 0; s < senders; ++s) {
      const Spawned sender = spawn_monitor([s, count, tester = self()] {
        receive<Go>();
        for (int n = 0; n < count; ++n) {
          send(tester, Numbered{s, n});
          if ((static_cast<std::size_t>(n) + s) % 5 == 0) yield();
        }
      });
      refs.push_back(sender.ref);
      send(sender.pid, Go());
    }
    std::vector<int> next(senders, 0);
    for (std::size_t over = 0; over < senders;) {
      receive([&](Numbered got) { ASSERT_EQ(got.number, next[got.sender]++); },
              [&](Down& down) {
                const auto sender = static_cast<std::size_t>(
                    std::find(refs.begin(), refs.end(), down.ref) - refs.begin());
                EXPECT_EQ(next[sender], count);
                ++over;
              });
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::signals_test
