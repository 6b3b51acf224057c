// processes_test.cpp: how processes begin and end, and what is known of them meanwhile (P).
//
// What races is run for many rounds. That something does not wait is shown with one scheduler: the
// other had no chance to run.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::processes_test {
namespace {

using namespace std::chrono_literals;

class ProcessRules : public QuietRules {};
RT_WITH_SCHEDULERS(ProcessRules);

bool contains(const std::vector<Pid>& pids, Pid pid) {
  return std::ranges::find(pids, pid) != pids.end();
}

// P1
TEST_P(ProcessRules, a_spawn_answers_before_the_body_runs_and_whatever_it_does) {
  run([] {
    set_priority(Priority::high);
    std::atomic<bool> has_begun = false;
    const Spawned process =
        spawn_monitor({.priority = Priority::low}, [&has_begun] { has_begun = true; });
    if (GetParam() == 1) {
      EXPECT_FALSE(has_begun);
    }
    EXPECT_EQ(reason_of(process), ExitReason::normal());
    EXPECT_TRUE(has_begun);
    EXPECT_EQ(reason_of(spawn_monitor([] { throw std::runtime_error("at once"); })).what(),
              "at once");
    EXPECT_EQ(reason_of(spawn_monitor([] { exit(ExitReason::kill()); })), ExitReason::kill());
  });
}

// P2
TEST_P(ProcessRules, a_relation_of_the_spawn_is_there_from_birth) {
  run([] {
    for (const std::size_t i : rounds()) {
      // A parent that does not trap dies of its child's real reason, however soon it comes.
      const Spawned parent = spawn_monitor([i] {
        if (i % 2) {
          spawn_link([] { exit(ExitReason::of(1)); });
        } else {
          spawn_monitor({.link = true}, [] { exit(ExitReason::of(1)); });
        }
        receive<Go>();
      });
      EXPECT_EQ(reason_of(parent), ExitReason::of(1));
    }
    const Spawned child = spawn_target({.link = true});
    EXPECT_EQ(process_info(self())->links, std::vector{child.pid});
    EXPECT_EQ(process_info(self())->monitors, std::vector{child.pid});
    EXPECT_EQ(process_info(child.pid)->links, std::vector{self()});
    EXPECT_EQ(process_info(child.pid)->monitored_by, std::vector{self()});
    end(child);
  });
}

struct Tag {
  int number;
};

// P3, A3
TEST_P(ProcessRules, the_monitor_of_a_spawn_may_be_an_alias) {
  run([] {
    const Spawned child =
        spawn_monitor({.monitor = {.alias = AliasMode::reply_demonitor}}, [parent = self()] {
          send(receive<Alias>(), 7);
          receive<Message>();
        });
    send(child.pid, Alias(child.ref));
    EXPECT_EQ(receive<int>(), 7);
    EXPECT_FALSE(demonitor(child.ref));  // the reply has ended it
    send_exit(child.pid, ExitReason::kill());
    EXPECT_FALSE(is_alive(child.pid));
    EXPECT_FALSE(receive<Message>(Duration::zero()));
  });
}

// P3, M12, S12
TEST_P(ProcessRules, the_monitor_of_a_spawn_may_have_a_tag_and_priority) {
  run([] {
    for (int i = 0; i < 3; ++i) send(self(), i);
    const SpawnOptions ahead = {.monitor = {.priority = true}};
    const Spawned child = spawn_monitor_tagged(ahead, Tag{5}, [] { receive<int>(); });
    const Spawned plain = spawn_monitor(ahead, [] { receive<int>(); });
    send(child.pid, 0);
    const auto down = receive([](TaggedDown<Tag>& end) { return std::move(end); });
    EXPECT_EQ(down.tag.number, 5);
    EXPECT_EQ(down.ref, child.ref);
    EXPECT_EQ(down.reason, ExitReason::normal());
    const MonitorRef behind = monitor(plain.pid);
    send(plain.pid, 0);
    receive(when([&](Down& end) { return end.ref == behind; }, [](Down&) {}));
    EXPECT_TRUE(
        receive([](int) { return false; }, [&](Down& end) { return end.ref == plain.ref; }));
  });
}

// P3
TEST_P(ProcessRules, a_name_is_given_before_spawn_returns_or_nothing_is_spawned) {
  run([] {
    const Spawned holder = spawn_target({.name = "taken"});
    EXPECT_EQ(whereis("taken"), holder.pid);
    const std::size_t before = processes().size();
    bool has_run = false;
    const auto runs = [&has_run] { has_run = true; };
    EXPECT_THROW(spawn({.name = "taken"}, runs), NameError);
    EXPECT_FALSE(try_spawn({.name = "taken"}, runs));
    const auto refused = try_spawn_monitor({.name = "taken"}, runs);
    EXPECT_EQ(refused.error().kind(), SpawnError::name_taken);
    EXPECT_EQ(refused.error().holder(), holder.pid);
    EXPECT_EQ(refused.error().reason().type(), "airssys::rt::NameError");
    EXPECT_NE(std::string(refused.error().what()).find("taken"), std::string::npos);
    EXPECT_EQ(processes().size(), before);
    end(holder);
    EXPECT_FALSE(has_run);
    const Spawned monitored = try_spawn_monitor({.name = "taken"}, runs).value();
    EXPECT_EQ(reason_of(monitored), ExitReason::normal());
    EXPECT_TRUE(has_run);
    const Pid linked = try_spawn({.link = true}, [] { receive<Go>(); }).value();
    EXPECT_EQ(process_info(self())->links, std::vector{linked});
    unlink(linked);
    send(linked, Go());
  });
}

// P4
TEST_P(ProcessRules, however_many_ways_there_were_a_process_ends_once_and_of_one_reason) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_monitor([] {
        receive<Go>(0ms);
        throw 1;
      });
      const Pid sender = spawn([pid = target.pid] { send_exit(pid, ExitReason::of(1)); });
      const MonitorRef second = monitor(target.pid);
      if (i % 2) yield();
      stagger(i);
      send_exit(target.pid, ExitReason::of(2));
      const ExitReason reason = reason_of(target);
      const ExitReason of_second = reason_in_down(second);
      // The second monitor may have come too late.
      EXPECT_TRUE(of_second == reason || of_second == ExitReason::noproc());
      EXPECT_TRUE(reason == ExitReason::of(1) || reason == ExitReason::of(2) ||
                  reason.kind() == ExitReason::Kind::error)
          << reason.to_string();
      EXPECT_FALSE(receive<Down>(0ms));
      static_cast<void>(sender);
    }
  });
}

// P5
TEST_P(ProcessRules, a_reason_of_any_size_comes_unchanged_to_everybody) {
  run([] {
    trap_exit(true);
    const std::vector<std::string> words(10'000, "a word that is too long for the string itself");
    const ExitReason reason = ExitReason::of(words);
    const Spawned process = spawn_monitor({.link = true}, [reason] {
      receive<Go>();
      exit(reason);
    });
    const MonitorRef second = monitor(process.pid);
    send(process.pid, Go());
    EXPECT_EQ(*receive<Exit>().reason.value<std::vector<std::string>>(), words);
    EXPECT_EQ(reason_of(process), reason);
    EXPECT_EQ(*reason_in_down(second).value<std::vector<std::string>>(), words);
  });
}

// P6
TEST_P(ProcessRules, who_hears_of_an_end_finds_everything_released) {
  run([] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      auto owned = std::make_shared<int>(1);
      const Spawned process = spawn_monitor({.name = "ends", .link = true}, [copy = owned, i] {
        const auto on_stack = copy;
        receive<Go>();
        if (i % 3 == 0) exit(ExitReason::of(1));
      });
      const TimerRef timer = send_after(1h, process.pid, owned);
      EXPECT_TRUE(read_timer(timer));
      if (i % 3 == 1) {
        send_exit(process.pid, ExitReason::kill());
      } else {
        send(process.pid, Go());
      }
      if (i % 2) {
        receive<Exit>();
      } else {
        reason_of(process);
      }
      EXPECT_FALSE(whereis("ends"));
      EXPECT_FALSE(read_timer(timer));
      EXPECT_FALSE(is_alive(process.pid));
      if (i % 2) {
        reason_of(process);
      } else {
        receive<Exit>();
      }
    }
  });
}

// P7
TEST_P(ProcessRules, unread_mail_of_the_dead_vanishes_and_nobody_is_told) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      auto mail = std::make_shared<int>(1);
      const Spawned process = spawn_target();
      for (int n = 0; n < 10; ++n) send(process.pid, mail);
      end(process);
      send(process.pid, mail);
      EXPECT_EQ(mail.use_count(), 1);
      EXPECT_FALSE(receive<Message>(0ms));
    }
  });
}

// P9
TEST_P(ProcessRules, after_a_kill_nobody_finds_it_alive_whatever_it_does) {
  run([] {
    const std::vector<std::function<void()>> works = {
        [] { receive<Go>(); },
        [] { sleep(1h); },
        [] {
          for (;;) reductions(1);
        },
        [] {
          for (;;) yield();
        },
        [] {
          for (;;) reason_of(spawn_monitor([] {}));
        },
    };
    for (const std::size_t i : rounds()) {
      const Pid process = spawn({.name = "killed"}, works[i % works.size()]);
      if (i % 3) yield();
      stagger(i);
      EXPECT_TRUE(is_alive(process));
      send_exit(process, ExitReason::kill());
      EXPECT_FALSE(is_alive(process));
      EXPECT_FALSE(whereis("killed"));
      EXPECT_FALSE(process_info(process));
    }
  });
}

// P10
TEST_P(ProcessRules, a_pid_of_the_dead_reaches_nobody_when_many_have_come_since) {
  run([] {
    const Pid dead = spawn_dead();
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned next = spawn_monitor([] { receive<Go>(); });
      EXPECT_NE(next.pid, dead);
      send_exit(dead, ExitReason::kill());
      send(dead, Go());
      EXPECT_FALSE(is_alive(dead));
      EXPECT_EQ(end(next), ExitReason::normal());
    }
  });
}

// P11
TEST_P(ProcessRules, a_plain_thread_sends_in_its_order_and_has_no_mailbox) {
  with_runtime([](Runtime& runtime) {
    constexpr int count = 2000;
    std::atomic<bool> is_over = false;
    const Pid process = runtime.spawn({.name = "from outside"}, [&is_over] {
      EXPECT_FALSE(parent());
      for (int i = 0; i < count; ++i) EXPECT_EQ(receive<int>(), i);
      trap_exit(true);
      is_over = true;
      EXPECT_EQ(receive<Exit>().reason, ExitReason::of(1));
    });
    for (int i = 0; i < count; ++i) {
      if (i % 2) {
        runtime.send(process, i);
      } else {
        runtime.send("from outside", i);
      }
    }
    while (!is_over) std::this_thread::yield();
    runtime.send_exit(process, ExitReason::of(1));
    EXPECT_THROW(self(), BadArgument);
    EXPECT_THROW(receive<int>(), BadArgument);
    EXPECT_THROW(receive<int>(0ms), BadArgument);
    EXPECT_THROW(link(process), BadArgument);
    EXPECT_THROW(monitor(process), BadArgument);
    EXPECT_THROW(alias(), BadArgument);
    EXPECT_THROW(trap_exit(true), BadArgument);
    EXPECT_THROW(process_info(process), BadArgument);
    EXPECT_THROW(is_alive(process), BadArgument);
  });
}

// P13
TEST_P(ProcessRules, what_is_asked_of_oneself_is_answered_at_once_and_of_the_dead_not_at_all) {
  run([] {
    EXPECT_FALSE(process_info(spawn_dead()));
    const Spawned sender = spawn_monitor([tester = self()] {
      for (int i = 0; i < 10; ++i) send(tester, i);
    });
    reason_of(sender);
    EXPECT_EQ(process_info(self())->message_queue_len, 10U);
    trap_exit(true);
    set_priority(Priority::high);
    register_name("asked", self());
    const ProcessInfo info = process_info(self()).value();
    EXPECT_TRUE(info.traps_exits);
    EXPECT_EQ(info.priority, Priority::high);
    EXPECT_EQ(info.name, "asked");
    EXPECT_EQ(info.state, ProcessState::running);
    unregister_name("asked");
  });
}

// P17
TEST_P(ProcessRules, a_yield_charges_400_and_lets_the_ready_run_first) {
  run([] {
    const auto used = [] { return process_info(self())->reductions; };
    const std::uint64_t before = used();
    for (int i = 0; i < 10; ++i) yield();
    const std::uint64_t charged = used() - before;
    EXPECT_GE(charged, 4000U);
    EXPECT_LT(charged, 4400U);

    std::atomic<int> ran = 0;
    for (int i = 0; i < 20; ++i) spawn([&ran] { ++ran; });
    yield();
    if (GetParam() == 1) {
      EXPECT_EQ(ran, 20);
    }
    while (ran != 20) yield();
  });
}

// P17
TEST_P(ProcessRules, timers_fire_beside_processes_that_only_yield) {
  run([] {
    for (int round = 0; round < 20; ++round) {
      std::atomic<bool> has_fired = false;
      const Spawned waiting = spawn_monitor([&has_fired] {
        sleep(200us);
        has_fired = true;
      });
      while (!has_fired) yield();
      reason_of(waiting);
    }
  });
}

// Others come and go while the list is made.
// P19
TEST_P(ProcessRules, a_list_has_all_that_live_and_none_that_is_known_to_be_dead) {
  run([] {
    std::vector<Spawned> living;
    for (int i = 0; i < 50; ++i) living.push_back(spawn_target());
    std::atomic<bool> is_over = false;
    const Spawned churn = spawn_monitor([&is_over] {
      while (!is_over) reason_of(spawn_monitor([] {}));
    });
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned killed = spawn_target();
      send_exit(killed.pid, ExitReason::kill());
      EXPECT_FALSE(is_alive(killed.pid));
      const std::vector<Pid> all = processes();
      EXPECT_FALSE(contains(all, killed.pid));
      EXPECT_TRUE(contains(all, self()));
      for (const Spawned& process : living) EXPECT_TRUE(contains(all, process.pid));
      reason_of(killed);
      yield();
    }
    is_over = true;
    reason_of(churn);
    for (const Spawned& process : living) end(process);
  });
}

// P20
TEST_P(ProcessRules, a_parent_is_who_spawned_also_when_it_is_gone) {
  run([] {
    EXPECT_FALSE(parent());
    const Spawned first = spawn_monitor([tester = self()] {
      send(tester, spawn([tester] {
             receive<Go>();
             send(tester, parent());
           }));
    });
    const Pid child = receive<Pid>();
    reason_of(first);
    EXPECT_EQ(process_info(child)->parent, first.pid);
    send(child, Go());
    EXPECT_EQ(receive<Pid>(), first.pid);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::processes_test
