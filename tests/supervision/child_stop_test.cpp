// child_stop_test.cpp: how one child, and many, are stopped (V13, V14, V16).
// Method: this process is the supervisor.
#include "supervision/child_stop.hpp"

#include <string>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::supervision::child_stop_test {
namespace {

using namespace airssys::rt::test;

WITH_SCHEDULERS(ChildStopTest);

void nobody_is_stuck(Pid pid, const ExitReason& /*signal*/) {
  ADD_FAILURE() << pid.to_string() << " is said to be stuck";
}

Pid linked_worker(std::string id) {
  const Pid pid = start_body_link(obedient(id));
  up(id);
  return pid;
}

TEST_P(ChildStopTest, a_child_is_asked_and_its_exit_is_taken_out_of_the_mailbox) {
  run([] {
    Pid a = linked_worker("a");
    EXPECT_EQ(stop_child(a, 1h, nobody_is_stuck), ExitReason::shutdown());
    EXPECT_EQ(next<Going>()->id, "a");
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(ChildStopTest, with_no_time_at_all_it_is_asked_and_killed) {
  run([] {
    ExitReason reason = stop_child(linked_worker("a"), 0s, nobody_is_stuck);
    EXPECT_TRUE(reason == ExitReason::shutdown() || reason == ExitReason::killed());
  });
}

TEST_P(ChildStopTest, other_mail_stays_as_it_is) {
  run([] {
    Pid a = linked_worker("a");
    Pid b = linked_worker("b");
    send(self(), 1);
    end_child(b, ExitReason::error("boom"));
    send(self(), 2);
    stop_child(a, Shutdown::brutal_kill(), nobody_is_stuck);
    EXPECT_EQ(next<Message>()->take<int>(), 1);
    EXPECT_EQ(next<Message>()->take<Exit>().from, b);
    EXPECT_EQ(next<Message>()->take<int>(), 2);
  });
}

TEST_P(ChildStopTest, the_reason_of_a_child_that_is_dead_already_comes_from_its_exit) {
  run([] {
    Pid a = linked_worker("a");
    end_child(a, ExitReason::error("boom"));
    EXPECT_EQ(stop_child(a, Shutdown::infinity(), nobody_is_stuck), ExitReason::error("boom"));
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(ChildStopTest, many_are_stopped_with_the_reason_of_each) {
  run([] {
    Pid dead = linked_worker("dead");
    end_child(dead, ExitReason::error("boom"));
    std::vector<Stopping> children = {{dead, Shutdown::infinity()},
                                      {linked_worker("asked"), Shutdown::infinity()},
                                      {linked_worker("killed"), Shutdown::brutal_kill()}};
    stop_all(children, nobody_is_stuck);
    EXPECT_EQ(children[0].reason, ExitReason::error("boom"));
    EXPECT_EQ(children[1].reason, ExitReason::shutdown());
    EXPECT_EQ(children[2].reason, ExitReason::killed());
  });
}

}  // namespace
}  // namespace airssys::rt::supervision::child_stop_test
