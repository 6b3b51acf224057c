// event_manager_test.cpp: event managers: events reach the handlers that take them, handlers come,
// go and fail one by one.
// Method: handlers that tell the test of everything; each order that is asserted follows from
// messages between two processes.
#include <airssys/rt/event_manager.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(EventManagerTest);

struct Seen {
  std::string what;
};
struct Alarm {
  std::string what;
};
struct Tick {};

struct Log : EventHandler<Log, Alarm, Down> {
  struct Count {
    using Reply = int;
  };
  struct Clear {
    using Reply = void;
  };
  struct Fail {
    using Reply = int;
  };
  struct Leave {
    using Reply = int;
  };

  explicit Log(std::string id, Pid to = Pid()) : name(std::move(id)), owner(to) {
    if (name == "bad") throw std::runtime_error("bad name");
  }
  void handle(const Alarm& alarm) {
    if (alarm.what == "fail " + name) throw std::runtime_error("as asked");
    if (alarm.what == "leave " + name) leave();
    ++count;
    say(alarm.what);
  }
  void handle(const Down&) { say("down"); }
  int handle(Count) const { return count; }
  void handle(Clear) { count = 0; }
  int handle(Fail) { throw std::runtime_error("in a call"); }
  int handle(Leave) {
    leave();
    return 7;
  }
  void terminate(const ExitReason& reason) {
    say("terminate " + reason.to_string());
    if (name == "worse") throw std::runtime_error("in terminate");
  }
  void say(const std::string& what) const { send(owner, Seen{name + ": " + what}); }

  std::string name;
  Pid owner;
  int count = 0;
};

struct Ticker : EventHandler<Ticker, Tick> {
  explicit Ticker(Pid to) : owner(to) {}
  explicit Ticker(Log&& log, Pid to) : owner(to), taken_over(log.count) {}
  void handle(const Tick&) const { send(owner, Seen{"tick " + std::to_string(taken_over)}); }

  Pid owner;
  int taken_over = 0;
};

struct Heir : EventHandler<Heir, Tick> {
  explicit Heir(Log&&) {}
  void handle(const Tick&) {}
};

std::string seen() {
  std::optional<Seen> seen = next<Seen>();
  return seen ? seen->what : "";
}

TEST_P(EventManagerTest, an_event_goes_to_those_that_take_it_in_the_order_they_were_added) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Log>(manager, "a", self());
    add_handler<Ticker>(manager, self());
    add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"x"});
    notify(manager, Tick{});
    notify(manager, std::string("nobody takes this"));
    notify(manager, Alarm{"y"});
    EXPECT_EQ(seen(), "a: x");
    EXPECT_EQ(seen(), "b: x");
    EXPECT_EQ(seen(), "tick 0");
    EXPECT_EQ(seen(), "a: y");
    EXPECT_EQ(seen(), "b: y");
  });
}

TEST_P(EventManagerTest, whatever_is_sent_to_the_manager_is_an_event) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Ticker>(manager, self());
    send_after(1ms, manager.pid(), Tick{});
    EXPECT_EQ(seen(), "tick 0");
  });
}

TEST_P(EventManagerTest, sync_notify_waits_until_it_has_been_handled) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "a", self());
    for (int i = 1; i <= 10; ++i) {
      sync_notify(manager, Alarm{"x"});
      EXPECT_FALSE(nothing_came<Seen>());
    }
    EXPECT_EQ(call(log, Log::Count{}), 10);
    call(log, Log::Clear{});
    EXPECT_EQ(call(log, Log::Count{}), 0);
  });
}

TEST_P(EventManagerTest, a_handler_that_fails_is_removed_and_nobody_else) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> a = add_handler<Log>(manager, "a", self());
    HandlerRef<Log> b = add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"fail a"});
    EXPECT_EQ(seen(), "a: terminate error: std::runtime_error: as asked");
    EXPECT_EQ(seen(), "b: fail a");
    auto lost = try_call(a, Log::Count{});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind(), CallError::noproc);
    EXPECT_EQ(call(b, Log::Count{}), 1);

    auto failed = try_call(b, Log::Fail{});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind(), CallError::exited);
    EXPECT_EQ(failed.error().reason().what(), "in a call");
    EXPECT_TRUE(which_handlers(manager).empty());
    EXPECT_TRUE(is_alive(manager.pid()));
  });
  EXPECT_TRUE(was_logged("removed handler"));
}

TEST_P(EventManagerTest, a_handler_that_fails_in_terminate_is_gone_all_the_same) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "worse", self());
    remove_handler(log);
    EXPECT_EQ(seen(), "worse: terminate normal");
    EXPECT_EQ(try_remove_handler(log).error().kind(), CallError::noproc);
  });
}

TEST_P(EventManagerTest, a_handler_may_leave_from_an_event_or_a_call) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Log>(manager, "a", self());
    HandlerRef<Log> b = add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"leave a"});
    EXPECT_EQ(seen(), "a: leave a");
    EXPECT_EQ(seen(), "a: terminate normal");
    EXPECT_EQ(seen(), "b: leave a");
    EXPECT_EQ(call(b, Log::Leave{}), 7);
    EXPECT_TRUE(which_handlers(manager).empty());
  });
}

TEST_P(EventManagerTest, a_handler_that_cannot_be_made_is_not_added) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    auto added = try_add_handler<Log>(manager, "bad", self());
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().reason().what(), "bad name");
    EXPECT_TRUE(which_handlers(manager).empty());
    stop(manager.pid());
    auto late = try_add_handler<Log>(manager, "late", self());
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().reason(), ExitReason::noproc());
  });
}

TEST_P(EventManagerTest, a_swapped_handler_hands_over_between_two_events) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "a", self());
    add_handler<Log>(manager, "b", self());
    sync_notify(manager, Alarm{"x"});
    HandlerRef<Ticker> ticker = swap_handler<Ticker>(log, self());
    notify(manager, Tick{});
    EXPECT_EQ(seen(), "a: x");
    EXPECT_EQ(seen(), "b: x");
    EXPECT_EQ(seen(), "a: terminate normal");
    EXPECT_EQ(seen(), "tick 1");
    EXPECT_EQ(which_handlers(manager).at(0).id, ticker.id());

    // The old one is gone: the new one is made without it, if it can be.
    swap_handler<Ticker>(log, self());
    EXPECT_FALSE(try_swap_handler<Heir>(log));
    EXPECT_EQ(which_handlers(manager).size(), 3U);
  });
}

TEST_P(EventManagerTest, a_supervised_handler_goes_with_its_owner) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    Pid owner = spawn([manager, test = self()] {
      add_supervised_handler<Log>(manager, "a", test);
      send(test, Seen{"added"});
      exit(receive<End>().reason);
    });
    EXPECT_EQ(seen(), "added");
    EXPECT_EQ(which_handlers(manager).at(0).owner, owner);
    end_child(owner, ExitReason::error("owner failed"));
    EXPECT_EQ(seen(), "a: terminate error: owner failed");
    EXPECT_TRUE(which_handlers(manager).empty());
  });
}

TEST_P(EventManagerTest, the_owner_of_a_supervised_handler_hears_how_it_went) {
  run([] {
    EventManagerRef manager = start_event_manager();
    HandlerRef<Log> removed = add_supervised_handler<Log>(manager, "removed");
    HandlerRef<Log> failing = add_supervised_handler<Log>(manager, "failing");
    HandlerRef<Log> swapped = add_supervised_handler<Log>(manager, "swapped");
    remove_handler(removed);
    auto exit = next<HandlerExit>();
    EXPECT_EQ(exit->id, removed.id());
    EXPECT_EQ(exit->reason, ExitReason::normal());
    notify(manager, Alarm{"fail failing"});
    exit = next<HandlerExit>();
    EXPECT_EQ(exit->id, failing.id());
    EXPECT_EQ(exit->reason.what(), "as asked");
    HandlerRef<Ticker> successor = swap_handler<Ticker>(swapped, self());
    exit = next<HandlerExit>();
    EXPECT_EQ(exit->id, swapped.id());
    EXPECT_EQ(exit->successor, successor.id());
    stop(manager.pid());
    exit = next<HandlerExit>();
    EXPECT_EQ(exit->id, successor.id());
    EXPECT_EQ(exit->reason, ExitReason::shutdown());
    EXPECT_TRUE(nothing_came<Exit>());
  });
}

TEST_P(EventManagerTest, the_owner_hears_through_its_link_of_a_manager_that_was_killed) {
  run([] {
    EventManagerRef manager = start_event_manager();
    add_supervised_handler<Log>(manager, "a");
    send_exit(manager.pid(), ExitReason::kill());
    EXPECT_EQ(exit_of(manager.pid()), ExitReason::killed());
  });
}

TEST_P(EventManagerTest, a_supervised_manager_ends_in_order_and_tells_its_handlers) {
  run([] {
    Pid top = start_supervisor_link(
        {.children = {child_event_manager("events", {.start = {.name = "events"}})}});
    add_handler<Log>("events", "a", self());
    terminate_child(top, "events");
    EXPECT_EQ(seen(), "a: terminate shutdown");
    restart_child(top, "events");
    EXPECT_TRUE(which_handlers("events").empty());
    stop(top, ExitReason::shutdown());
  });
}

}  // namespace
}  // namespace airssys::rt::test
