// circuit_breaker_test.cpp: a circuit breaker among processes: what calls through it answer, and
// that no end of a caller at any moment leaves it in a state it does not leave.
// Method: breakers with times of a millisecond or an hour; where one has to pass, the test asks
// until it has. Then many callers that are killed at random while the far end breaks and mends.
#include <airssys/rt/circuit_breaker.hpp>
#include <atomic>
#include <expected>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/supervision/support.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::test::circuit_breaker_test {
namespace {

WITH_SCHEDULERS(CircuitBreakerTest);

struct Broken : std::runtime_error {
  Broken() : std::runtime_error("broken") {}
};
int breaks() {
  throw Broken();
}
int works() {
  return 7;
}

// Opens at the second failure and stays so for the test.
CircuitBreaker stays_open() {
  return CircuitBreaker({.name = "far", .failures = 2, .open = {.first = 1h, .longest = 1h}});
}
// Probes again and again.
CircuitBreaker comes_back(unsigned probes = 1, Duration probe_time = 1h) {
  return CircuitBreaker({.name = "far",
                         .failures = 2,
                         .open = {.first = 1us, .longest = 1ms},
                         .probes = probes,
                         .probe_time = probe_time});
}
void break_it(const CircuitBreaker& breaker) {
  while (breaker.info().state == CircuitState::closed) EXPECT_THROW(breaker.call(breaks), Broken);
}
// The next permit that it gives.
CircuitPermit await_permit(const CircuitBreaker& breaker) {
  for (;;) {
    if (auto permit = breaker.try_permit()) return *std::move(permit);
    yield();
  }
}
void mend_it(const CircuitBreaker& breaker) {
  while (breaker.info().state != CircuitState::closed) await_permit(breaker).succeeded();
}

TEST_P(CircuitBreakerTest, a_call_answers_what_the_function_answers_or_throws) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    EXPECT_EQ(breaker.call(works), 7);
    EXPECT_EQ(*breaker.call([] { return std::make_unique<int>(8); }), 8);
    bool was_called = false;
    breaker.call([&] { was_called = true; });
    EXPECT_TRUE(was_called);
    EXPECT_EQ(breaker.try_call(works), 7);
    EXPECT_THROW(breaker.call(breaks), Broken);
    EXPECT_EQ(breaker.info().failures, 1U);
    EXPECT_EQ(breaker.info().last_failure.what(), "broken");
  });
}

TEST_P(CircuitBreakerTest, an_open_one_refuses_without_calling) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    break_it(breaker);
    bool was_called = false;
    auto f = [&] { was_called = true; };
    EXPECT_THROW(breaker.call(f), CircuitOpen);
    const CircuitOpen refused = breaker.try_call(f).error();
    EXPECT_FALSE(was_called);
    EXPECT_GT(refused.retry_after(), 30min);
    EXPECT_EQ(std::string(refused.what()).find("circuit breaker \"far\" is open: try again in"),
              0U);
    const CircuitInfo info = breaker.info();
    EXPECT_EQ(info.state, CircuitState::open);
    EXPECT_EQ(info.opened, 1U);
    EXPECT_EQ(info.refused, 2U);
    EXPECT_GT(info.retry_after, 30min);
  });
}

TEST_P(CircuitBreakerTest, an_expected_without_a_value_is_a_failure) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    auto fails = [] { return std::expected<int, std::string>(std::unexpected("no")); };
    EXPECT_EQ(breaker.call(fails).error(), "no");
    EXPECT_EQ(breaker.try_call(fails)->error(), "no");
    EXPECT_EQ(breaker.info().state, CircuitState::open);
    EXPECT_EQ(breaker.info().last_failure, ExitReason::of<std::string>("no"));
  });
}

TEST_P(CircuitBreakerTest, a_call_to_a_server_that_fails_counts_with_its_reason) {
  run([] {
    struct Ask {
      using Reply = int;
    };
    struct Oracle : Server<Oracle> {
      int handle(Ask) { throw std::runtime_error("unwell"); }
    };
    const CircuitBreaker breaker = stays_open();
    auto oracle = start<Oracle>();
    EXPECT_THROW(breaker.call([&] { return call(oracle, Ask{}); }), CallError);
    EXPECT_EQ(breaker.info().last_failure.what(), "unwell");
    EXPECT_FALSE(*breaker.try_call([&] { return try_call(oracle, Ask{}); }));
    EXPECT_EQ(breaker.info().last_failure, ExitReason::noproc());
  });
}

TEST_P(CircuitBreakerTest, whatever_is_thrown_is_a_failure) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    EXPECT_THROW(breaker.call([] { throw 42; }), int);
    EXPECT_THROW(breaker.call([] { exit(ExitReason::shutdown()); }), ExitException);
    EXPECT_EQ(breaker.info().state, CircuitState::open);
    EXPECT_EQ(breaker.info().last_failure, ExitReason::shutdown());
  });
}

TEST_P(CircuitBreakerTest, a_fallback_stands_in_for_what_fails_or_is_refused) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    auto fallback = [] { return 1; };
    EXPECT_EQ(breaker.call(works, fallback), 7);
    EXPECT_EQ(breaker.call(breaks, fallback), 1);
    EXPECT_EQ(breaker.call(breaks, fallback), 1);
    EXPECT_EQ(breaker.info().state, CircuitState::open);
    EXPECT_EQ(breaker.call(works, fallback), 1);
    using Answer = std::expected<int, std::string>;
    const CircuitBreaker other = stays_open();
    EXPECT_EQ(other.call([] { return Answer(std::unexpected("no")); }, fallback), 1);
    bool fell_back = false;
    other.call([] { throw Broken(); }, [&] { fell_back = true; });
    EXPECT_TRUE(fell_back);
  });
}

TEST_P(CircuitBreakerTest, a_fallback_does_not_keep_a_process_that_exits) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    const Pid caller =
        spawn_link([&] { breaker.call([] { exit(ExitReason::shutdown("enough")); }, [] {}); });
    EXPECT_EQ(exit_of(caller), ExitReason::shutdown("enough"));
  });
}

TEST_P(CircuitBreakerTest, a_fallback_stands_in_for_whatever_is_thrown_which_counts) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    EXPECT_EQ(breaker.call([]() -> int { throw 42; }, [] { return 1; }), 1);
    EXPECT_EQ(breaker.info().failures, 1U);
  });
}

TEST_P(CircuitBreakerTest, a_fallback_is_not_made_for_a_process_that_is_killed_in_its_call) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    std::atomic<bool> fell_back = false;
    const Pid caller = spawn_link([&, tester = self()] {
      breaker.call(
          [&] {
            send(tester, 1);
            receive<Message>();
          },
          [&] { fell_back = true; });
    });
    receive<int>();
    send_exit(caller, ExitReason::kill());
    EXPECT_EQ(exit_of(caller), ExitReason::killed());
    EXPECT_FALSE(fell_back);
    EXPECT_EQ(breaker.info().failures, 0U);
  });
}

TEST_P(CircuitBreakerTest, all_copies_share_one_state) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    for (int i = 0; i < 2; ++i) {
      const Pid caller = spawn_link([breaker] { breaker.call(breaks); });
      EXPECT_EQ(exit_of(caller).what(), "broken");
    }
    EXPECT_THROW(breaker.call(works), CircuitOpen);
  });
}

TEST_P(CircuitBreakerTest, it_comes_back_when_a_probe_succeeds) {
  run([] {
    const CircuitBreaker breaker = comes_back(3);
    for (int round = 0; round < 50; ++round) {
      break_it(breaker);
      while (!breaker.try_call(works)) yield();
      EXPECT_EQ(breaker.info().state, CircuitState::half_open);
      breaker.call(works);
      breaker.call(works);
      EXPECT_EQ(breaker.info().state, CircuitState::closed);
    }
    EXPECT_GE(breaker.info().opened, 50U);
  });
}

TEST_P(CircuitBreakerTest, half_open_lets_no_more_than_its_probes_through) {
  run([] {
    const CircuitBreaker breaker = comes_back(2);
    break_it(breaker);
    const CircuitPermit first = await_permit(breaker);
    const CircuitPermit second = breaker.permit();
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(breaker.try_permit());
  });
}

TEST_P(CircuitBreakerTest, a_probe_that_is_killed_leaves_its_place_to_the_next) {
  run([] {
    const CircuitBreaker breaker = comes_back();
    for (int round = 0; round < 50; ++round) {
      break_it(breaker);
      const Pid prober = spawn_link([breaker, owner = self()] {
        auto permit = await_permit(breaker);
        send(owner, Up{"prober", self()});
        sleep(1h);
      });
      up("prober");
      EXPECT_FALSE(breaker.try_permit());
      send_exit(prober, ExitReason::kill());
      exit_of(prober);
      EXPECT_EQ(breaker.info().state, CircuitState::half_open);
      EXPECT_EQ(breaker.call(works), 7);
      EXPECT_EQ(breaker.info().state, CircuitState::closed);
    }
  });
}

TEST_P(CircuitBreakerTest, a_probe_that_hangs_counts_as_failed_after_its_time) {
  run([] {
    const CircuitBreaker breaker = comes_back(1, 1ms);
    break_it(breaker);
    const std::uint64_t opened = breaker.info().opened;
    const CircuitPermit hangs = await_permit(breaker);
    mend_it(breaker);
    EXPECT_GT(breaker.info().opened, opened);
  });
}

TEST_P(CircuitBreakerTest, a_permit_may_outlive_its_breaker) {
  run([] {
    CircuitPermit permit = stays_open().permit();
    CircuitPermit moved = std::move(permit);
    moved.failed(ExitReason::timeout());
  });
}

TEST_P(CircuitBreakerTest, a_reset_closes_it_at_once) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    break_it(breaker);
    breaker.reset();
    EXPECT_EQ(breaker.call(works), 7);
    EXPECT_EQ(breaker.info().failures, 0U);
  });
}

TEST_P(CircuitBreakerTest, subscribers_hear_of_each_change_and_the_log_too) {
  run([] {
    const CircuitBreaker breaker = comes_back();
    breaker.subscribe();
    breaker.subscribe();  // once is enough
    break_it(breaker);
    CircuitChange change = *next<CircuitChange>();
    EXPECT_EQ(change.name, "far");
    EXPECT_EQ(change.to, CircuitState::open);
    EXPECT_EQ(change.reason.what(), "broken");
    std::uint64_t number = change.number;
    mend_it(breaker);
    for (const CircuitState state : {CircuitState::half_open, CircuitState::closed}) {
      change = *next<CircuitChange>();
      EXPECT_EQ(change.to, state);
      EXPECT_EQ(change.number, ++number);
    }
    breaker.unsubscribe();
    break_it(breaker);
    EXPECT_TRUE(nothing_came<CircuitChange>());
  });
  EXPECT_TRUE(was_logged("circuit breaker \"far\": closed -> open for "));
  EXPECT_TRUE(was_logged("circuit breaker \"far\": half open -> closed"));
}

class CircuitReports : public support::KeptReports {};
RT_WITH_SCHEDULERS(CircuitReports);

TEST_P(CircuitReports, each_change_is_a_report_for_machines_too) {
  run([] {
    const CircuitBreaker breaker = stays_open();
    break_it(breaker);
    breaker.reset();
  });
  const std::vector<Report> changes = reports_of("circuit");
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].severity(), Severity::warning);
  EXPECT_EQ(field(changes[0], "name"), "far");
  EXPECT_EQ(field(changes[0], "from"), "closed");
  EXPECT_EQ(field(changes[0], "to"), "open");
  EXPECT_TRUE(field(changes[0], "reason").ends_with("broken")) << field(changes[0], "reason");
  EXPECT_GT(field<std::uint64_t>(changes[0], "wait_ms"), 0U);
  EXPECT_EQ(changes[1].severity(), Severity::notice);
  EXPECT_EQ(field(changes[1], "from"), "open");
  EXPECT_EQ(field(changes[1], "to"), "closed");
  EXPECT_EQ(field(changes[1], "reason"), "") << "nothing has failed";
  EXPECT_EQ(field<std::uint64_t>(changes[1], "number"),
            field<std::uint64_t>(changes[0], "number") + 1);
}

TEST_P(CircuitBreakerTest, subscribers_that_have_ended_trouble_nobody) {
  run([] {
    const CircuitBreaker breaker = comes_back();
    const Pid gone = spawn_link([breaker] { breaker.subscribe(); });
    exit_of(gone);
    breaker.subscribe();
    break_it(breaker);
    EXPECT_EQ(next<CircuitChange>()->to, CircuitState::open);
  });
}

TEST_P(CircuitBreakerTest, options_that_make_no_sense_are_refused) {
  EXPECT_THROW(CircuitBreaker({.failures = 0}), BadArgument);
  EXPECT_THROW(CircuitBreaker({.probes = 0}), BadArgument);
  EXPECT_THROW(CircuitBreaker({.window = -1ns}), BadArgument);
  EXPECT_THROW(CircuitBreaker({.probe_time = 0s}), BadArgument);
  EXPECT_THROW(CircuitBreaker({.open = {}}), BadArgument);
  EXPECT_THROW(CircuitBreaker({.open = {.first = 1h}}), BadArgument);
  const RestartBackoff senseless[] = {{.first = 1s, .factor = 0.5},
                                      {.first = 1s, .jitter = -0.1},
                                      {.first = 1s, .jitter = 1.5},
                                      {.first = 1s, .stable_after = -1s}};
  for (const RestartBackoff& open : senseless) {
    try {
      const CircuitBreaker breaker({.name = "far", .open = open});
      ADD_FAILURE() << "it was taken";
    } catch (const BadArgument& error) {
      EXPECT_EQ(std::string(error.what()).find("circuit breaker \"far\": open."), 0U)
          << error.what();
    }
  }
}

// The far end works or not as the test says; callers are killed wherever they are.
TEST_P(CircuitBreakerTest, callers_killed_at_any_moment_never_leave_it_stuck) {
  run([] {
    constexpr int callers = 16;
    const CircuitBreaker breaker = comes_back(2);
    std::atomic<bool> is_broken = false;
    std::atomic<int> answered = 0;
    std::mt19937 random(GetParam());
    auto caller = [&] {
      for (;;) {
        auto answer = breaker.try_call([&] {
          yield();
          if (is_broken) throw Broken();
          ++answered;
        });
        if (!answer) yield();
      }
    };
    std::vector<Pid> pids;
    for (int i = 0; i < callers; ++i) pids.push_back(spawn_link(caller));
    for (int round = 0; round < 300; ++round) {
      is_broken = round % 3 == 1;
      for (Pid& pid : pids) {
        if (random() % 4 == 0) send_exit(pid, ExitReason::kill());
      }
      yield();
      for (Pid& pid : pids) {
        if (!is_alive(pid)) pid = spawn_link(caller);
      }
    }
    is_broken = false;
    const int before = answered;
    while (answered == before || breaker.info().state != CircuitState::closed) yield();
    for (const Pid pid : pids) send_exit(pid, ExitReason::kill());
    for (const Pid pid : pids) end_of(pid);
  });
}

}  // namespace
}  // namespace airssys::rt::test::circuit_breaker_test
