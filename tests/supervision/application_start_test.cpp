// application_start_test.cpp: what ends applications while they start does not wait for that.
// Method: an application whose child has not started before the test says so.
#include <string>
#include <utility>
#include <vector>

#include "tests/supervision/applications.hpp"

namespace airssys::rt::test::application_start_test {
namespace {

class ApplicationStart : public Applications {};
RT_WITH_SCHEDULERS(ApplicationStart);

// Whose child says Up, and has not started before it gets Go.
struct Go {};
Application slow(std::string name, Duration shutdown = 1h) {
  Application slow = app(name);
  slow.shutdown = shutdown;
  slow.tree.children = {child(name,
                              [name, owner = self()](Starter starter) {
                                trap_exit(true);
                                send(owner, Up{name, self()});
                                receive<Go>();
                                starter.acknowledge();
                                send(owner, Going{name, receive<Exit>().reason});
                              },
                              {.shutdown = Shutdown::infinity()})};
  return slow;
}

TEST_P(ApplicationStart, a_shutdown_does_not_wait_for_a_start_that_takes_for_ever) {
  run([this] {
    const Pid server = serve({app("a"), slow("b", 5ms), app("c", {"b"})});
    up("a");
    const Pid b = up("b");
    const Pid root = process_info(b)->parent;
    EXPECT_EQ(stop_by(server, ExitReason::shutdown()).what(), "killed at the deadline: b");
    EXPECT_EQ(next_goings(1), "a");
    EXPECT_FALSE(is_alive(b));
    const std::vector<Report> survivors = reports_of("survivor");
    ASSERT_EQ(survivors.size(), 3U) << "who starts it, its root, and the child";
    EXPECT_EQ(field(survivors[0], "waits_for_pid"), root.to_string());
    EXPECT_EQ(field(survivors[0], "label"), "application \"b\"");
    EXPECT_EQ(field(survivors[2], "pid"), b.to_string());
    EXPECT_FALSE(receive<Message>(0s)) << "c was never started";
  });
}

TEST_P(ApplicationStart, what_has_begun_to_start_before_the_shutdown_is_stopped_in_order) {
  run([] {
    const Pid owner = self();
    const Pid server =
        spawn_link([owner, applications = std::vector{app("a"), slow("b"), app("c")}] {
          trap_exit(true);
          try {
            serve_applications({.applications = applications, .shutdown = 1h});
          } catch (const ExitException& exit) {
            EXPECT_EQ(exit.reason(), ExitReason::shutdown());
          }
          EXPECT_FALSE(receive<Message>(0s)) << "it leaves nothing in the mailbox";
          send(owner, Started());
        });
    up("a");
    const Pid b = up("b");
    send_exit(server, ExitReason::shutdown());
    send(b, Go());
    receive<Started>();
    EXPECT_EQ(next_goings(2), "ba");
    EXPECT_FALSE(receive<Up>(0s)) << "c was never started";
  });
}

TEST_P(ApplicationStart, the_end_of_one_ends_all_while_another_starts) {
  run([] {
    const Pid server = serve({app("a"), app("t", {}, ApplicationType::temporary), slow("b")});
    const Pid a = up("a");
    const Pid t = up("t");
    const Pid b = up("b");
    const Pid keeper = process_info(process_info(b)->parent)->parent;
    end_child(t);  // which means nothing
    end_child(a);
    while (process_info(server)->waits_for != keeper) yield();  // until that has stopped b
    send(b, Go());
    EXPECT_EQ(exit_of(server).what(), "application \"a\" has ended: shutdown");
    EXPECT_EQ(next_goings(1), "b");
  });
}

// Whose root leaves no room in the process table.
Application crowding(std::string name) {
  const auto fill = [] {
    while (try_spawn({.link = true}, [] { receive<End>(); })) {
    }
  };
  return {.name = name, .start = [fill, body = obedient(name)] {
            const Pid root = start_body_link(body);
            fill();
            return root;
          }};
}

TEST_P(ApplicationStart, where_there_is_no_room_for_one_those_before_it_are_stopped_in_reverse) {
  options.max_processes = 50;
  run([] {
    trap_exit(true);
    try {
      serve_applications({.applications = {app("a"), crowding("b"), app("c")}});
      ADD_FAILURE() << "there was room";
    } catch (const StartError& error) {
      EXPECT_EQ(error.kind(), StartError::error);
      EXPECT_TRUE(says(error.what(), "application \"c\" could not be started: ")) << error.what();
    }
    EXPECT_EQ(next_goings(2), "ba");
  });
  ASSERT_EQ(reports_of("application").size(), 1U);
  EXPECT_EQ(field(reports_of("application")[0], "context"), "start_error");
}

}  // namespace
}  // namespace airssys::rt::test::application_start_test
