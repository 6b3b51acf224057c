// priority_test.cpp: mail that goes ahead of ordinary mail (S12), by aliases, links and monitors.
//
// Order is told by numbers in one mailbox. What a receive looks at is counted by its predicate, so
// that a message it has left behind and sees again, or never sees, shows.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::priority_test {
namespace {

using namespace std::chrono_literals;

class PriorityRules : public QuietRules {};
RT_WITH_SCHEDULERS(PriorityRules);

constexpr SendOptions first = {.priority = true};

// All the ints that are in the mailbox, in order.
std::vector<int> mail() {
  std::vector<int> all;
  while (const auto number = receive<int>(0ms)) all.push_back(*number);
  return all;
}

// What the oldest message is.
std::string next_type() {
  return receive([](const Exit&) { return std::string("exit"); },
                 [](const Down&) { return std::string("down"); },
                 [](int number) { return std::to_string(number); });
}

// S12
TEST_P(PriorityRules, what_is_sent_with_priority_goes_ahead_in_the_order_sent) {
  run([] {
    const Alias address = alias({.priority = true});
    for (int i = 0; i < 3; ++i) send(self(), i);
    send(address, 10, first);
    send(address, 3);  // the same address serves ordinary mail
    send(address, 11, first);
    send(self(), 4);
    send(address, 12, first);
    EXPECT_EQ(mail(), (std::vector{10, 11, 12, 0, 1, 2, 3, 4}));
    // What has gone ahead is taken, what has not is left: the next one still comes first.
    for (int i = 0; i < 3; ++i) send(self(), i);
    send(address, 10, first);
    send(address, 11, first);
    EXPECT_EQ(receive<int>(), 10);
    send(address, 12, first);
    EXPECT_EQ(mail(), (std::vector{11, 12, 0, 1, 2}));
  });
}

// S12
TEST_P(PriorityRules, who_has_not_opted_in_gets_ordinary_mail) {
  run([] {
    const Alias plain = alias();
    const MonitorRef monitor_of_priority =
        monitor(self(), {.alias = AliasMode::explicit_unalias, .priority = true});
    static_cast<void>(monitor_of_priority);
    send(self(), 0);
    send(self(), 1, first);
    send(plain, 2, first);
    EXPECT_EQ(mail(), (std::vector{0, 1, 2}));
    // To have opted in changes nothing for the other addresses.
    const Alias address = alias({.priority = true});
    send(self(), 0);
    send(self(), 1, first);
    send(plain, 2, first);
    send(address, 3, first);
    EXPECT_EQ(mail(), (std::vector{3, 0, 1, 2}));
  });
}

// S12, M13
TEST_P(PriorityRules, the_alias_of_a_priority_monitor_serves_ordinary_mail) {
  run([] {
    const Spawned target = spawn_target();
    const MonitorRef both =
        monitor(target.pid, {.alias = AliasMode::explicit_unalias, .priority = true});
    send(self(), 0);
    send(both, 1, first);
    EXPECT_EQ(mail(), (std::vector{0, 1}));
    end(target);
  });
}

// S12, M13
TEST_P(PriorityRules, the_down_of_a_priority_monitor_goes_ahead) {
  run([] {
    for (const bool is_dead : {false, true}) {
      const Spawned target = spawn_target();
      if (is_dead) end(target);
      const MonitorRef plain = monitor(target.pid);
      send(self(), 0);
      const MonitorRef ahead = monitor(target.pid, {.priority = true});
      const MonitorRef last = monitor(target.pid);
      if (!is_dead) end(target);
      reason_in_down(last);  // the others have come before it (P8)
      EXPECT_EQ(receive<Message>().take<Down>().ref, ahead);
      EXPECT_EQ(reason_in_down(plain), is_dead ? ExitReason::noproc() : ExitReason::normal());
      EXPECT_EQ(mail(), (std::vector{0}));
    }
    const MonitorRef by_name = monitor("nobody has this name", {.priority = true});
    send(self(), 0);
    EXPECT_EQ(receive<Message>().take<Down>().ref, by_name);
    EXPECT_EQ(mail(), (std::vector{0}));
  });
}

// S12, L12
TEST_P(PriorityRules, the_exit_of_a_priority_link_goes_ahead_at_the_end_that_asked) {
  run([] {
    trap_exit(true);
    const Spawned other = spawn_trapping_target();
    send(self(), 0);
    link(other.pid, {.priority = true});
    send_exit(other.pid, ExitReason::kill());
    reason_of(other);
    EXPECT_EQ(next_type(), "exit");
    EXPECT_EQ(next_type(), "0");

    // The other end has not asked.
    const Spawned ends = spawn_monitor([tester = self()] {
      trap_exit(true);
      link(tester, {.priority = true});
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    send(self(), 0);
    end(ends);
    EXPECT_EQ(next_type(), "0");
    EXPECT_EQ(next_type(), "exit");

    send(self(), 0);
    link(ends.pid, {.priority = true});  // it is dead
    EXPECT_EQ(next_type(), "exit");
    EXPECT_EQ(next_type(), "0");
  });
}

// It is a new link, and this end has not asked for that one.
// L7, L8, L12
TEST_P(PriorityRules, a_link_that_the_other_end_has_ended_and_made_again_is_ordinary) {
  run([] {
    trap_exit(true);
    const Spawned other = spawn_monitor([tester = self()] {
      receive<Go>();
      unlink(tester);
      link(tester);
      send(tester, Ready());
      receive<Go>();
    });
    link(other.pid, {.priority = true});
    send(other.pid, Go());
    receive<Ready>();
    send(self(), 0);
    end(other);
    EXPECT_EQ(next_type(), "0");
    EXPECT_EQ(next_type(), "exit");
  });
}

// L12
TEST_P(PriorityRules, a_link_that_is_there_takes_the_options_of_the_last_call) {
  run([] {
    trap_exit(true);
    for (const bool priority : {true, false}) {
      const Spawned other = spawn_target({.link = true});
      link(other.pid, {.priority = true});
      if (!priority) link(other.pid);
      EXPECT_EQ(process_info(self())->links, std::vector{other.pid});
      send(self(), 0);
      end(other);
      EXPECT_EQ(next_type(), priority ? "exit" : "0");
      EXPECT_EQ(next_type(), priority ? "0" : "exit");
    }
  });
}

// S12, X3
TEST_P(PriorityRules, an_exit_sent_through_an_alias_acts_as_to_its_owner) {
  run([] {
    for (const bool priority : {true, false}) {
      const Alias address = alias({.priority = priority});
      trap_exit(true);
      send(self(), 0);
      send_exit(address, ExitReason::of(1));
      send_exit(address, ExitReason::of(2), first);
      send_exit(address, ExitReason::normal(), first);
      std::vector<std::string> seen;
      for (int i = 0; i < 4; ++i) seen.push_back(next_type());
      const std::vector<std::string> ahead = {"exit", "exit", "0", "exit"};
      const std::vector<std::string> in_place = {"0", "exit", "exit", "exit"};
      EXPECT_EQ(seen, priority ? ahead : in_place);
      unalias(address);
      send_exit(address, ExitReason::kill());
      send_exit(address, ExitReason::of(3), first);
      EXPECT_FALSE(receive<Exit>(0ms));
    }
    for (const ExitReason& reason : {ExitReason::kill(), ExitReason::of(4)}) {
      const Spawned hit = spawn_monitor([tester = self()] {
        send(tester, alias({.use = AliasUse::once, .priority = true}));
        receive<Go>();
      });
      const auto address = receive<Alias>();
      send_exit(address, ExitReason::normal(), first);  // dropped, and the address is not used up
      send_exit(address, reason, first);
      EXPECT_EQ(reason_of(hit), reason == ExitReason::kill() ? ExitReason::killed() : reason);
    }
  });
}

// S12
TEST_P(PriorityRules, all_mail_is_ordinary_when_the_last_of_them_is_gone) {
  run([] {
    trap_exit(true);
    const Spawned target = spawn_target();
    const Alias many = alias({.priority = true});
    const Alias once = alias({.use = AliasUse::once, .priority = true});
    const MonitorRef watched = monitor(target.pid, {.priority = true});
    link(target.pid, {.priority = true});
    send(self(), 0);
    send(once, 10, first);
    send(once, 11, first);  // used up
    send(many, 12, first);
    EXPECT_EQ(mail(), (std::vector{10, 12, 0}));

    unalias(many);
    unlink(target.pid);
    demonitor(watched);
    send(self(), 0);
    send(many, 10, first);
    const MonitorRef plain = monitor(target.pid);
    link(target.pid);
    end(target);
    EXPECT_EQ(next_type(), "0");
    EXPECT_EQ(next_type(), "exit");
    EXPECT_EQ(receive<Message>().take<Down>().ref, plain);
    // And on again.
    send(self(), 0);
    send(alias({.priority = true}), 10, first);
    EXPECT_EQ(mail(), (std::vector{10, 0}));
  });
}

// The receive has left all of the mail behind when what it waits for is put in front of that.
// S12, R3
TEST_P(PriorityRules, a_receive_that_waits_sees_what_goes_ahead_and_nothing_twice) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Alias address = alias({.priority = true});
      constexpr int ordinary = 20;
      for (int n = 0; n < ordinary; ++n) send(self(), n);
      const Spawned sender = spawn_monitor([address, tester = self(), i] {
        for (int n = 0; n < 4; ++n) {
          if (i % 3 == 0) yield();
          send(tester, 100 + n);
          send(address, 200 + n, first);
        }
        send(address, 999, first);
      });
      std::multiset<int> seen;
      receive(
          when([&](const int& number) { return seen.insert(number), number == 999; }, [](int) {}));
      for (const int number : seen) EXPECT_EQ(seen.count(number), 1U) << number;
      EXPECT_EQ(seen.lower_bound(200), seen.find(200));
      EXPECT_EQ(std::distance(seen.lower_bound(200), seen.end()), 5);
      reason_of(sender);
      const std::vector<int> left = mail();
      ASSERT_EQ(left.size(), std::size_t{ordinary + 8});
      EXPECT_EQ(left[0], 200);
      EXPECT_EQ(left[4], 0);
      unalias(address);
    }
  });
}

// A look at very much mail gives way in the middle (R11), and what goes ahead there comes first.
// S12, R13
TEST_P(PriorityRules, a_long_look_turns_to_what_goes_ahead_meanwhile) {
  run([] {
    const Alias address = alias({.priority = true});
    constexpr int ordinary = 30'000;
    for (int n = 0; n < ordinary; ++n) send(self(), n);
    const Spawned sender = spawn_monitor({.priority = Priority::high}, [address] {
      receive<Go>();
      send(address, -1, first);
    });
    int looks = 0;
    int seen_at = 0;
    receive(when(
        [&](const int& number) {
          if (++looks == 2) send(sender.pid, Go());
          if (number < 0) seen_at = looks;
          return number == ordinary - 1;
        },
        [](int) {}));
    EXPECT_EQ(looks, ordinary + (seen_at != 0 ? 1 : 0));
    if (GetParam() == 1) {
      EXPECT_GT(seen_at, 2);
      EXPECT_LT(seen_at, ordinary / 2);
    }
    reason_of(sender);
  });
}

struct Echo : Server<Echo> {
  struct Get {
    using Reply = int;
    Alias urgent;
  };
  int handle(const Get& get) {
    for (int i = 0; i < 10; ++i) send(get.urgent, i, first);
    return 1;
  }
};

// Looking at all of the mail once for each call would be some 600 000 reductions.
// S12, R10
TEST_P(PriorityRules, a_call_in_a_full_mailbox_costs_what_it_does_in_an_empty_one) {
  run([] {
    const Alias address = alias({.priority = true});
    const ServerRef<Echo> server = start<Echo>();
    for (int n = 0; n < 20'000; ++n) send(self(), -1);
    const auto spent = [] { return process_info(self())->reductions; };
    yield();
    const std::uint64_t before = spent();
    for (int i = 0; i < 30; ++i) EXPECT_EQ(call(server, Echo::Get{address}), 1);
    yield();
    EXPECT_LT(spent() - before, 30'000U);
    EXPECT_EQ(receive<int>(), 0);
    stop(server);
  });
}

// Mail of priority goes where it is before the mark, and yet came after it.
// S12, R10
TEST_P(PriorityRules, a_receive_from_a_mark_finds_what_has_gone_ahead_since) {
  run([] {
    for (int n = 0; n < 3; ++n) send(self(), n);
    const MailMark mark;
    const Spawned gone = spawn_monitor([] {});
    const MonitorRef ahead = monitor(gone.pid, {.priority = true});
    receive(mark, when([&](Down& down) { return down.ref == gone.ref; }, [](Down&) {}));
    receive(mark, when([&](Down& down) { return down.ref == ahead; }, [](Down&) {}));
    const Alias address = alias({.priority = true});
    send(address, 10, first);
    EXPECT_EQ(receive<int>(), 10);
    for (int n = 0; n < 3; ++n) receive<int>();  // the last one is where the mark stood
    send(address, 11, first);
    send(self(), 3);
    const auto next = [&] { return receive(mark, [](int n) { return n; }); };
    EXPECT_EQ(next(), 11);
    EXPECT_EQ(next(), 3);
  });
}

// S12, G10
TEST_P(PriorityRules, a_server_handles_what_goes_ahead_before_what_waits) {
  struct Logs : Server<Logs> {
    struct Wait {};
    struct Log {
      using Reply = std::vector<int>;
    };
    explicit Logs(Pid starter) { send(starter, alias({.priority = true})); }
    void handle(Wait) { receive<Go>(); }
    std::vector<int> handle(Log) { return log; }
    void handle_info(Message& message) {
      if (message.is<int>()) log.push_back(message.take<int>());
    }
    std::vector<int> log;
  };
  run([] {
    const ServerRef<Logs> server = start<Logs>(self());
    const auto address = receive<Alias>();
    cast(server, Logs::Wait{});
    for (int i = 0; i < 3; ++i) send(server.pid(), i);
    send(address, 10, first);
    send(address, 11, first);
    send(server.pid(), Go());
    EXPECT_EQ(call(server, Logs::Log{}), (std::vector{10, 11, 0, 1, 2}));
    stop(server);
  });
}

struct Numbered {
  int sender;
  int number;
  bool is_first;
};

// S12, S13
TEST_P(PriorityRules, the_order_of_each_sender_holds_among_what_goes_ahead_and_among_the_rest) {
  run([] {
    constexpr int senders = 8;
    const int each = static_cast<int>(stress_size(300));
    const Alias address = alias({.priority = true});
    std::vector<Spawned> all;
    for (int who = 0; who < senders; ++who) {
      all.push_back(spawn_monitor([address, who, each] {
        for (int number = 0; number < each; ++number) {
          const bool is_first = number % 3 == 0;
          send(address, Numbered{who, number, is_first}, SendOptions{.priority = is_first});
          if (number % 16 == 0) yield();
        }
      }));
    }
    int last[senders][2];
    for (auto& of_sender : last) of_sender[0] = of_sender[1] = -1;
    int come = 0;
    for (; come < senders * each / 2; ++come) {
      const auto [who, number, is_first] = receive<Numbered>();
      EXPECT_LT(std::exchange(last[who][is_first], number), number);
    }
    for (const Spawned& sender : all) reason_of(sender);
    // All is there now: what has gone ahead comes before the first ordinary one.
    bool was_first = true;
    for (; come < senders * each; ++come) {
      const auto [who, number, is_first] = receive<Numbered>();
      EXPECT_LT(std::exchange(last[who][is_first], number), number);
      EXPECT_TRUE(was_first || !is_first);
      was_first = is_first;
    }
    EXPECT_FALSE(receive<Numbered>(0ms));
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::priority_test
