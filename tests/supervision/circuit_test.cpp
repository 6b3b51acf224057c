// circuit_test.cpp: the rules of a circuit breaker: when it opens, whom it lets through, how it
// comes back.
// Method: a circuit by itself, with times out of the test's hand and back-offs without chance.
#include "supervision/circuit.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace airssys::rt::supervision::circuit_test {
namespace {

using namespace std::chrono_literals;

const ExitReason broken = ExitReason::error("broken");

CircuitBreakerOptions options() {
  return {.failures = 3,
          .open = {.first = 100ns, .longest = 300ns, .jitter = 0, .stable_after = 1000ns},
          .probe_time = 50ns};
}

// Fails so often at this time that the circuit opens.
void fail_until_open(Circuit& circuit, std::int64_t now) {
  while (circuit.state() == CircuitState::closed)
    circuit.failed(circuit.ask(now).value(), broken, now);
}

TEST(CircuitTest, opens_at_so_many_failures_in_a_row) {
  Circuit circuit(options(), 0);
  for (int failure = 0; failure < 3; ++failure) {
    EXPECT_EQ(circuit.state(), CircuitState::closed);
    EXPECT_EQ(circuit.failures(10), failure);
    circuit.failed(circuit.ask(10).value(), broken, 10);
  }
  EXPECT_EQ(circuit.state(), CircuitState::open);
  EXPECT_EQ(circuit.opened(), 1U);
  EXPECT_EQ(circuit.last_failure(), broken);
}

TEST(CircuitTest, a_success_makes_earlier_failures_in_a_row_forgotten) {
  Circuit circuit(options(), 0);
  for (int round = 0; round < 10; ++round) {
    circuit.failed(circuit.ask(10).value(), broken, 10);
    circuit.failed(circuit.ask(10).value(), broken, 10);
    EXPECT_TRUE(circuit.minds_success());
    circuit.succeeded(circuit.ask(10).value(), 10);
    EXPECT_FALSE(circuit.minds_success());
  }
  EXPECT_EQ(circuit.state(), CircuitState::closed);
}

TEST(CircuitTest, in_a_window_only_failures_within_it_count_and_successes_change_nothing) {
  CircuitBreakerOptions with_window = options();
  with_window.window = 20ns;
  Circuit circuit(with_window, 0);
  for (const std::int64_t now : {0, 11, 22, 33, 44}) {
    circuit.failed(circuit.ask(now).value(), broken, now);
    circuit.succeeded(circuit.ask(now).value(), now);
    EXPECT_FALSE(circuit.minds_success());
  }
  EXPECT_EQ(circuit.state(), CircuitState::closed);
  EXPECT_EQ(circuit.failures(44), 2U);
  EXPECT_EQ(circuit.failures(70), 0U);
  circuit.failed(circuit.ask(50).value(), broken, 50);
  EXPECT_EQ(circuit.state(), CircuitState::open) << "33, 44 and 50 lie within 20";
}

TEST(CircuitTest, an_open_one_refuses_until_its_time_is_up_and_then_probes) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 10);
  EXPECT_EQ(circuit.refuses_until_ns(), 110);
  EXPECT_EQ(circuit.ask(109).error(), 110);
  EXPECT_EQ(circuit.state(), CircuitState::open);
  const std::uint64_t number = circuit.ask(110).value();
  EXPECT_EQ(circuit.state(), CircuitState::half_open);
  EXPECT_EQ(circuit.ask(111).error(), 160) << "there is a probe, which has until then";
  circuit.succeeded(number, 120);
  EXPECT_EQ(circuit.state(), CircuitState::closed);
  EXPECT_EQ(circuit.failures(120), 0U);
}

TEST(CircuitTest, closes_when_all_probes_have_succeeded_and_lets_no_more_through) {
  CircuitBreakerOptions three = options();
  three.probes = 3;
  Circuit circuit(three, 0);
  fail_until_open(circuit, 0);
  const std::uint64_t number = circuit.ask(100).value();
  EXPECT_EQ(circuit.ask(100), number);
  EXPECT_EQ(circuit.refuses_until_ns(), 0) << "asking is worth while";
  circuit.succeeded(number, 110);
  EXPECT_EQ(circuit.ask(110), number);
  EXPECT_FALSE(circuit.ask(110));
  circuit.succeeded(number, 120);
  EXPECT_EQ(circuit.state(), CircuitState::half_open);
  circuit.succeeded(number, 120);
  EXPECT_EQ(circuit.state(), CircuitState::closed);
}

TEST(CircuitTest, each_failed_probe_makes_the_next_wait_longer_up_to_the_longest) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 0);
  EXPECT_EQ(circuit.refuses_until_ns(), 100);
  circuit.failed(circuit.ask(100).value(), broken, 100);
  EXPECT_EQ(circuit.refuses_until_ns(), 300);
  circuit.failed(circuit.ask(300).value(), broken, 300);
  EXPECT_EQ(circuit.refuses_until_ns(), 600);
  EXPECT_EQ(circuit.opened(), 3U);
}

TEST(CircuitTest, the_waits_begin_anew_once_it_has_been_closed_for_long) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 0);
  circuit.succeeded(circuit.ask(100).value(), 100);
  fail_until_open(circuit, 500);
  EXPECT_EQ(circuit.refuses_until_ns(), 700) << "it was closed for 400 only";
  circuit.succeeded(circuit.ask(700).value(), 700);
  fail_until_open(circuit, 1700);
  EXPECT_EQ(circuit.refuses_until_ns(), 1800);
}

TEST(CircuitTest, a_probe_that_was_not_made_leaves_its_place_to_the_next) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 0);
  const std::uint64_t number = circuit.ask(100).value();
  circuit.not_made(number);
  EXPECT_EQ(circuit.state(), CircuitState::half_open);
  EXPECT_EQ(circuit.refuses_until_ns(), 0);
  EXPECT_EQ(circuit.ask(1'000'000), number) << "and for that there is no hurry";
  EXPECT_EQ(circuit.ask(1'000'010).error(), 1'000'050);
}

TEST(CircuitTest, a_probe_that_does_not_come_back_has_failed) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 0);
  const std::uint64_t number = circuit.ask(100).value();
  EXPECT_EQ(circuit.ask(150).error(), 350);
  EXPECT_EQ(circuit.state(), CircuitState::open);
  EXPECT_EQ(circuit.last_failure(), ExitReason::timeout());
  circuit.succeeded(number, 160);
  EXPECT_EQ(circuit.state(), CircuitState::open) << "its word comes too late";
}

TEST(CircuitTest, a_word_about_a_call_from_before_the_last_change_means_nothing) {
  Circuit circuit(options(), 0);
  const std::uint64_t early = circuit.ask(0).value();
  fail_until_open(circuit, 0);
  circuit.succeeded(early, 10);
  circuit.not_made(early);
  EXPECT_EQ(circuit.state(), CircuitState::open);
  const std::uint64_t probe = circuit.ask(100).value();
  circuit.failed(early, broken, 100);
  circuit.not_made(early);
  circuit.succeeded(early, 100);
  EXPECT_EQ(circuit.state(), CircuitState::half_open);
  EXPECT_FALSE(circuit.ask(100));
  circuit.succeeded(probe, 110);
  for (int failure = 0; failure < 5; ++failure) circuit.failed(early, broken, 110);
  EXPECT_EQ(circuit.state(), CircuitState::closed);
}

TEST(CircuitTest, a_reset_closes_it_and_forgets) {
  Circuit circuit(options(), 0);
  fail_until_open(circuit, 0);
  circuit.reset(10);
  EXPECT_EQ(circuit.state(), CircuitState::closed);
  circuit.failed(circuit.ask(10).value(), broken, 10);
  circuit.reset(10);
  EXPECT_EQ(circuit.failures(10), 0U);
}

TEST(CircuitTest, each_change_has_a_number_of_its_own) {
  Circuit circuit(options(), 0);
  EXPECT_EQ(circuit.number(), 1U);
  fail_until_open(circuit, 0);
  EXPECT_EQ(circuit.number(), 2U);
  const std::uint64_t probe = circuit.ask(100).value();
  EXPECT_EQ(probe, 3U);
  circuit.succeeded(probe, 100);
  EXPECT_EQ(circuit.number(), 4U);
}

TEST(CircuitTest, a_time_beyond_the_clock_is_never) {
  CircuitBreakerOptions endless = options();
  endless.probe_time = infinite;
  Circuit circuit(endless, 0);
  fail_until_open(circuit, 10);
  circuit.ask(110).value();
  EXPECT_EQ(circuit.refuses_until_ns(), Deadline::never_ns);
}

}  // namespace
}  // namespace airssys::rt::supervision::circuit_test
