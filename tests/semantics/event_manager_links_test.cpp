// event_manager_links_test.cpp: how an event manager is tied to who started it, and to who owns
// handlers of it (G1, G14).
//
// Method: owners that lose their last handler, after which either of the two ends.
#include <airssys/rt.hpp>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::event_manager_links_test {
namespace {

class EventManagerLinks : public ServerRules {};
RT_WITH_SCHEDULERS(EventManagerLinks);

struct Tick {};
struct Deaf : EventHandler<Deaf, Tick> {
  void handle(const Tick&) {}
};

// It has owned handlers when this returns, and owns none.
void own_for_a_while(EventManagerRef manager) {
  const HandlerRef<Deaf> first = add_supervised_handler<Deaf>(manager);
  const HandlerRef<Deaf> second = add_supervised_handler<Deaf>(manager);
  for (const HandlerRef<Deaf>& handler : {first, second}) {
    remove_handler(handler);
    EXPECT_EQ(receive<HandlerExit>().id, handler.id());
  }
}

// G1, G3
TEST_P(EventManagerLinks, a_manager_may_be_started_with_a_monitor) {
  run([] {
    const StartedEventManager started = start_event_manager_monitor({.name = "events"});
    EXPECT_EQ(whereis("events"), started.manager.pid());
    EXPECT_TRUE(process_info(self())->links.empty());
    const auto second = try_start_event_manager_monitor({.name = "events"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), StartError::already_started);
    stop(started.manager.pid(), ExitReason::of(3));
    EXPECT_EQ(reason_in_down(started.ref), ExitReason::of(3));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G14
TEST_P(EventManagerLinks, a_manager_ends_with_its_parent_also_when_that_has_owned_handlers) {
  run([] {
    const Spawned parent = spawn_monitor([tester = self()] {
      const EventManagerRef manager = start_event_manager_link();
      own_for_a_while(manager);
      send(tester, manager.pid());
      receive<Go>();
      exit(ExitReason::of(1));
    });
    const MonitorRef manager = monitor(receive<Pid>());
    EXPECT_EQ(end(parent), ExitReason::of(1));
    EXPECT_EQ(reason_in_down(manager), ExitReason::of(1));
  });
}

TEST_P(EventManagerLinks,
       a_link_from_before_outlives_the_owners_handlers_and_one_for_them_does_not) {
  run([] {
    for (const bool is_linked : {true, false}) {
      const EventManagerRef manager = start_event_manager();
      if (is_linked) link(manager.pid());
      own_for_a_while(manager);
      stop(manager.pid());
      const std::optional<Exit> heard = receive<Exit>(Duration::zero());
      ASSERT_EQ(heard.has_value(), is_linked);
      if (is_linked) {
        EXPECT_EQ(heard->from, manager.pid());
      }
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::event_manager_links_test
