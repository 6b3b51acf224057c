// restart_policy_test.cpp: the rules that need no process: V3, V15, V27, V37, V40.
// Method: each is a table.
#include "supervision/restart_policy.hpp"

#include <gtest/gtest.h>

namespace airssys::rt::supervision::restart_policy_test {
namespace {

using namespace std::chrono_literals;

const ExitReason normal = ExitReason::normal();
const ExitReason shutdown = ExitReason::shutdown();
const ExitReason shutdown_with = ExitReason::shutdown("enough");
const ExitReason killed = ExitReason::killed();
const ExitReason error = ExitReason::error("boom");

TEST(RestartPolicy, a_permanent_child_is_always_started_again) {
  for (const ExitReason& reason : {normal, shutdown, shutdown_with, killed, error}) {
    EXPECT_EQ(after_end(Restart::permanent, reason), AfterEnd::restart);
  }
}

TEST(RestartPolicy, a_transient_child_is_started_again_unless_it_ended_in_order) {
  for (const ExitReason& reason : {normal, shutdown, shutdown_with}) {
    EXPECT_EQ(after_end(Restart::transient, reason), AfterEnd::keep);
  }
  for (const ExitReason& reason : {killed, error}) {
    EXPECT_EQ(after_end(Restart::transient, reason), AfterEnd::restart);
  }
}

TEST(RestartPolicy, a_temporary_child_is_forgotten_whatever_its_end) {
  for (const ExitReason& reason : {normal, shutdown, shutdown_with, killed, error}) {
    EXPECT_EQ(after_end(Restart::temporary, reason), AfterEnd::forget);
  }
}

TEST(RestartPolicy, every_end_of_a_permanent_child_is_reported_and_others_when_abnormal) {
  EXPECT_TRUE(is_end_reported(Restart::permanent, normal));
  EXPECT_FALSE(is_end_reported(Restart::transient, normal));
  EXPECT_FALSE(is_end_reported(Restart::temporary, shutdown_with));
  EXPECT_TRUE(is_end_reported(Restart::transient, error));
  EXPECT_TRUE(is_end_reported(Restart::temporary, killed));
}

TEST(RestartPolicy, a_stop_is_in_order_when_the_child_ends_as_it_was_asked_to) {
  for (Restart restart : {Restart::permanent, Restart::transient, Restart::temporary}) {
    EXPECT_TRUE(is_stop_in_order(restart, 1s, shutdown));
    EXPECT_TRUE(is_stop_in_order(restart, Shutdown::brutal_kill(), killed));
    EXPECT_FALSE(is_stop_in_order(restart, 1s, killed)) << "it had to be killed";
    EXPECT_FALSE(is_stop_in_order(restart, Shutdown::infinity(), error));
  }
  EXPECT_FALSE(is_stop_in_order(Restart::permanent, 1s, normal));
  EXPECT_FALSE(is_stop_in_order(Restart::permanent, 1s, shutdown_with));
  EXPECT_TRUE(is_stop_in_order(Restart::transient, 1s, normal));
  EXPECT_TRUE(is_stop_in_order(Restart::temporary, 1s, shutdown_with));
}

TEST(RestartPolicy, auto_shutdown_looks_at_the_significant_children_that_are_left) {
  EXPECT_FALSE(is_auto_shutdown(AutoShutdown::never, 0));
  EXPECT_TRUE(is_auto_shutdown(AutoShutdown::any_significant, 7));
  EXPECT_FALSE(is_auto_shutdown(AutoShutdown::all_significant, 1));
  EXPECT_TRUE(is_auto_shutdown(AutoShutdown::all_significant, 0));
}

TEST(RestartPolicy, a_shutdown_that_was_not_given_depends_on_the_type) {
  EXPECT_EQ(effective_shutdown({}, ChildType::worker), Shutdown(5s));
  EXPECT_EQ(effective_shutdown({}, ChildType::supervisor), Shutdown::infinity());
  EXPECT_EQ(effective_shutdown(2s, ChildType::supervisor), Shutdown(2s));
  EXPECT_EQ(effective_shutdown(Shutdown::brutal_kill(), ChildType::worker),
            Shutdown::brutal_kill());
}

}  // namespace
}  // namespace airssys::rt::supervision::restart_policy_test
