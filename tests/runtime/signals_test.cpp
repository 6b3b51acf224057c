// signals_test.cpp: what signals do when they are acted on: order, exits, kills (S, X, Z11).
//
// The table of X3 is played row by row; races are run for many rounds, and only what must hold in
// each of them is asked for.
#include "runtime/signals.hpp"

#include <unistd.h>

#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/call.hpp"
#include "runtime/system.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::signals_test {

using support::reason_of;

namespace {

using namespace std::chrono_literals;
using support::rounds;
using support::stress_size;

class Signals : public support::InRuntime {};
RT_WITH_SCHEDULERS(Signals);

struct Ready {};
struct Go {};

enum class Traps : bool { no, yes };

// A process that waits for Go, and says when it is ready to be shot at.
Spawned target(Traps traps) {
  const Spawned spawned = spawn_monitor([traps, tester = self()] {
    if (traps == Traps::yes) trap_exit(true);
    send(tester, Ready());
    receive([](Go) {}, [tester](Exit exit) { send(tester, std::move(exit)); });
  });
  receive<Ready>();
  return spawned;
}

// S11
TEST_P(Signals, mere_messages_do_not_press_who_has_mail_and_anything_else_does) {
  run([] {
    const runtime::Process& me = runtime::current_process();
    const auto is_taken_in_by_a_verb = [&me] {
      trap_exit(false);
      return me.inbox.looks_empty();
    };
    send(self(), 1);
    EXPECT_FALSE(is_taken_in_by_a_verb());
    {
      const runtime::Call call(runtime::Call::Kind::plain);
      runtime::send_signal(
          call.system(),
          self(),
          runtime::make_signal(mailbox::SignalKind::demonitor, self(), me.refs_given + 1));
    }
    EXPECT_TRUE(is_taken_in_by_a_verb());
    EXPECT_FALSE(me.urgency.is_raised());
    send(self(), 2);
    EXPECT_FALSE(is_taken_in_by_a_verb());
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_FALSE(me.inbox.looks_empty()) << "there was mail";
    EXPECT_EQ(receive<int>(), 2);
    EXPECT_TRUE(me.inbox.looks_empty());
  });
}

// Asked by a signal, it would look anew.
runtime::Behind what_is_behind(Pid pid) {
  const runtime::Call call;
  return call.system().find(pid)->behind.load();
}
bool rests(Pid pid) {
  const runtime::Call call;
  return call.system().find(pid)->wait_reason.load() == runtime::WaitReason::receive;
}

// Says at its first message what it is behind with.
class Worker : public Behaviour {
 public:
  explicit Worker(Pid tester) : tester_(tester) {}
  void message(Message& message) override {
    message.take<int>();
    if (++seen_ == 1) send(tester_, runtime::current_process().behind.load());
  }

 private:
  Pid tester_;
  int seen_ = 0;
};

// S11
TEST_P(Signals, a_server_is_behind_with_much_mail_until_it_rests) {
  run([] {
    const Pid server = spawn_behaviour(std::make_unique<Worker>(self()));
    suspend(server);
    for (int n = 0; n < 10'000; ++n) send(server, n);
    EXPECT_EQ(what_is_behind(server), runtime::Behind::with_nothing) << "it is suspended";
    resume(server);
    EXPECT_EQ(receive<runtime::Behind>(), runtime::Behind::with_mail);
    while (!rests(server)) yield();
    EXPECT_EQ(what_is_behind(server), runtime::Behind::with_nothing);
    send_exit(server, ExitReason::kill());
  });
}

// S11, S12
TEST_P(Signals, a_down_presses_as_little_as_a_message_unless_its_monitor_is_of_priority) {
  run([] {
    const runtime::Process& me = runtime::current_process();
    for (const bool priority : {false, true}) {
      const MonitorOptions watch{.priority = priority};
      const Pid watched_from_birth = spawn_monitor({.monitor = watch}, [] { receive<Go>(); }).pid;
      const Pid watched_later = spawn([] { receive<Go>(); });
      monitor(watched_later, watch);
      for (const Pid pid : {watched_from_birth, watched_later}) {
        send(pid, Go());
        while (runtime::current_system().table.find(pid)) std::this_thread::yield();
        EXPECT_FALSE(me.inbox.looks_empty());
        EXPECT_EQ(me.urgency.is_raised(), priority);
        EXPECT_EQ(receive<Down>().pid, pid);
      }
    }
  });
}

// --- X3, the rows of signals that somebody sends. ------------------------------------------------

// Z7
TEST_P(Signals, kill_ends_with_killed_whether_it_is_trapped_or_not) {
  run([] {
    for (const Traps traps : {Traps::no, Traps::yes}) {
      const Spawned process = target(traps);
      send_exit(process.pid, ExitReason::kill());
      EXPECT_EQ(reason_of(process), ExitReason::killed());
    }
  });
}

TEST_P(Signals, normal_from_another_is_dropped_unless_it_is_trapped) {
  run([] {
    const Spawned process = target(Traps::no);
    send_exit(process.pid, ExitReason::normal());
    EXPECT_TRUE(is_alive(process.pid));
    send(process.pid, Go());
    reason_of(process);

    const Spawned trapping = target(Traps::yes);
    send_exit(trapping.pid, ExitReason::normal());
    const Exit exit = receive<Exit>();
    EXPECT_EQ(exit.from, self());
    EXPECT_EQ(exit.reason, ExitReason::normal());
    reason_of(trapping);
  });
}

TEST_P(Signals, normal_to_oneself_ends_unless_it_is_trapped) {
  run([] {
    const Spawned process = spawn_monitor([] {
      send_exit(self(), ExitReason::normal());
      ADD_FAILURE() << "outlived its own exit";
    });
    EXPECT_EQ(reason_of(process), ExitReason::normal());

    trap_exit(true);
    send_exit(self(), ExitReason::normal());
    EXPECT_EQ(receive<Exit>().from, self());
  });
}

TEST_P(Signals, another_reason_ends_or_becomes_a_message_unchanged) {
  run([] {
    const auto reason = ExitReason::of(std::string("why"));
    const Spawned process = target(Traps::no);
    send_exit(process.pid, reason);
    EXPECT_EQ(reason_of(process), reason);

    const Spawned trapping = target(Traps::yes);
    send_exit(trapping.pid, reason);
    EXPECT_EQ(receive<Exit>().reason, reason);
    EXPECT_EQ(reason_of(trapping), ExitReason::normal());
  });
}

// --- X3, the rows of broken links. ---------------------------------------------------------------

TEST_P(Signals, a_link_that_breaks_with_kill_ends_with_kill_and_can_be_trapped) {
  run([] {
    const Spawned process = spawn_monitor([] {
      spawn_link([] { exit(ExitReason::kill()); });
      receive<Go>();
    });
    EXPECT_EQ(reason_of(process), ExitReason::kill());

    trap_exit(true);
    const Pid child = spawn_link([] { exit(ExitReason::kill()); });
    const Exit exit = receive<Exit>();
    EXPECT_EQ(exit.from, child);
    EXPECT_EQ(exit.reason, ExitReason::kill());
  });
}

TEST_P(Signals, a_link_that_breaks_with_normal_is_heard_only_by_who_traps) {
  run([] {
    const Spawned process = spawn_monitor([tester = self()] {
      const Spawned child = spawn_monitor({.link = true}, [] {});
      reason_of(child);
      send(tester, Ready());
    });
    receive<Ready>();
    EXPECT_EQ(reason_of(process), ExitReason::normal());

    trap_exit(true);
    spawn_link([] {});
    EXPECT_EQ(receive<Exit>().reason, ExitReason::normal());
  });
}

TEST_P(Signals, a_kill_does_not_spread_as_a_kill) {
  run([] {
    const Spawned process = spawn_monitor([tester = self()] {
      send(tester, spawn_link([] { receive<Go>(); }));
      receive<Go>();
    });
    send_exit(receive<Pid>(), ExitReason::kill());
    EXPECT_EQ(reason_of(process), ExitReason::killed());
  });
}

// --- Order.
// ----------------------------------------------------------------------------------------

TEST_P(Signals, an_exit_stands_among_the_messages_in_its_place) {
  run([] {
    trap_exit(true);
    spawn([tester = self()] {
      send(tester, 1);
      send_exit(tester, ExitReason::shutdown());
      send(tester, 2);
    });
    std::vector<std::string> seen;
    for (int i = 0; i < 3; ++i)
      receive([&](int number) { seen.push_back(std::to_string(number)); },
              [&](Exit&) { seen.push_back("exit"); });
    EXPECT_EQ(seen, (std::vector<std::string>{"1", "exit", "2"}));
  });
}

TEST_P(Signals, nothing_behind_a_kill_is_received_and_a_monitor_before_it_hears_killed) {
  run([] {
    std::atomic<int> late = 0;
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Pid process = spawn([&late] {
        receive<int>();
        ++late;
      });
      const MonitorRef ref = monitor(process);
      send_exit(process, ExitReason::kill());
      send(process, 1);
      const Down down = receive<Down>();
      EXPECT_EQ(down.ref, ref);
      EXPECT_EQ(down.reason, ExitReason::killed());
    }
    EXPECT_EQ(late, 0);
  });
}

TEST_P(Signals, only_the_first_terminating_signal_counts) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor([] { receive<Go>(); });
      send_exit(process.pid, ExitReason::of(1));
      send_exit(process.pid, ExitReason::of(2));
      send_exit(process.pid, ExitReason::kill());
      EXPECT_EQ(reason_of(process), ExitReason::of(1));
    }
  });
}

TEST_P(Signals, a_message_never_comes_behind_its_senders_down) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor([tester = self()] {
        for (int n = 0; n < 5; ++n) send(tester, n);
      });
      int received = 0;
      for (bool is_over = false; !is_over;)
        receive([&](int) { ++received; }, [&](Down&) { is_over = true; });
      EXPECT_EQ(received, 5);
      static_cast<void>(process);
    }
  });
}

// The sender gives way between its sends, or waits for a job, after which whoever is free takes it.
// It goes on until it has sent on more than one thread, if there are several.
// S1
TEST_P(Signals, one_senders_order_survives_its_migrations) {
  run([] {
    constexpr int senders = 8;
    const int count = static_cast<int>(stress_size(500));
    const bool is_alone = scheduler_statistics().size() == 1;
    struct Numbered {
      int sender;
      int number;
    };
    struct Done {};
    for (int s = 0; s < senders; ++s) {
      spawn([s, count, is_alone, tester = self()] {
        const pid_t first = ::gettid();
        bool has_migrated = is_alone;
        for (int n = 0; n < count || !has_migrated; ++n) {
          send(tester, Numbered{s, n});
          n % 8 == 0 ? blocking([] {}) : yield();
          has_migrated |= ::gettid() != first;
        }
        send(tester, Done());
      });
    }
    std::vector<int> next(senders, 0);
    for (int done = 0; done < senders;) {
      receive(
          [&](Numbered got) {
            ASSERT_EQ(got.number, next[static_cast<std::size_t>(got.sender)]++);
          },
          [&](Done) { ++done; });
    }
  });
}

TEST_P(Signals, a_run_of_sends_by_pid_name_and_alias_keeps_its_order) {
  run([] {
    register_name("target", self());
    const Alias address = alias();
    spawn([pid = self(), address] {
      for (int i = 0; i < 300; i += 3) {
        send(pid, i);
        send("target", i + 1);
        send(address, i + 2);
      }
    });
    for (int i = 0; i < 300; ++i) ASSERT_EQ(receive<int>(), i);
    unregister_name("target");
  });
}

// --- Dying.
// ----------------------------------------------------------------------------------------

// X7, Z2
TEST_P(Signals, no_handler_stops_a_forced_unwind_and_destructors_run) {
  run([] {
    std::atomic<bool> destroyed = false;
    struct Flag {
      std::atomic<bool>& flag;
      ~Flag() { flag = true; }
    };
    const Spawned process = spawn_monitor([&destroyed] {
      const Flag flag{destroyed};
      for (;;) {
        try {
          send_exit(self(), ExitReason::shutdown("die"));
          ADD_FAILURE() << "took effect late";
        } catch (...) {
        }
      }
    });
    EXPECT_EQ(reason_of(process), ExitReason::shutdown("die"));
    EXPECT_TRUE(destroyed);
  });
}

// Z11
TEST_P(Signals, a_process_killed_before_its_first_turn_never_runs) {
  run([] {
    std::atomic<int> ran = 0;
    set_priority(Priority::high);
    for (int i = 0; i < 100; ++i) {
      // Behind this one in the only queue, if there is only one; else either outcome is right.
      const Spawned process = spawn_monitor({.priority = Priority::low}, [&ran] {
        ++ran;
        receive<Go>();
      });
      send_exit(process.pid, ExitReason::kill());
      EXPECT_EQ(reason_of(process), ExitReason::killed());
    }
    if (GetParam() == 1) {
      EXPECT_EQ(ran, 0);
    }
  });
}

// X12
TEST_P(Signals, a_busy_process_is_killed_at_a_safe_point) {
  run([] {
    const Spawned process = spawn_monitor([] {
      for (;;) reductions(1);
    });
    yield();
    send_exit(process.pid, ExitReason::kill());
    EXPECT_EQ(reason_of(process), ExitReason::killed());
  });
}

TEST_P(Signals, is_alive_after_a_kill_is_always_false) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Pid process = spawn([] { receive<Go>(); });
      send_exit(process, ExitReason::kill());
      EXPECT_FALSE(is_alive(process));
    }
  });
}

// The time-out and the exit come at the same moment; whichever is first, the other leaves no trace.
// X13
TEST_P(Signals, an_exit_and_a_time_out_that_race_end_the_process_once) {
  run([] {
    for (const std::size_t i : rounds()) {
      const auto time = std::chrono::microseconds(i % 120);
      const Spawned process = spawn_monitor([time] {
        receive<Go>(time);
        receive<Go>();
      });
      sleep(time);
      send_exit(process.pid, ExitReason::shutdown());
      EXPECT_EQ(reason_of(process), ExitReason::shutdown());
    }
  });
}

// X9
TEST_P(Signals, whether_it_traps_is_asked_when_the_signal_is_acted_on) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned process = spawn_monitor([] {
        EXPECT_FALSE(trap_exit(true));
        EXPECT_TRUE(trap_exit(true));
        receive<Exit>();
      });
      if (i % 2) yield();
      send_exit(process.pid, ExitReason::of(7));
      const ExitReason reason = reason_of(process);
      EXPECT_TRUE(reason == ExitReason::of(7) || reason == ExitReason::normal());
    }
  });
}

class SignalsOfOne : public Signals {
 protected:
  SignalsOfOne() { ::unsetenv("AIRSSYS_RT_SCHEDULERS"); }
};
INSTANTIATE_TEST_SUITE_P(With, SignalsOfOne, testing::Values(1U), support::schedulers_name);

// Who has started many hears of their orderly ends together, in its turn; a crash goes before all.
TEST_P(SignalsOfOne, a_crash_is_heard_of_before_others_run_and_an_orderly_end_is_not) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::of(1)}) {
      const Spawned ending = spawn_monitor([reason] { exit(reason); });
      spawn([tester = self()] { send(tester, Ready()); });
      EXPECT_EQ(reason_of(ending), reason);
      const bool other_has_run = receive<Ready>(0ms).has_value();
      EXPECT_EQ(other_has_run, reason == ExitReason::normal());
      if (!other_has_run) receive<Ready>();
    }
  });
}

}  // namespace
}  // namespace airssys::rt::signals_test
