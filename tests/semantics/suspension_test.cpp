// suspension_test.cpp: processes that others hold still (P15).
//
// That something does not run is shown by asking: a question that is ordered behind what was sent
// is answered, and what was sent has not acted.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::suspension_test {
namespace {

using namespace std::chrono_literals;

class Suspensions : public QuietRules {};
RT_WITH_SCHEDULERS(Suspensions);

struct Echo {
  Pid from;
  int number;
};

// Sends each number back.
Spawned spawn_echo() {
  return spawn_monitor([] {
    for (bool is_over = false; !is_over;)
      receive([](Echo echo) { send(echo.from, echo.number); }, [&](Go) { is_over = true; });
  });
}

ProcessState state_of(Pid pid) {
  return process_info(pid)->state;
}

// Lets everybody else run for a while.
void let_others_run() {
  for (int i = 0; i < 20; ++i) yield();
}

// P15
TEST_P(Suspensions, a_busy_process_stands_still_from_the_return_of_suspend_to_its_resume) {
  run([] {
    const std::vector<void (*)()> steps = {
        [] { reductions(1); }, [] { yield(); }, [] { send(self(), 1), receive<int>(); }};
    for (const auto step : steps) {
      std::atomic<std::uint64_t> count = 0;
      std::atomic<bool> is_over = false;
      const Spawned busy = spawn_monitor([&, step] {
        while (!is_over) {
          ++count;
          step();
        }
      });
      for ([[maybe_unused]] const std::size_t i : rounds()) {
        suspend(busy.pid);
        const std::uint64_t then = count;
        let_others_run();
        EXPECT_EQ(state_of(busy.pid), ProcessState::suspended);
        EXPECT_EQ(count, then);
        resume(busy.pid);
        while (count == then) yield();
      }
      is_over = true;
      reason_of(busy);
    }
  });
}

// P15, S8
TEST_P(Suspensions, a_waiting_process_takes_mail_in_and_handles_it_when_it_goes_on) {
  run([] {
    const Spawned echo = spawn_echo();
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      suspend(echo.pid);
      for (int n = 0; n < 5; ++n) send(echo.pid, Echo{self(), n});
      const ProcessInfo info = process_info(echo.pid, {.messages = true}).value();
      EXPECT_EQ(info.state, ProcessState::suspended);
      EXPECT_EQ(info.suspended_by, std::vector{self()});
      EXPECT_EQ(info.messages.size(), 5U);
      EXPECT_FALSE(receive<int>(0ms));
      resume(echo.pid);
      for (int n = 0; n < 5; ++n) EXPECT_EQ(receive<int>(), n);
    }
    end(echo);
  });
}

// P15
TEST_P(Suspensions, one_that_waits_shows_what_it_will_go_on_waiting_for) {
  run([] {
    const Spawned target = spawn_target();
    while (state_of(target.pid) != ProcessState::waiting) yield();
    suspend(target.pid);
    const ProcessInfo info = process_info(target.pid).value();
    EXPECT_EQ(info.state, ProcessState::suspended);
    EXPECT_EQ(info.wait_reason, "receive");
    resume(target.pid);
    while (state_of(target.pid) != ProcessState::waiting) yield();
    EXPECT_TRUE(process_info(target.pid)->suspended_by.empty());
    end(target);
  });
}

// P15
TEST_P(Suspensions, each_suspender_counts_for_itself_and_the_last_resume_counts) {
  run([] {
    const Spawned target = spawn_target();
    const Spawned other = spawn_monitor([&, tester = self()] {
      suspend(target.pid);
      EXPECT_THROW((resume(target.pid), resume(target.pid)), BadArgument);
      suspend(target.pid);
      send(tester, Ready());
      receive<Go>();
      resume(target.pid);
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    suspend(target.pid);
    suspend(target.pid);
    EXPECT_EQ(process_info(target.pid)->suspended_by.size(), 2U);
    resume(target.pid);
    EXPECT_EQ(state_of(target.pid), ProcessState::suspended);
    resume(target.pid);
    EXPECT_EQ(state_of(target.pid), ProcessState::suspended);
    EXPECT_THROW(resume(target.pid), BadArgument);
    EXPECT_EQ(process_info(target.pid)->suspended_by, std::vector{other.pid});
    send(other.pid, Go());
    receive<Ready>();
    while (state_of(target.pid) == ProcessState::suspended) yield();
    end(other);
    end(target);
  });
}

// P15
TEST_P(Suspensions, the_end_of_a_suspender_takes_its_suspends_back) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned echo = spawn_echo();
      const Spawned suspender = spawn_monitor([&, tester = self(), i] {
        suspend(echo.pid);
        if (i % 2) suspend(echo.pid);
        send(tester, Ready());
        receive<Go>();
        if (i % 3 == 0) throw std::runtime_error("boom");
      });
      receive<Ready>();
      send(echo.pid, Echo{self(), 1});
      EXPECT_EQ(process_info(echo.pid)->message_queue_len, 1U);
      if (i % 3 == 1) {
        send_exit(suspender.pid, ExitReason::kill());
      } else {
        send(suspender.pid, Go());
      }
      EXPECT_EQ(receive<int>(), 1);
      reason_of(suspender);
      end(echo);
    }
  });
}

// The suspender is ended somewhere in the middle of its suspend.
// P15
TEST_P(Suspensions, a_suspender_that_is_killed_at_any_moment_leaves_nobody_suspended) {
  run([] {
    const Spawned echo = spawn_echo();
    for (const std::size_t i : rounds()) {
      const Spawned suspender = spawn_monitor([&] {
        for (;;) {
          suspend(echo.pid);
          resume(echo.pid);
        }
      });
      for (std::size_t n = 0; n < i % 4; ++n) yield();
      stagger(i);
      send_exit(suspender.pid, ExitReason::kill());
      send(echo.pid, Echo{self(), 1});
      EXPECT_EQ(receive<int>(), 1);
      reason_of(suspender);
    }
    end(echo);
  });
}

// P15, X13
TEST_P(Suspensions, an_exit_ends_a_suspended_process) {
  run([] {
    const std::vector<void (*)()> works = {
        [] { receive<Go>(); },
        [] { sleep(1h); },
        [] {
          for (;;) reductions(1);
        },
        [] {
          for (;;) yield();
        },
    };
    for (const std::size_t i : rounds()) {
      auto owned = std::make_shared<int>(1);
      const Spawned target = spawn_monitor([owned, work = works[i % works.size()]] {
        const auto unwound = owned;
        work();
      });
      if (i % 3) yield();
      stagger(i);
      suspend(target.pid);
      if (i % 5 == 0) suspend(target.pid);
      const ExitReason reason = i % 2 ? ExitReason::kill() : ExitReason::of(1);
      send_exit(target.pid, reason);
      EXPECT_FALSE(is_alive(target.pid));
      EXPECT_EQ(reason_of(target), i % 2 ? ExitReason::killed() : ExitReason::of(1));
      EXPECT_EQ(owned.use_count(), 1);
      resume(target.pid);  // dead is no error
    }
  });
}

// P15, S10
TEST_P(Suspensions, who_traps_finds_the_exits_when_it_goes_on) {
  run([] {
    const Spawned target = spawn_trapping_target();
    suspend(target.pid);
    send_exit(target.pid, ExitReason::shutdown());
    EXPECT_TRUE(is_alive(target.pid));
    EXPECT_FALSE(receive<Exit>(0ms));
    resume(target.pid);
    EXPECT_EQ(receive<Exit>().reason, ExitReason::shutdown());
    end(target);
  });
}

// P15, S1
TEST_P(Suspensions, a_suspend_keeps_its_place_among_the_signals_of_its_sender) {
  run([] {
    for ([[maybe_unused]] const std::size_t i : rounds()) {
      const Spawned target = spawn_target();
      send(target.pid, 1);
      suspend(target.pid);
      send(target.pid, 2);
      EXPECT_EQ(process_info(target.pid)->message_queue_len, 2U);
      resume(target.pid);
      send_exit(target.pid, ExitReason::of(1));
      EXPECT_THROW(suspend(target.pid), ProcessError);
      EXPECT_EQ(reason_of(target), ExitReason::of(1));
      EXPECT_THROW(resume(target.pid), BadArgument);
    }
  });
}

// P15
TEST_P(Suspensions, oneself_the_dead_and_those_whom_one_has_not_suspended_are_refused) {
  run([] {
    EXPECT_THROW(suspend(self()), BadArgument);
    EXPECT_THROW(resume(self()), BadArgument);
    const Pid dead = spawn_dead();
    EXPECT_THROW(suspend(dead), ProcessError);
    EXPECT_EQ(try_suspend(dead).error().reason(), ExitReason::noproc());
    EXPECT_THROW(resume(dead), BadArgument);
    EXPECT_THROW(suspend(Pid()), ProcessError);
    const Spawned target = spawn_target();
    EXPECT_THROW(resume(target.pid), BadArgument);
    suspend(target.pid);
    EXPECT_TRUE(try_suspend(target.pid));
    for (int i = 0; i < 2; ++i) resume(target.pid);
    EXPECT_THROW(resume(target.pid), BadArgument);
    end(target);
  });
  EXPECT_THROW(suspend(Pid(1, 1)), BadArgument) << "on a plain thread";
}

// P15, Z11
TEST_P(Suspensions, one_that_has_not_begun_begins_when_it_is_resumed) {
  run([] {
    set_priority(Priority::high);
    for (const std::size_t i : rounds()) {
      std::atomic<bool> has_begun = false;
      const Spawned process = spawn_monitor({.priority = Priority::low}, [&] { has_begun = true; });
      try {
        suspend(process.pid);
        if (GetParam() == 1) {
          EXPECT_FALSE(has_begun);
        }
        if (i % 2) {
          send_exit(process.pid, ExitReason::of(1));
        } else {
          resume(process.pid);
        }
      } catch (const ProcessError&) {  // it was faster
        EXPECT_NE(GetParam(), 1U);
      }
      const ExitReason reason = reason_of(process);
      EXPECT_TRUE(has_begun || reason == ExitReason::of(1));
      if (i % 2 == 0) {
        EXPECT_TRUE(has_begun);
      }
    }
  });
}

struct Adder : Server<Adder> {
  struct Add {
    int by;
  };
  struct Sum {
    using Reply = int;
  };
  void handle(Add add) { sum += add.by; }
  int handle(Sum) const { return sum; }
  int sum = 0;
};

// P15, S8
TEST_P(Suspensions, a_server_at_rest_is_suspended_without_a_stack) {
  run([] {
    const ServerRef<Adder> adder = start<Adder>();
    for (const std::size_t i : rounds()) {
      suspend(adder.pid());
      for (int n = 0; n < 10; ++n) cast(adder, Adder::Add{1});
      const ProcessInfo info = process_info(adder.pid()).value();
      EXPECT_EQ(info.state, ProcessState::suspended);
      EXPECT_EQ(info.message_queue_len, 10U);
      EXPECT_LT(info.memory_bytes, 8U << 10);
      EXPECT_TRUE(is_alive(adder.pid()));
      resume(adder.pid());
      EXPECT_EQ(call(adder, Adder::Sum{}), static_cast<int>(10 * (i + 1)));
    }
    suspend(adder.pid());
    const MonitorRef ref = monitor(adder.pid());
    send_exit(adder.pid(), ExitReason::of(1));
    EXPECT_EQ(reason_in_down(ref), ExitReason::of(1));
  });
}

// P15
TEST_P(Suspensions, links_monitors_and_names_of_a_suspended_process_work) {
  run([] {
    const Spawned target = spawn_target();
    suspend(target.pid);
    register_name("suspended", target.pid);
    link(target.pid);
    EXPECT_EQ(process_info(target.pid)->links, std::vector{self()});
    unlink(target.pid);
    EXPECT_TRUE(process_info(target.pid)->links.empty());
    EXPECT_EQ(whereis("suspended"), target.pid);
    resume(target.pid);
    end(target);
  });
}

// P15, D18
TEST_P(Suspensions, a_job_is_done_meanwhile_and_its_result_is_there_afterwards) {
  run([] {
    std::atomic<bool> has_begun = false;
    std::atomic<bool> may_end = false;
    std::atomic<bool> has_ended = false;
    const Spawned process = spawn_monitor([&] {
      blocking_ref([&] {
        has_begun = true;
        while (!may_end) std::this_thread::yield();
      });
      has_ended = true;
    });
    while (!has_begun) yield();
    suspend(process.pid);
    may_end = true;
    let_others_run();
    EXPECT_EQ(state_of(process.pid), ProcessState::suspended);
    EXPECT_FALSE(has_ended);
    resume(process.pid);
    reason_of(process);
    EXPECT_TRUE(has_ended);
  });
}

// --- everything at once ---

// P15
TEST_P(Suspensions, many_suspenders_and_much_mail_lose_nothing) {
  run([] {
    constexpr int suspenders = 4;
    std::vector<Spawned> targets;
    for (int i = 0; i < 3; ++i) targets.push_back(spawn_echo());
    const ServerRef<Adder> adder = start<Adder>();
    std::vector<Spawned> others;
    for (int i = 0; i < suspenders; ++i) {
      others.push_back(spawn_monitor([&, i] {
        for (const std::size_t n : rounds()) {
          const Pid pid = targets[(n + static_cast<std::size_t>(i)) % targets.size()].pid;
          suspend(pid);
          if (n % 3 == 0) suspend(adder.pid());
          if (n % 5 == 0) yield();
          resume(pid);
          if (n % 3 == 0) resume(adder.pid());
        }
      }));
    }
    const auto turns = static_cast<int>(stress_size(300));
    for (int n = 0; n < turns; ++n) {
      for (const Spawned& target : targets) send(target.pid, Echo{self(), n});
      cast(adder, Adder::Add{1});
      for (std::size_t i = 0; i < targets.size(); ++i) EXPECT_EQ(receive<int>(), n);
    }
    for (const Spawned& other : others) EXPECT_EQ(reason_of(other), ExitReason::normal());
    EXPECT_EQ(call(adder, Adder::Sum{}, infinite), turns);
    stop(adder);
    for (const Spawned& target : targets) EXPECT_EQ(end(target), ExitReason::normal());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::suspension_test
