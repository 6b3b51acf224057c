// exits_test.cpp: what an exit does to who gets it, and what others see of that (X).
//
// The table of X3 is played with every reason, sent and by a broken link, to processes that trap
// and to some that do not. Crash reports are collected by Options::log.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics::exits_test {
namespace {

using namespace std::chrono_literals;

class ExitRules : public support::InRuntime {
 protected:
  ExitRules() {
    options.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      reports_.emplace_back(line);
    };
  }

  std::vector<std::string> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> reports_;
};
RT_WITH_SCHEDULERS(ExitRules);

std::vector<ExitReason> all_reasons() {
  return {ExitReason::normal(),
          ExitReason::shutdown(),
          ExitReason::shutdown("x"),
          ExitReason::kill(),
          ExitReason::killed(),
          ExitReason::noproc(),
          ExitReason::timeout(),
          ExitReason::error("e"),
          ExitReason::of(std::string("value"))};
}

// X1
TEST_P(ExitRules, exit_is_an_exception_that_may_be_caught) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      try {
        exit(reason);
      } catch (const ExitException& caught) {
        EXPECT_EQ(caught.reason(), reason);
      }
    }
    const Spawned process = spawn_monitor([] {
      try {
        exit(ExitReason::of(1));
      } catch (...) {
      }
      exit(ExitReason::of(2));
    });
    EXPECT_EQ(reason_of(process), ExitReason::of(2));
  });
}

// X1
TEST_P(ExitRules, who_sends_an_exit_goes_on) {
  run([] {
    const Spawned target = spawn_target();
    send_exit(target.pid, ExitReason::of(1));
    send(self(), 1);
    EXPECT_EQ(receive<int>(), 1);
    EXPECT_EQ(reason_of(target), ExitReason::of(1));
  });
}

// X2
TEST_P(ExitRules, an_exit_carries_its_sender_and_its_reason) {
  run([] {
    trap_exit(true);
    const Spawned sends = spawn_monitor([tester = self()] {
      send_exit(tester, ExitReason::of(1));
      receive<Go>();
    });
    const Exit sent = receive<Exit>();
    EXPECT_EQ(sent.from, sends.pid);
    EXPECT_EQ(sent.reason, ExitReason::of(1));
    const Pid breaks = spawn_link([] { exit(ExitReason::of(2)); });
    const Exit broken = receive<Exit>();
    EXPECT_EQ(broken.from, breaks);
    EXPECT_EQ(broken.reason, ExitReason::of(2));
    end(sends);
  });
}

// A sent one does not pass for a broken link, although its sender is linked.
// X2, X3
TEST_P(ExitRules, an_exit_that_is_sent_along_a_link_leaves_the_link) {
  run([] {
    const Spawned plain = spawn_target({.link = true});
    send_exit(plain.pid, ExitReason::normal());
    EXPECT_EQ(process_info(plain.pid)->links, std::vector{self()});
    EXPECT_EQ(end(plain), ExitReason::normal());

    const Spawned trapping = spawn_trapping_target();
    link(trapping.pid);
    send_exit(trapping.pid, ExitReason::shutdown());
    EXPECT_EQ(receive<Exit>().from, self());
    EXPECT_EQ(process_info(trapping.pid)->links, std::vector{self()});
    EXPECT_EQ(end(trapping), ExitReason::normal());
  });
}

// X3, X4, X5
TEST_P(ExitRules, an_exit_that_is_sent_does_what_its_reason_says) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      const Spawned plain = spawn_target();
      send_exit(plain.pid, reason);
      if (reason == ExitReason::normal()) {
        EXPECT_TRUE(is_alive(plain.pid));
        EXPECT_EQ(end(plain), ExitReason::normal());
      } else {
        EXPECT_EQ(reason_of(plain), reason == ExitReason::kill() ? ExitReason::killed() : reason);
      }

      const Spawned trapping = spawn_trapping_target();
      send_exit(trapping.pid, reason);
      if (reason == ExitReason::kill()) {
        EXPECT_EQ(reason_of(trapping), ExitReason::killed());
      } else {
        EXPECT_EQ(receive<Exit>().reason, reason) << reason.to_string();
        EXPECT_EQ(end(trapping), ExitReason::normal());
      }
    }
  });
}

// X3, X6, X11
TEST_P(ExitRules, a_broken_link_does_what_its_reason_says) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      const auto break_link_of = [&reason](const Spawned& target) {
        reason_of(spawn_monitor([pid = target.pid, reason] {
          link(pid);
          exit(reason);
        }));
      };
      const Spawned plain = spawn_target();
      break_link_of(plain);
      if (reason == ExitReason::normal()) {
        EXPECT_TRUE(is_alive(plain.pid));
        EXPECT_EQ(end(plain), ExitReason::normal());
      } else {
        EXPECT_EQ(reason_of(plain), reason) << reason.to_string();
      }

      const Spawned trapping = spawn_trapping_target();
      break_link_of(trapping);
      EXPECT_EQ(receive<Exit>().reason, reason) << reason.to_string();
      EXPECT_EQ(end(trapping), ExitReason::normal());
    }
  });
}

// X3, X7, X15
TEST_P(ExitRules, an_exit_to_oneself_takes_effect_before_the_call_returns) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      const Spawned plain = spawn_monitor([reason] {
        for (;;) {
          try {
            send_exit(self(), reason);
            ADD_FAILURE() << "outlived its own exit";
            return;
          } catch (...) {
          }
        }
      });
      EXPECT_EQ(reason_of(plain), reason == ExitReason::kill() ? ExitReason::killed() : reason);
    }
    trap_exit(true);
    for (const ExitReason& reason : all_reasons()) {
      if (reason == ExitReason::kill()) continue;
      send_exit(self(), reason);
      const Exit exit = receive<Exit>(0ms).value();
      EXPECT_EQ(exit.from, self());
      EXPECT_EQ(exit.reason, reason);
    }
  });
}

// Each links itself to one child more; the last of them tells who it is.
void chain(int length, Pid tester) {
  if (length == 0) {
    send(tester, self());
  } else {
    spawn_link([=] { chain(length - 1, tester); });
  }
  receive<Go>();
}

// X5, X6
TEST_P(ExitRules, down_a_chain_of_links_kill_stays_kill_and_killed_stays_killed) {
  run([] {
    trap_exit(true);
    const auto reason_at_the_end = [](const std::function<void(Pid)>& hit) {
      spawn_link([tester = self()] { chain(10, tester); });
      hit(receive<Pid>());
      return receive<Exit>().reason;
    };
    const auto break_with_kill = [](Pid last) {
      reason_of(spawn_monitor([last] {
        link(last);
        exit(ExitReason::kill());
      }));
    };
    EXPECT_EQ(reason_at_the_end(break_with_kill), ExitReason::kill());
    EXPECT_EQ(reason_at_the_end([](Pid last) { send_exit(last, ExitReason::kill()); }),
              ExitReason::killed());
  });
}

// X8
TEST_P(ExitRules, of_several_terminating_exits_the_first_counts) {
  run([] {
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_target();
      if (i % 2) yield();
      stagger(i);
      send_exit(target.pid, ExitReason::normal());
      send_exit(target.pid, ExitReason::of(1));
      send_exit(target.pid, ExitReason::of(2));
      send_exit(target.pid, ExitReason::kill());
      send(target.pid, Go());
      EXPECT_EQ(reason_of(target), ExitReason::of(1));
    }
  });
}

// X9
TEST_P(ExitRules, the_trap_flag_answers_its_old_value_and_leaves_the_mail_alone) {
  run([] {
    EXPECT_FALSE(trap_exit(true));
    EXPECT_TRUE(trap_exit(true));
    send_exit(self(), ExitReason::of(1));
    EXPECT_TRUE(trap_exit(false));
    EXPECT_FALSE(trap_exit(false));
    EXPECT_EQ(receive<Exit>(0ms).value().reason, ExitReason::of(1));
  });
}

// X10
TEST_P(ExitRules, an_exit_to_the_dead_does_nothing) {
  run([] {
    trap_exit(true);
    for (const Pid nobody : {spawn_dead(), Pid()}) {
      for (const ExitReason& reason : all_reasons()) send_exit(nobody, reason);
    }
    EXPECT_FALSE(receive<Message>(0ms));
  });
}

// X11
TEST_P(ExitRules, an_end_is_told_to_all_links) {
  run([] {
    trap_exit(true);
    constexpr int count = 20;
    for (const ExitReason& reason : all_reasons()) {
      std::vector<Spawned> linked;
      for (int i = 0; i < count; ++i) linked.push_back(spawn_trapping_target());
      const Spawned ends = spawn_monitor({.link = true}, [&linked, reason] {
        for (const Spawned& other : linked) link(other.pid);
        exit(reason);
      });
      EXPECT_EQ(reason_of(ends), reason);
      for (int i = 0; i < count + 1; ++i) {
        const Exit exit = receive<Exit>();
        EXPECT_EQ(exit.from, ends.pid);
        EXPECT_EQ(exit.reason, reason);
      }
      for (const Spawned& other : linked) end(other);
    }
  });
}

// X13
TEST_P(ExitRules, whatever_a_process_waits_for_an_exit_wakes_it_to_end) {
  run([] {
    std::atomic<int> outlived = 0;
    const Spawned full = spawn_monitor({.mailbox = {.capacity = 1}}, [] { receive<Go>(); });
    send(full.pid, 1);
    const std::vector<std::function<void()>> waits = {
        [] { receive<Go>(); },
        [] { receive<Go>(1h); },
        [] { sleep(1h); },
        [pid = full.pid] { send(pid, 2); },
        [] {
          blocking([] {
            while (!blocking_is_cancelled()) std::this_thread::yield();
          });
        },
    };
    for (const std::size_t i : rounds()) {
      const auto& wait = waits[i % waits.size()];
      const Spawned waiting = spawn_monitor([&] {
        wait();
        ++outlived;
      });
      // Long enough, at times, for it to be waiting; right either way.
      for (std::size_t n = 0; n < i % 4; ++n) yield();
      stagger(i);
      send_exit(waiting.pid, ExitReason::of(1));
      EXPECT_EQ(reason_of(waiting), ExitReason::of(1));
    }
    EXPECT_EQ(outlived, 0);
    send_exit(full.pid, ExitReason::kill());
    reason_of(full);
  });
}

// The exit and the time-out come together; whichever wins, the other is not heard of.
// X13
TEST_P(ExitRules, an_exit_that_wins_over_a_time_out_is_the_end_of_it) {
  run([] {
    for (const std::size_t i : rounds()) {
      const auto time = std::chrono::microseconds(i % 150);
      std::atomic<bool> has_timed_out = false;
      const Spawned process = spawn_monitor([&has_timed_out, time] {
        receive<Go>(time);
        has_timed_out = true;
      });
      sleep(time);
      send_exit(process.pid, ExitReason::of(1));
      const ExitReason reason = reason_of(process);
      EXPECT_TRUE(reason == ExitReason::of(1) || (reason.is_orderly() && has_timed_out));
    }
  });
}

// With one scheduler the starved one cannot end while its killer, which is higher, has work.
// X14
TEST_P(ExitRules, a_starved_process_ends_once_it_gets_to_run) {
  run([] {
    set_priority(Priority::high);
    const Spawned starved = spawn_target({.priority = Priority::low});
    send_exit(starved.pid, ExitReason::kill());
    for (int i = 0; i < 1000; ++i) yield();
    if (schedulers() == 1) {
      EXPECT_FALSE(receive<Down>(0ms));
    }
    EXPECT_EQ(reason_of(starved), ExitReason::killed());
  });
}

// X16
TEST_P(ExitRules, orderly_ends_are_not_reported_and_others_once) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      EXPECT_EQ(reason.is_orderly(),
                reason == ExitReason::normal() || reason == ExitReason::shutdown() ||
                    reason == ExitReason::shutdown("x"));
      reason_of(spawn_monitor([reason] { exit(reason); }));
    }
    reason_of(spawn_monitor([] { throw std::runtime_error("boom"); }));
  });
  const std::vector<std::string> lines = reports();
  EXPECT_EQ(lines.size(), all_reasons().size() - 3 + 1);
  for (const ExitReason& reason : all_reasons()) {
    const auto says = [&](const std::string& line) {
      return line.ends_with(": " + reason.to_string());
    };
    EXPECT_EQ(std::ranges::count_if(lines, says), reason.is_orderly() ? 0 : 1)
        << reason.to_string();
  }
}

// X16
TEST_P(ExitRules, a_crash_that_takes_others_along_is_reported_once) {
  run([] {
    std::vector<Spawned> linked;
    for (int i = 0; i < 10; ++i) linked.push_back(spawn_target());
    const Spawned crashes = spawn_monitor([&linked] {
      for (const Spawned& other : linked) link(other.pid);
      throw std::runtime_error("boom");
    });
    for (const Spawned& other : linked) EXPECT_EQ(reason_of(other).what(), "boom");
    reason_of(crashes);
  });
  ASSERT_EQ(reports().size(), 1U);
  EXPECT_NE(reports()[0].find("std::runtime_error: boom"), std::string::npos);
}

// X16
TEST_P(ExitRules, an_end_by_a_signal_is_not_reported) {
  run([] {
    for (const ExitReason& reason : all_reasons()) {
      if (reason == ExitReason::normal()) continue;
      const ExitReason seen = reason == ExitReason::kill() ? ExitReason::killed() : reason;
      const Spawned at_rest = spawn_target();
      send_exit(at_rest.pid, reason);
      EXPECT_EQ(reason_of(at_rest), seen);
      EXPECT_EQ(reason_of(spawn_monitor([reason] { send_exit(self(), reason); })), seen);
    }
  });
  EXPECT_TRUE(reports().empty());
}

}  // namespace
}  // namespace airssys::rt::semantics::exits_test
