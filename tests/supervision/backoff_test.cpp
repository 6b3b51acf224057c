// backoff_test.cpp: how long a child waits for its restart, and that its siblings do not.
// Method: the plain rule with given times and chances; then whole trees, where a wait shows as the
// state `restarting` and never as a time that is measured.
#include "supervision/backoff.hpp"

#include <airssys/rt/supervisor.hpp>
#include <string>

#include "tests/supervision/support.hpp"

namespace airssys::rt::supervision::backoff_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t least = 0;
constexpr std::uint64_t most = ~std::uint64_t{0};
constexpr RestartBackoff options{
    .first = 100ms, .longest = 1s, .factor = 2.0, .jitter = 0.5, .stable_after = 10s};

TEST(Backoff, each_failure_in_a_row_waits_longer_up_to_the_longest) {
  Backoff backoff;
  for (Duration expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    EXPECT_EQ(backoff.ended(options, 0, least), expected);
  }
}

TEST(Backoff, chance_takes_at_most_its_share) {
  Backoff backoff;
  const Duration wait = backoff.ended(options, 0, most);
  EXPECT_GE(wait, 50ms);
  EXPECT_LT(wait, 51ms);
}

TEST(Backoff, a_child_that_was_stable_begins_anew) {
  Backoff backoff;
  EXPECT_EQ(backoff.ended(options, 0, least), 100ms);
  backoff.started(0);
  EXPECT_EQ(backoff.ended(options, Duration(9s).count(), least), 200ms);
  backoff.started(0);
  EXPECT_EQ(backoff.ended(options, Duration(10s).count(), least), 100ms);
}

TEST(Backoff, without_a_longest_wait_they_grow_as_far_as_a_century) {
  Backoff backoff;
  Duration wait = {};
  for (int i = 0; i < 100; ++i) {
    const Duration next = backoff.ended({.first = 1s, .longest = infinite}, 0, least);
    EXPECT_GE(next, wait);
    wait = next;
  }
  EXPECT_EQ(wait, std::chrono::years(100));
}

// 2^1024 is beyond a double.
TEST(Backoff, without_a_first_wait_there_is_none_however_often_a_child_fails) {
  Backoff backoff;
  for (int i = 0; i < 1100; ++i) ASSERT_EQ(backoff.ended({}, 0, least), 0s) << "failure " << i;
}

TEST(Backoff, a_factor_beyond_all_bounds_leaves_the_longest_wait) {
  Backoff backoff;
  backoff.ended({.first = 1ns, .factor = 1e308}, 0, least);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(backoff.ended({.first = 1ns, .factor = 1e308}, 0, least), std::chrono::minutes(1));
}

}  // namespace
}  // namespace airssys::rt::supervision::backoff_test

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(BackoffTest);

ChildSpec patient(std::string id, Duration wait) {
  return worker(std::move(id), {.backoff = {.first = wait, .jitter = 0.0}});
}

TEST_P(BackoffTest, a_child_waits_for_its_restart_while_its_siblings_run_and_restart) {
  run([] {
    Pid top = start_supervisor_link(
        {.intensity = 10, .children = {patient("slow", 1h), worker("quick")}});
    Pid slow = up("slow");
    end_child(slow);
    end_child(up("quick"));
    up("quick");
    EXPECT_EQ(children_of(top), "quick:running slow:restarting");
    terminate_child(top, "slow");  // gives the wait up
    EXPECT_EQ(children_of(top), "quick:running slow:stopped");
    restart_child(top, "slow");
    EXPECT_NE(up("slow"), slow);
    stop(top, ExitReason::shutdown());
  });
}

// V31
TEST_P(BackoffTest, the_restart_of_a_sibling_that_takes_it_along_ends_a_childs_wait) {
  run([] {
    for (const Strategy strategy : {Strategy::rest_for_one, Strategy::one_for_all}) {
      Pid top = start_supervisor_link(
          {.strategy = strategy, .children = {worker("quick"), patient("slow", 1h)}});
      const Pid quick = up("quick");
      end_child(up("slow"));
      EXPECT_EQ(children_of(top), "slow:restarting quick:running");
      end_child(quick);
      EXPECT_EQ(next_ups(2), "quickslow");
      EXPECT_EQ(children_of(top), "slow:running quick:running") << "one restart, as is allowed";
      stop(top, ExitReason::shutdown());
    }
  });
}

TEST_P(BackoffTest, a_child_comes_back_after_its_wait) {
  run([] {
    Pid top = start_supervisor_link({.intensity = 10, .children = {patient("a", 1ms)}});
    for (int i = 0; i < 3; ++i) end_child(up("a"));
    up("a");
    stop(top, ExitReason::shutdown());
  });
}

// The first wait is short, the second longer than any test.
TEST_P(BackoffTest, a_wait_that_was_given_up_does_not_cut_the_next_one_short) {
  run([] {
    Pid top = start_supervisor_link(
        {.intensity = 10,
         .children = {worker(
             "a", {.backoff = {.first = 5ms, .longest = 1h, .factor = 1e6, .jitter = 0.0}})}});
    end_child(up("a"));
    terminate_child(top, "a");
    end_child(restart_child(top, "a"));
    EXPECT_EQ(children_of(top), "a:restarting");
    sleep(6ms);
    EXPECT_EQ(children_of(top), "a:restarting");
    stop(top, ExitReason::shutdown());
  });
}

TEST_P(BackoffTest, a_dynamic_child_waits_as_well) {
  run([] {
    Pid top = start_dynamic_supervisor_link({.intensity = 10});
    Pid slow = start_child(top, patient("slow", 1h));
    start_child(top, patient("quick", 1ms));
    up("slow");
    end_child(slow);
    end_child(up("quick"));
    up("quick");
    std::string states = children_of(top);
    EXPECT_NE(states.find("slow:restarting"), std::string::npos) << states;
    EXPECT_NE(states.find("quick:running"), std::string::npos) << states;
    stop(top, ExitReason::shutdown());
  });
}

}  // namespace
}  // namespace airssys::rt::test
