// hibernator_test.cpp: bodies whose stacks are put away while they wait do not notice it.
//
// Method: which pages are resident is asked of the kernel; rounds come every millisecond. That
// somebody stays where he is, is seen once another one has been put away again and again meanwhile.
#include "runtime/hibernator.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/call.hpp"
#include "runtime/system.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::runtime::hibernator_test {

using support::reason_of;

namespace {

using namespace std::chrono_literals;
using support::rounds;
using support::stagger;
using support::stress_size;

class Hibernators : public support::InRuntime {
 protected:
  Hibernators() {
    options.hibernate_after = 1ms;
    options.log = [](const Report&) {};
  }
};
RT_WITH_SCHEDULERS(Hibernators);

const SpawnOptions hibernates = {.hibernates = true};

struct Go {};
struct Ready {};
struct At {
  std::uintptr_t address;
};

bool is_resident(std::uintptr_t address) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char answer = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): rounding an address down
  EXPECT_EQ(::mincore(reinterpret_cast<void*>(address / page * page), page, &answer), 0);
  return (answer & 1U) != 0;
}

// Where the caller's frames are; ASan may put locals elsewhere.
At here() {
  return {reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0))};
}

void wait_until_away(At place) {
  while (is_resident(place.address)) yield();
}

std::uint64_t put_away_so_far() {
  return Call().system().hibernator.put_away();
}
std::uint64_t fetched_so_far() {
  return Call().system().hibernator.fetched();
}

// Another one is put away so often meanwhile.
constexpr int rounds_to_pass = 5;
void let_rounds_pass() {
  const Spawned sleeper = spawn_monitor(hibernates, [tester = self()] {
    for (int i = 0; i < rounds_to_pass; ++i) {
      send(tester, here());
      receive<Go>();
    }
  });
  for (int i = 0; i < rounds_to_pass; ++i) {
    wait_until_away(receive<At>());
    send(sleeper.pid, Go());
  }
  EXPECT_EQ(reason_of(sleeper), ExitReason::normal());
}

TEST_P(Hibernators, locals_and_addresses_of_locals_are_as_they_were) {
  run([] {
    const Spawned process = spawn_monitor(hibernates, [tester = self()] {
      const std::string text = "longer than what a string keeps within itself";
      int local = 0;
      int* const mine = &local;
      for (int i = 0; i < 20; ++i) {
        send(tester, here());
        *mine += receive<int>();
      }
      EXPECT_EQ(text, "longer than what a string keeps within itself");
      send(tester, local);
    });
    for (int i = 1; i <= 20; ++i) {
      wait_until_away(receive<At>());
      send(process.pid, i);
    }
    EXPECT_EQ(receive<int>(), 210);
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

// It sends where it is, and then waits as it is told. Who looks at its stack while that is away
// brings pages back, so it is counted, too, who was put away: nobody but the other one.
void expect_to_stay(const SpawnOptions& options, void (*wait)()) {
  const Spawned process = spawn_monitor(options, [tester = self(), wait] {
    send(tester, here());
    wait();
  });
  const At place = receive<At>();
  const std::uint64_t before = put_away_so_far();
  let_rounds_pass();
  EXPECT_EQ(put_away_so_far(), before + rounds_to_pass);
  EXPECT_TRUE(is_resident(place.address));
  send_exit(process.pid, ExitReason::kill());
  reason_of(process);
}

struct Mute : Server<Mute> {
  struct Ask {
    using Reply = int;
  };
  static int handle(Ask) {
    receive<Go>();
    return 0;
  }
};

TEST_P(Hibernators, who_is_not_allowed_to_or_waits_for_more_than_mail_stays) {
  run([] {
    expect_to_stay({}, [] { receive<Go>(); });
    expect_to_stay(hibernates, [] { receive<Go>(std::chrono::hours(1)); });
    expect_to_stay(hibernates, [] { sleep(std::chrono::hours(1)); });
    expect_to_stay(hibernates, [] {
      call(start_link<Mute>(), Mute::Ask{}, std::chrono::hours(1));
      ADD_FAILURE() << "it is killed";
    });
    expect_to_stay(hibernates, [] {
      while (true) yield();
    });
  });
}

TEST_P(Hibernators, nobody_is_put_away_where_that_is_switched_off) {
  options.hibernate_after = 0ms;
  run([] {
    const std::size_t others = processes().size();
    const Spawned process = spawn_monitor(hibernates, [] { receive<Go>(); });
    EXPECT_EQ(processes().size(), others + 1) << "nobody goes round";
    send(process.pid, Go());
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

TEST_P(Hibernators, exceptions_are_thrown_and_caught_across_it) {
  run([] {
    const Spawned process = spawn_monitor(hibernates, [tester = self()] {
      try {
        throw std::runtime_error("before it");
      } catch (const std::runtime_error& error) {
        send(tester, here());
        receive<Go>();
        EXPECT_STREQ(error.what(), "before it");
      }
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      try {
        send(tester, here());
        receive<Go>();
        throw std::runtime_error("behind it");
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "behind it");
      }
      send(tester, here());
      receive<Go>();
      throw std::runtime_error("to the end");
    });
    for (int i = 0; i < 3; ++i) {
      wait_until_away(receive<At>());
      send(process.pid, Go());
    }
    EXPECT_NE(reason_of(process).to_string().find("to the end"), std::string::npos);
  });
}

// An exit finds it away, and unwinds it.
TEST_P(Hibernators, an_exit_ends_it_and_its_destructors_run) {
  run([] {
    for (const ExitReason& reason : {ExitReason::of(1), ExitReason::kill()}) {
      const auto owned = std::make_shared<int>(1);
      const Spawned process = spawn_monitor(hibernates, [owned, tester = self()] {
        const auto unwound = owned;
        send(tester, here());
        receive<Go>();
      });
      wait_until_away(receive<At>());
      send_exit(process.pid, reason);
      reason_of(process);
      EXPECT_EQ(owned.use_count(), 1);
    }
  });
}

[[gnu::noinline]] void breaks_its_promise() noexcept {
  exit(ExitReason::of(1));
}

TEST_P(Hibernators, one_that_is_cut_off_behind_it_ends) {
  options.containment = HostHook::on;
  run([] {
    const Spawned process = spawn_monitor(hibernates, [tester = self()] {
      send(tester, here());
      receive<Go>();
      breaks_its_promise();
    });
    wait_until_away(receive<At>());
    send(process.pid, Go());
    EXPECT_EQ(reason_of(process), ExitReason::error("noexcept_violation"));
  });
}

// Who is asked something is woken for it, and then put away again.
TEST_P(Hibernators, it_answers_questions_and_is_put_away_again) {
  run([] {
    const Spawned process = spawn_monitor({.name = "asked", .hibernates = true}, [tester = self()] {
      send(tester, here());
      receive<Go>();
    });
    const At place = receive<At>();
    for (int i = 0; i < 5; ++i) {
      wait_until_away(place);
      const ProcessInfo info = process_info(process.pid, {.stack = true}).value();
      EXPECT_EQ(info.name, "asked");
      EXPECT_EQ(info.wait_reason, "receive");
      wait_until_away(place);
      EXPECT_TRUE(is_alive(process.pid));
      EXPECT_EQ(process_info(process.pid, {.timeout = 0ms})->state, ProcessState::waiting);
    }
    wait_until_away(place);
    suspend(process.pid);
    send(process.pid, Go());
    wait_until_away(place);  // suspended, with mail
    resume(process.pid);
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

[[gnu::noinline]] int use_much_stack() {
  volatile char large[500'000];
  large[0] = 7;
  return large[0];
}

TEST_P(Hibernators, a_larger_stack_comes_back_as_such) {
  run([] {
    const SpawnOptions with_much_stack{.stack_bytes = 1 << 20, .hibernates = true};
    const Spawned process = spawn_monitor(with_much_stack, [tester = self()] {
      send(tester, here());
      receive<Go>();
      send(tester, use_much_stack());
    });
    wait_until_away(receive<At>());
    send(process.pid, Go());
    EXPECT_EQ(receive<int>(), 7);
    EXPECT_EQ(reason_of(process), ExitReason::normal());
  });
}

// Then who goes round has ended. It comes again with the next wake.
TEST_P(Hibernators, nobody_goes_round_while_all_are_away) {
  run([] {
    const std::size_t others = processes().size();
    const Spawned process = spawn_monitor(hibernates, [tester = self()] {
      for (;;) {
        send(tester, here());
        receive<Go>();
      }
    });
    for (int i = 0; i < 5; ++i) {
      const At place = receive<At>();
      while (processes().size() != others + 1) yield();
      EXPECT_FALSE(is_resident(place.address));
      send(process.pid, Go());
    }
    receive<At>();
    send_exit(process.pid, ExitReason::kill());
    reason_of(process);
  });
}

// Whoever goes round is a process like any other, and may be killed, even before its first turn.
TEST_P(Hibernators, who_goes_round_and_is_killed_is_replaced_when_the_next_is_up) {
  run([] {
    const std::vector<Pid> others = processes();
    for (int i = 0; i < 20; ++i) {
      const Spawned process = spawn_monitor(hibernates, [] { receive<Go>(); });
      if (i % 2) yield();
      for (const Pid pid : processes()) {
        if (pid == process.pid || std::ranges::find(others, pid) != others.end()) continue;
        const Spawned walk{pid, monitor(pid)};
        send_exit(pid, ExitReason::kill());
        reason_of(walk);
      }
      send(process.pid, Go());
      EXPECT_EQ(reason_of(process), ExitReason::normal());
    }
    let_rounds_pass();
  });
}

// --- All at once. -------------------------------------------------------------------------------

struct Ping {
  Pid from;
  std::uint64_t number;
};
struct Pong {
  std::uint64_t sum;
};

// Sums up what it gets, through an address of its own; sometimes it waits with a time-out.
void sum_up() {
  std::uint64_t sum = 0;
  std::uint64_t* const mine = &sum;
  trap_exit(true);
  const std::string text = "longer than what a string keeps within itself";
  for (std::uint64_t i = 0;; ++i) {
    if (i % 7 == 3) sleep(1us);
    receive(
        [&](Ping ping) {
          *mine += ping.number;
          if (ping.number == 0) exit(ExitReason::of(text == "" ? 1 : 2));
          send(ping.from, Pong{sum});
        },
        [](const Exit&) {});
  }
}

// One of several that ping the same bodies. Each number that was sent is in the sum at the end.
std::uint64_t ping_around(const std::vector<Pid>& bodies, std::size_t who) {
  std::uint64_t sent = 0;
  for (const std::size_t round : rounds()) {
    const Pid body = bodies[(round * 7 + who) % bodies.size()];
    stagger(round + who);
    switch (round % 5) {
      case 0:
        link(body);
        unlink(body);
        break;
      case 1:
        process_info(body, {.stack = true});
        break;
      case 2:
        is_alive(body);
        break;
      default:
        break;
    }
    send(body, Ping{self(), round + 1});
    sent += round + 1;
    receive<Pong>();
    if (round % 97 == 0) let_rounds_pass();  // so that some are put away
  }
  return sent;
}

TEST_P(Hibernators, many_are_put_away_and_woken_while_others_ask_link_and_send) {
  run([] {
    std::vector<Pid> bodies;
    std::vector<MonitorRef> ends;
    for (int i = 0; i < 50; ++i) {
      const Spawned body = spawn_monitor(hibernates, &sum_up);
      bodies.push_back(body.pid);
      ends.push_back(body.ref);
    }
    constexpr std::size_t drivers = 3;
    for (std::size_t who = 0; who < drivers; ++who)
      spawn_link([&bodies, who, tester = self()] { send(tester, ping_around(bodies, who)); });
    std::uint64_t sent = 0;
    for (std::size_t who = 0; who < drivers; ++who) sent += receive<std::uint64_t>();
    let_rounds_pass();
    const std::uint64_t fetched = fetched_so_far();
    std::uint64_t summed = 0;
    for (const Pid body : bodies) {
      send(body, Ping{self(), 1});
      summed += receive<Pong>().sum - 1;
      send(body, Ping{self(), 0});
    }
    EXPECT_EQ(summed, sent);
    EXPECT_GE(fetched_so_far(), fetched + bodies.size()) << "all of them were away";
    for (const MonitorRef& ref : ends)
      EXPECT_EQ(receive(when([&](Down& down) { return down.ref == ref; },
                             [](Down& down) { return std::move(down.reason); })),
                ExitReason::of(2));
  });
}

// Kills meet bodies that rest, are held, are away, or are being fetched.
TEST_P(Hibernators, kills_find_them_wherever_they_are) {
  run([] {
    const auto alive = std::make_shared<int>(0);
    for (const std::size_t round : rounds()) {
      std::vector<Spawned> bodies;
      for (int i = 0; i < 4; ++i) {
        bodies.push_back(spawn_monitor(hibernates, [alive] {
          const auto mine = alive;
          for (;;) receive<Go>();
        }));
      }
      if (round % 64 == 0) let_rounds_pass();
      if (round % 8 == 1) sleep(std::chrono::microseconds(1000 + round % 3000));
      stagger(round);
      send(bodies[round % 4].pid, Go());
      for (const Spawned& body : bodies) send_exit(body.pid, ExitReason::kill());
      for (const Spawned& body : bodies) EXPECT_EQ(reason_of(body), ExitReason::killed());
    }
    EXPECT_EQ(alive.use_count(), 1);
  });
}

// A stop finds them away.
TEST_P(Hibernators, a_runtime_stops_with_all_of_them_away) {
  Runtime runtime(options);
  const Pid tester = runtime.spawn([] {
    for (int i = 0; i < 300; ++i) spawn(hibernates, [] { receive<Go>(); });
    for (;;) receive<Go>();
  });
  while (runtime.impl().system().hibernator.put_away() < 300) std::this_thread::yield();
  EXPECT_NE(tester, Pid());
  runtime.stop(60s);
  EXPECT_EQ(runtime.impl().system().table.alive(), 0U);
}

}  // namespace
}  // namespace airssys::rt::runtime::hibernator_test
