// mailbox_limits_test.cpp: processes with more mail than they may have (P18).
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <array>
#include <chrono>
#include <vector>

#include "tests/semantics/targets.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::semantics::mailbox_limits_test {
namespace {

using namespace std::chrono_literals;

class MailboxLimits : public support::KeptReports {
 protected:
  std::size_t reports_of_limits() { return reports_of("mailbox_limit").size(); }
};
RT_WITH_SCHEDULERS(MailboxLimits);

// P18
TEST_P(MailboxLimits, one_message_too_many_ends_the_process_as_by_a_kill) {
  std::size_t over_the_limit = 0;
  run([&over_the_limit] {
    trap_exit(true);
    for (const std::size_t i : rounds()) {
      const Spawned target = spawn_monitor({.limit = {.messages = 10}, .link = true}, [] {
        trap_exit(true);  // as by a kill: no trap helps
        receive<Go>();
      });
      for (int n = 0; n < 10; ++n) send(target.pid, n);
      EXPECT_EQ(process_info(target.pid)->message_queue_len, 10U);
      send(target.pid, 10);
      EXPECT_EQ(reason_of(target), ExitReason::killed());
      EXPECT_EQ(receive<Exit>().reason, ExitReason::killed());
      over_the_limit = i + 1;
    }
  });
  EXPECT_EQ(reports_of_limits(), over_the_limit);
}

struct Kilobyte {
  std::array<char, 1024> bytes;
};

// P18
TEST_P(MailboxLimits, bytes_are_counted_and_what_was_received_is_not) {
  run([] {
    const Spawned target = spawn_monitor({.limit = {.bytes = 4096}}, [tester = self()] {
      for (bool is_over = false; !is_over;)
        receive([&](Kilobyte) { send(tester, Ready()); }, [&](Go) { is_over = true; });
      receive<Ready>();
    });
    for (int i = 0; i < 100; ++i) {
      send(target.pid, Kilobyte{});
      receive<Ready>();
    }
    EXPECT_TRUE(is_alive(target.pid));
    send(target.pid, Go());
    for (int i = 0; i < 5; ++i) send(target.pid, Kilobyte{});
    EXPECT_EQ(reason_of(target), ExitReason::killed());
  });
}

// Exits, downs and timers are mail, too; no bound counts them (B1), a limit does.
// P18
TEST_P(MailboxLimits, mail_of_every_kind_counts) {
  run([] {
    const Spawned watcher = spawn_monitor({.limit = {.messages = 5}}, [] {
      trap_exit(true);
      std::vector<Pid> watched;
      for (int i = 0; i < 6; ++i) {
        watched.push_back(spawn([] { receive<Go>(); }));
        monitor(watched.back());
      }
      for (const Pid pid : watched) send(pid, Go());
      receive<Ready>();
    });
    EXPECT_EQ(reason_of(watcher), ExitReason::killed());
  });
}

struct Hoarder : Server<Hoarder> {
  struct Hoard {};
  void handle(Hoard) { receive<Go>(); }
};

// P18
TEST_P(MailboxLimits, a_server_has_one_by_its_start_options) {
  run([] {
    const auto [hoarder, ref] = start_monitor<Hoarder>({.limit = {.messages = 3}});
    for (int i = 0; i < 5; ++i) cast(hoarder, Hoarder::Hoard{});
    EXPECT_EQ(reason_in_down(ref), ExitReason::killed());
  });
}

// P18
TEST_P(MailboxLimits, one_that_is_only_to_be_reported_lives_and_is_reported_once_each_time) {
  run([this] {
    const Spawned target =
        spawn_monitor({.limit = {.messages = 3, .exceeded = WhenExceeded::report}}, [] {
          for (;;) {
            receive<Go>();
            while (receive<int>(0ms)) {
            }
          }
        });
    for (std::size_t round = 1; round <= 3; ++round) {
      for (int i = 0; i < 10; ++i) {
        send(target.pid, i);
        EXPECT_TRUE(process_info(target.pid));
      }
      EXPECT_EQ(reports_of_limits(), round);
      send(target.pid, Go());
      while (process_info(target.pid)->message_queue_len != 0) yield();
    }
    send_exit(target.pid, ExitReason::kill());
    reason_of(target);
  });
}

struct NeverSent {};

// Looks at much mail when it is destroyed, and says that it has ended that.
struct LooksAtMail {
  Pid tester;
  ~LooksAtMail() {
    receive<NeverSent>(0ms);
    send(tester, Ready());
  }
};

// P18, Z3, Z13
TEST_P(MailboxLimits, destructors_look_at_more_than_a_slice_of_mail_and_go_on) {
  run([] {
    const Spawned target = spawn_monitor({.limit = {.messages = 9000}}, [tester = self()] {
      const LooksAtMail outer(tester);
      const LooksAtMail inner(tester);
      send(tester, Go());
      receive<Go>();
    });
    receive<Go>();  // or it would be killed before its first turn (Z11)
    for (int n = 0; n <= 9000; ++n) send(target.pid, n);
    EXPECT_EQ(reason_of(target), ExitReason::killed());
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(receive<Ready>(0ms)) << i;
  });
}

// P18
TEST_P(MailboxLimits, who_has_none_may_have_any_amount) {
  run([] {
    const Spawned target = spawn_target();
    for (int i = 0; i < 20'000; ++i) send(target.pid, i);
    EXPECT_EQ(process_info(target.pid)->message_queue_len, 20'000U);
    EXPECT_EQ(end(target), ExitReason::normal());
  });
  EXPECT_EQ(reports_of_limits(), 0U);
}

}  // namespace
}  // namespace airssys::rt::semantics::mailbox_limits_test
