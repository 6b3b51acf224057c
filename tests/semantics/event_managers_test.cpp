// event_managers_test.cpp: event managers: events reach the handlers that take them; handlers come,
// go and fail one by one, and take nobody along.
//
// Method: handlers that tell the test of everything; each order that is asserted follows from
// messages between two processes.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::event_managers_test {
namespace {

using namespace std::chrono_literals;

class EventManagers : public ServerRules {};
RT_WITH_SCHEDULERS(EventManagers);

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
  void say(const std::string& what) const { send(owner, Said{name + ": " + what}); }

  std::string name;
  Pid owner;
  int count = 0;
};

struct Ticker : EventHandler<Ticker, Tick> {
  explicit Ticker(Pid to) : owner(to) {}
  explicit Ticker(Log&& log, Pid to) : owner(to), taken_over(log.count) {}
  void handle(const Tick&) const { send(owner, Said{"tick " + std::to_string(taken_over)}); }

  Pid owner;
  int taken_over = 0;
};

struct Heir : EventHandler<Heir, Tick> {
  explicit Heir(Log&&) {}
  void handle(const Tick&) {}
};

TEST_P(EventManagers, an_event_goes_to_those_that_take_it_in_the_order_they_were_added) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Log>(manager, "a", self());
    add_handler<Ticker>(manager, self());
    add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"x"});
    notify(manager, Tick{});
    notify(manager, std::string("nobody takes this"));
    notify(manager, Alarm{"y"});
    EXPECT_EQ(said(), "a: x");
    EXPECT_EQ(said(), "b: x");
    EXPECT_EQ(said(), "tick 0");
    EXPECT_EQ(said(), "a: y");
    EXPECT_EQ(said(), "b: y");
  });
}

TEST_P(EventManagers, whatever_is_sent_to_the_manager_is_an_event) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Ticker>(manager, self());
    send_after(1ms, manager.pid(), Tick{});
    EXPECT_EQ(said(), "tick 0");
  });
}

TEST_P(EventManagers, sync_notify_waits_until_it_has_been_handled) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "a", self());
    for (int i = 1; i <= 10; ++i) {
      sync_notify(manager, Alarm{"x"});
      EXPECT_TRUE(receive<Said>(0ms));
    }
    EXPECT_EQ(call(log, Log::Count{}), 10);
    call(log, Log::Clear{});
    EXPECT_EQ(call(log, Log::Count{}), 0);
  });
}

TEST_P(EventManagers, a_handler_that_fails_is_removed_and_nobody_else) {
  run([this] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> a = add_handler<Log>(manager, "a", self());
    HandlerRef<Log> b = add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"fail a"});
    EXPECT_EQ(said(), "a: terminate error: std::runtime_error: as asked");
    EXPECT_EQ(said(), "b: fail a");
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
    EXPECT_EQ(logged("removed handler"), 2) << log_text();
  });
}

TEST_P(EventManagers, a_handler_that_fails_in_terminate_is_gone_all_the_same) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "worse", self());
    remove_handler(log);
    EXPECT_EQ(said(), "worse: terminate normal");
    EXPECT_EQ(try_remove_handler(log).error().kind(), CallError::noproc);
  });
}

TEST_P(EventManagers, a_handler_may_leave_from_an_event_or_a_call) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    add_handler<Log>(manager, "a", self());
    HandlerRef<Log> b = add_handler<Log>(manager, "b", self());
    notify(manager, Alarm{"leave a"});
    EXPECT_EQ(said(), "a: leave a");
    EXPECT_EQ(said(), "a: terminate normal");
    EXPECT_EQ(said(), "b: leave a");
    EXPECT_EQ(call(b, Log::Leave{}), 7);
    EXPECT_TRUE(which_handlers(manager).empty());
  });
}

TEST_P(EventManagers, a_handler_that_cannot_be_made_is_not_added) {
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

TEST_P(EventManagers, a_swapped_handler_hands_over_between_two_events) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    HandlerRef<Log> log = add_handler<Log>(manager, "a", self());
    add_handler<Log>(manager, "b", self());
    sync_notify(manager, Alarm{"x"});
    HandlerRef<Ticker> ticker = swap_handler<Ticker>(log, self());
    notify(manager, Tick{});
    EXPECT_EQ(said(), "a: x");
    EXPECT_EQ(said(), "b: x");
    EXPECT_EQ(said(), "a: terminate normal");
    EXPECT_EQ(said(), "tick 1");
    EXPECT_EQ(which_handlers(manager).at(0).id, ticker.id());

    // The old one is gone: the new one is made without it, if it can be.
    swap_handler<Ticker>(log, self());
    EXPECT_FALSE(try_swap_handler<Heir>(log));
    EXPECT_EQ(which_handlers(manager).size(), 3U);
  });
}

TEST_P(EventManagers, a_supervised_handler_goes_with_its_owner) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    const Spawned owner = spawn_monitor([manager, test = self()] {
      add_supervised_handler<Log>(manager, "a", test);
      send(test, Said{"added"});
      receive<Go>();
      exit(ExitReason::error("owner failed"));
    });
    EXPECT_EQ(said(), "added");
    EXPECT_EQ(which_handlers(manager).at(0).owner, owner.pid);
    EXPECT_EQ(end(owner), ExitReason::error("owner failed"));
    EXPECT_EQ(said(), "a: terminate error: owner failed");
    EXPECT_TRUE(which_handlers(manager).empty());
  });
}

TEST_P(EventManagers, the_owner_of_a_supervised_handler_hears_how_it_went) {
  run([] {
    EventManagerRef manager = start_event_manager();
    HandlerRef<Log> removed = add_supervised_handler<Log>(manager, "removed");
    HandlerRef<Log> failing = add_supervised_handler<Log>(manager, "failing");
    HandlerRef<Log> swapped = add_supervised_handler<Log>(manager, "swapped");
    remove_handler(removed);
    HandlerExit exit = receive<HandlerExit>();
    EXPECT_EQ(exit.id, removed.id());
    EXPECT_EQ(exit.reason, ExitReason::normal());
    notify(manager, Alarm{"fail failing"});
    exit = receive<HandlerExit>();
    EXPECT_EQ(exit.id, failing.id());
    EXPECT_EQ(exit.reason.what(), "as asked");
    HandlerRef<Ticker> successor = swap_handler<Ticker>(swapped, self());
    exit = receive<HandlerExit>();
    EXPECT_EQ(exit.id, swapped.id());
    EXPECT_EQ(exit.successor, successor.id());
    stop(manager.pid());
    exit = receive<HandlerExit>();
    EXPECT_EQ(exit.id, successor.id());
    EXPECT_EQ(exit.reason, ExitReason::shutdown());
    EXPECT_FALSE(receive<Exit>(0ms));
  });
}

TEST_P(EventManagers, a_swap_may_tie_the_new_handler_to_who_asks_for_it) {
  run([] {
    EventManagerRef manager = start_event_manager();
    const Spawned owner = spawn_monitor([manager, test = self()] {
      send(test, add_supervised_handler<Log>(manager, "a"));
      send(test, receive<HandlerExit>());
      receive<Go>();
    });
    const auto log = receive<HandlerRef<Log>>();
    const HandlerRef<Ticker> ours = swap_supervised_handler<Ticker>(log, self());
    const HandlerExit told = receive<HandlerExit>();
    EXPECT_EQ(told.id, log.id());
    EXPECT_EQ(told.successor, ours.id());
    EXPECT_EQ(which_handlers(manager).at(0).owner, self());
    EXPECT_EQ(process_info(manager.pid())->links, std::vector{self()});
    EXPECT_EQ(end(owner), ExitReason::normal());
    EXPECT_EQ(which_handlers(manager).size(), 1U) << "it is not his any more";

    // One that nobody owned, one that was the caller's already, and one that is gone.
    const HandlerRef<Log> free = add_handler<Log>(manager, "b");
    const HandlerRef<Ticker> taken = swap_supervised_handler<Ticker>(free, self());
    const HandlerRef<Ticker> again = swap_supervised_handler<Ticker>(taken, self());
    EXPECT_EQ(receive<HandlerExit>().successor, again.id());
    const HandlerRef<Ticker> another = swap_supervised_handler<Ticker>(free, self());
    for (const HandlerInfo& handler : which_handlers(manager)) EXPECT_EQ(handler.owner, self());
    EXPECT_FALSE(try_swap_supervised_handler<Heir>(another));
    EXPECT_EQ(receive<HandlerExit>().id, another.id());
    EXPECT_EQ(which_handlers(manager).size(), 2U);

    send_exit(manager.pid(), ExitReason::kill());
    EXPECT_EQ(exit_of(manager.pid()), ExitReason::killed());
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// B1
TEST_P(EventManagers, an_owner_whose_mailbox_is_full_hears_of_it_and_holds_nobody_up) {
  run([] {
    EventManagerRef manager = start_event_manager_link();
    for (const Overflow overflow :
         {Overflow::block, Overflow::reject, Overflow::drop_newest, Overflow::drop_oldest}) {
      const SpawnOptions bounded{.mailbox = {.capacity = 1, .overflow = overflow}};
      const Spawned owner = spawn_monitor(bounded, [manager, test = self()] {
        HandlerRef<Log> log = add_supervised_handler<Log>(manager, "a");
        send(test, std::pair(log, alias()));
        receive<Go>();
        send(test, Said{receive<HandlerExit>().reason.to_string()});
      });
      const auto [log, gate] = receive<std::pair<HandlerRef<Log>, Alias>>();
      for (int i = 0; i < 3; ++i) try_send(owner.pid, i);
      remove_handler(log);
      EXPECT_TRUE(which_handlers(manager).empty());
      for (int i = 0; i < 3; ++i) try_send(owner.pid, i);
      send(gate, Go());
      EXPECT_EQ(said(), "normal");
      EXPECT_EQ(reason_of(owner), ExitReason::normal());
    }
  });
}

TEST_P(EventManagers, the_owner_hears_through_its_link_of_a_manager_that_was_killed) {
  run([] {
    EventManagerRef manager = start_event_manager();
    add_supervised_handler<Log>(manager, "a");
    send_exit(manager.pid(), ExitReason::kill());
    EXPECT_EQ(exit_of(manager.pid()), ExitReason::killed());
  });
}

TEST_P(EventManagers, a_supervised_manager_ends_in_order_and_tells_its_handlers) {
  run([] {
    Pid top = start_supervisor_link(
        {.children = {child_event_manager("events", {.start = {.name = "events"}})}});
    add_handler<Log>("events", "a", self());
    terminate_child(top, "events");
    EXPECT_EQ(said(), "a: terminate shutdown");
    restart_child(top, "events");
    EXPECT_TRUE(which_handlers("events").empty());
    stop(top, ExitReason::shutdown());
  });
}

// --- failures of every kind ---

// Fails as it is told to.
struct Failing : EventHandler<Failing, std::string> {
  struct Kill {
    using Reply = void;
  };
  explicit Failing(Pid to) : owner(to) {}
  void handle(const std::string& how) const {
    if (how == "exit") exit(ExitReason::of(1));
    if (how == "value") throw 42;
    if (how == "exception") throw std::runtime_error("as asked");
    if (how == "call itself") which_handlers(self());
  }
  void handle(Kill) const { send_exit(self(), ExitReason::kill()); }
  void terminate(const ExitReason& reason) const { send(owner, Said{reason.to_string()}); }
  Pid owner;
};

TEST_P(EventManagers, whatever_a_handler_throws_removes_it_alone) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    add_handler<Log>(manager, "witness", self());
    const std::pair<const char*, ExitReason> failures[] = {
        {"exit", ExitReason::of(1)},
        {"value", ExitReason::error("nocatch", "int")},
        {"exception", ExitReason::error("std::runtime_error", "as asked")}};
    for (const auto& [how, reason] : failures) {
      add_handler<Failing>(manager, self());
      add_handler<Failing>(manager, self());
      notify(manager, std::string(how));
      EXPECT_EQ(said(2), reason.to_string() + ", " + reason.to_string());
      EXPECT_EQ(which_handlers(manager).size(), 1U);
    }
    const HandlerRef<Failing> selfish = add_handler<Failing>(manager, self());
    sync_notify(manager, std::string("call itself"));
    EXPECT_TRUE(said().contains("CallError")) << "a manager cannot wait for itself";
    EXPECT_EQ(failure_of(try_remove_handler(selfish)), CallError::noproc);
    notify(manager, Alarm{"still there"});
    EXPECT_EQ(said(), "witness: still there");
  });
}

TEST_P(EventManagers, a_kill_ends_the_manager_whichever_handler_runs) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    const HandlerRef<Failing> failing = add_handler<Failing>(manager, self());
    EXPECT_EQ(reason_of(try_call(failing, Failing::Kill{}, infinite)), ExitReason::killed());
    EXPECT_EQ(exit_of(manager.pid()), ExitReason::killed());
    EXPECT_FALSE(receive<Said>(0ms)) << "no terminate";
  });
}

TEST_P(EventManagers, a_manager_that_ends_tells_all_its_handlers_why) {
  run([] {
    const EventManagerRef stopped = start_event_manager_link();
    add_handler<Log>(stopped, "a", self());
    add_handler<Log>(stopped, "worse", self());
    add_handler<Log>(stopped, "b", self());
    stop(stopped.pid(), ExitReason::of(1));
    const std::string why = ": terminate " + ExitReason::of(1).to_string();
    EXPECT_EQ(said(3), "a" + why + ", worse" + why + ", b" + why);

    const Spawned parent = spawn_monitor([tester = self()] {
      const EventManagerRef manager = start_event_manager_link({.name = "events"});
      add_handler<Log>(manager, "c", tester);
      send(tester, Ready());
      receive<Go>();
    });
    receive<Ready>();
    const MonitorRef manager = monitor("events");
    EXPECT_EQ(end(parent), ExitReason::normal());
    EXPECT_EQ(reason_in_down(manager), ExitReason::normal()) << "it ends with its parent";
    EXPECT_EQ(said(), "c: terminate normal");
  });
}

TEST_P(EventManagers, the_names_and_failures_of_a_start_are_those_of_a_server) {
  run([] {
    const EventManagerRef manager = start_event_manager_link({.name = "events"});
    const auto second = try_start_event_manager({.name = "events"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind(), StartError::already_started);
    EXPECT_EQ(second.error().pid(), manager.pid());
    notify("events", Tick{});
    stop(manager.pid());
    EXPECT_FALSE(whereis("events"));
    EXPECT_EQ(failure_of(try_sync_notify(manager, Tick{})), CallError::noproc);
    notify(manager, Tick{});  // nobody's
    EXPECT_THROW(which_handlers(manager), CallError);
  });
}

// --- races ---

// Whoever has removed a handler knows that no later event reaches it; one that adds knows that all
// later ones do.
TEST_P(EventManagers, between_its_adding_and_its_removal_a_handler_sees_every_event) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    const Spawned other = spawn_monitor([manager] {
      while (!receive<Go>(0ms)) {
        for (int i = 0; i < 10; ++i) notify(manager, Tick{});
        which_handlers(manager);
      }
    });
    for (const std::size_t i : support::rounds()) {
      notify(manager, Alarm{"before"});
      const HandlerRef<Log> log = add_handler<Log>(manager, "log", self());
      for (std::size_t event = 0; event < i % 4; ++event) notify(manager, Alarm{"event"});
      ASSERT_EQ(call(log, Log::Count{}), static_cast<int>(i % 4));
      remove_handler(log);
      notify(manager, Alarm{"behind"});
      for (std::size_t event = 0; event < i % 4; ++event) ASSERT_EQ(said(), "log: event");
      ASSERT_EQ(said(), "log: terminate normal");
    }
    end(other);
    EXPECT_EQ(which_handlers(manager).size(), 0U);
    EXPECT_EQ(rest_of_mail(), "");
  });
}

TEST_P(EventManagers, a_handler_never_outlives_its_owner_whenever_that_ends) {
  run([] {
    const EventManagerRef manager = start_event_manager_link();
    for (const std::size_t i : support::rounds()) {
      const Spawned owner = spawn_monitor([manager] {
        add_supervised_handler<Log>(manager, "supervised");
        add_supervised_handler<Log>(manager, "another");
        receive<Go>();
      });
      for (std::size_t turns = i % 6; turns > 0; --turns) yield();
      support::stagger(i);
      if (i % 4 == 0) {
        send(owner.pid, Go());
      } else {
        send_exit(owner.pid, ExitReason::kill());
      }
      reason_of(owner);
      // What it had asked for stands in the mailbox before this. News of its end may come later:
      // a link that it had not taken yet is refused after its watchers know.
      which_handlers(manager);
      while (!which_handlers(manager).empty()) yield();
      ASSERT_EQ(process_info(manager.pid())->links, std::vector{self()});
    }
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::event_managers_test
