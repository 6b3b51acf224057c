// registries_test.cpp: behaviours that have their names in a registry of the user's own (N10, N11).
//
// Method: each kind of behaviour is started under a name in a registry that notes what it is asked,
// refuses, throws or waits as a test wants it to; and is looked for there while it lives, and as
// soon as its end has been heard of.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/machines.hpp"
#include "tests/semantics/servers.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::semantics::registries_test {
namespace {

using namespace std::chrono_literals;
using support::rounds;

class RegistryRules : public ServerRules {};
RT_WITH_SCHEDULERS(RegistryRules);

// One of the user's own.
class Book : public Registry {
 public:
  bool register_name(std::string_view name, Pid pid) override {
    if (before_register) before_register(pid);
    return pid == self() && table_.register_name(name, pid);
  }
  void unregister_name(std::string_view name, Pid pid) noexcept override {
    table_.unregister_name(name, pid);
  }
  std::optional<Pid> whereis_name(std::string_view name) override {
    return table_.whereis_name(name);
  }
  bool send(std::string_view name, Message message) override {
    ++sends;
    return Registry::send(name, std::move(message));
  }

  std::function<void(Pid)> before_register;
  std::atomic<int> sends = 0;

 private:
  NameTable table_;
};

struct Event {
  int number;
};
struct Keeper : EventHandler<Keeper, Event> {
  struct Last {
    using Reply = int;
  };
  void handle(const Event& event) { last_ = event.number; }
  int handle(Last) const { return last_; }
  int last_ = 0;
};

void body(Starter starter) {
  starter.acknowledge();
  receive<Gate>();
}

using Start = std::function<std::expected<Pid, StartError>(const StartOptions&)>;
struct Kind {
  std::string_view what;
  Start start;
};

// All that has a start, linked to the caller. What it starts says nothing of its end.
std::vector<Kind> all_kinds() {
  const auto pid = [](const auto& started) -> std::expected<Pid, StartError> {
    if (!started) return std::unexpected(started.error());
    return started->pid();
  };
  return {
      {"server",
       [pid](const StartOptions& options) { return pid(try_start_link<Told>(options, self())); }},
      {"state machine",
       [pid](const StartOptions& options) { return pid(try_start_link<Script>(options, self())); }},
      {"event manager",
       [pid](const StartOptions& options) { return pid(try_start_event_manager_link(options)); }},
      {"supervisor",
       [](const StartOptions& options) {
         return try_start_supervisor_link({.name = options.name, .registry = options.registry});
       }},
      {"dynamic supervisor",
       [](const StartOptions& options) {
         return try_start_dynamic_supervisor_link(
             {.name = options.name, .registry = options.registry});
       }},
      {"body", [](const StartOptions& options) { return try_start_body_link(&body, options); }},
      {"body that becomes a server",
       [](const StartOptions& options) {
         return try_start_body_link(
             [name = LoopOptions{options.name, options.registry},
              tester = self()](Starter starter) { return enter_loop<Told>(starter, name, tester); },
             options);
       }},
  };
}

void forget_mail() {
  while (receive<Message>(0ms)) {
  }
}

// N10
TEST_P(RegistryRules, whatever_is_started_can_have_its_name_in_a_registry_of_ones_own) {
  run([] {
    const auto book = std::make_shared<Book>();
    for (const Kind& kind : all_kinds()) {
      const auto started = kind.start({.name = "it", .registry = book});
      ASSERT_TRUE(started) << kind.what << ": " << started.error().what();
      EXPECT_EQ(book->whereis_name("it"), *started) << kind.what;
      EXPECT_FALSE(whereis("it")) << "the runtime's names are others";
      EXPECT_EQ(process_info(*started)->name, "");
      unlink(*started);
      send_exit(*started, ExitReason::kill());
      end_of(*started);
      EXPECT_FALSE(book->whereis_name("it")) << kind.what;
    }
    forget_mail();
  });
}

// N10, N11
TEST_P(RegistryRules, a_registry_that_says_no_lets_nothing_run_and_disturbs_nobody) {
  run([] {
    const auto book = std::make_shared<Book>();
    for (const Kind& holder : all_kinds()) {
      const Pid pid = holder.start({.name = "it", .registry = book}).value();
      while (process_info(pid)->state != ProcessState::waiting) yield();  // it has said all it says
      forget_mail();
      for (const Kind& kind : all_kinds()) {
        const auto second = kind.start({.name = "it", .registry = book});
        ASSERT_FALSE(second) << kind.what;
        EXPECT_EQ(second.error().kind(), StartError::already_started) << kind.what;
        EXPECT_EQ(second.error().pid(), pid);
      }
      EXPECT_EQ(rest_of_mail(), "") << "of one that has run, or a trace of the start";
      EXPECT_EQ(book->whereis_name("it"), pid);
      EXPECT_TRUE(is_alive(pid));
      unlink(pid);
      send_exit(pid, ExitReason::kill());
      end_of(pid);
      forget_mail();
    }
  });
  EXPECT_EQ(logged("crashed"), 0);
}

// N10
TEST_P(RegistryRules, a_name_that_nobody_may_have_is_refused_without_a_holder) {
  run([] {
    struct Closed : NameTable {
      bool register_name(std::string_view, Pid) override { return false; }
    };
    const auto started =
        try_start_link<Told>({.name = "it", .registry = std::make_shared<Closed>()}, self());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::already_started);
    EXPECT_FALSE(started.error().pid());
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// N10
TEST_P(RegistryRules, calls_casts_and_sends_by_name_reach_the_holder) {
  run([] {
    const auto book = std::make_shared<Book>();
    start_link<Told>({.name = "told", .registry = book}, self());
    EXPECT_EQ(said(2), "init, continue");
    EXPECT_EQ(call(server_ref<Told>(*book, "told"), Told::Get{}), 7);
    EXPECT_EQ(book->sends, 0);
    cast<Told>(*book, "told", Told::Do{"cast"});
    send(*book, "told", Said{"sent"});
    EXPECT_EQ(said(3), "get, cast, info sent");
    EXPECT_EQ(book->sends, 2) << "how they are sent is up to the registry";
    stop(server_ref<Told>(*book, "told"));
    EXPECT_EQ(said(2), "terminate normal, destroyed");

    const auto machine = start_link<Script>({.name = "script", .registry = book}, self());
    cast<Script>(*book, "script", Script::Do{"cast"});
    EXPECT_EQ(call(server_ref<Script>(*book, "script"), Script::Ask{}), "in a");
    EXPECT_EQ(said(3), "enter aa, cast@a, ask@a");

    const auto manager = start_event_manager_link({.name = "events", .registry = book});
    const HandlerRef<Keeper> keeper = add_handler<Keeper>(EventManagerRef(*book, "events"));
    notify(*book, "events", Event{1});
    EXPECT_EQ(call(keeper, Keeper::Last{}), 1);
    sync_notify({*book, "events"}, Event{2});
    EXPECT_EQ(call(keeper, Keeper::Last{}), 2);
    EXPECT_EQ(manager.pid(), book->whereis_name("events"));

    const Pid top = start_supervisor_link({.name = "top", .registry = book});
    const Pid worker = start_child(
        {*book, "top"}, child<Told>("w", {.start = {.name = "worker", .registry = book}}, self()));
    EXPECT_EQ(which_children({*book, "top"}).at(0).pid, worker);
    EXPECT_EQ(book->whereis_name("worker"), worker);
    for (const Pid pid : {machine.pid(), manager.pid(), top}) stop(pid);
    forget_mail();
  });
}

// N10
TEST_P(RegistryRules, a_name_that_nobody_has_fails_calls_with_noproc_and_drops_casts) {
  run([] {
    const auto book = std::make_shared<Book>();
    EXPECT_EQ(failure_of(try_call(server_ref<Told>(*book, "no"), Told::Get{})), CallError::noproc);
    EXPECT_EQ(failure_of(try_stop(server_ref<Told>(*book, "no"))), CallError::noproc);
    EXPECT_EQ(failure_of(try_sync_notify(EventManagerRef(*book, "no"), Event{1})),
              CallError::noproc);
    EXPECT_EQ(try_which_children({*book, "no"}).error().kind(), ChildError::no_supervisor);
    cast<Told>(*book, "no", Told::Do{"cast"});
    notify(*book, "no", Event{1});
    try {
      send(*book, "no", Said{"sent"});
      ADD_FAILURE() << "a send to nobody";
    } catch (const NameError& error) {
      EXPECT_EQ(error.kind(), NameError::not_registered);
    }
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// However it ends, the name is free when its end is heard of.
// N7, N8, N10
TEST_P(RegistryRules, a_successor_gets_the_name_as_soon_as_the_end_is_heard_of) {
  run([] {
    const auto book = std::make_shared<Book>();
    const std::function<void(Pid)> ends[] = {
        [](Pid pid) { stop(pid); },
        [](Pid pid) { send_exit(pid, ExitReason::kill()); },
        [](Pid pid) {
          cast(server_ref<Told>(pid), Told::Do{"", [](Told&) { exit(ExitReason::of(1)); }});
        },
        [](Pid pid) {
          cast(server_ref<Told>(pid), Told::Do{"", [](Told&) { throw std::runtime_error("oh"); }});
        },
        [](Pid pid) {
          cast(server_ref<Told>(pid), Told::Do{"", [](Told& told) {
                                                 told.plan.at_end = [](Told&) { throw 1; };
                                                 exit(ExitReason::normal());
                                               }});
        },
    };
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      for (const auto& end : ends) {
        const auto holder = try_start_monitor<Told>({.name = "it", .registry = book}, self());
        ASSERT_TRUE(holder) << holder.error().what();
        ASSERT_EQ(book->whereis_name("it"), holder->server.pid());
        end(holder->server.pid());
        reason_in_down(holder->ref);
        ASSERT_FALSE(book->whereis_name("it"));
      }
      forget_mail();
    }
  });
}

// N10
TEST_P(RegistryRules, a_start_that_fails_leaves_no_name) {
  run([] {
    const auto book = std::make_shared<Book>();
    const auto start = [&](Told::Deed deed, Duration timeout = infinite) {
      return try_start_link<Told>({.name = "it", .registry = book, .timeout = timeout},
                                  self(),
                                  Told::Plan{.at_init = std::move(deed)})
          .error()
          .kind();
    };
    EXPECT_EQ(start([](Told&) { throw std::runtime_error("no disk"); }), StartError::error);
    EXPECT_FALSE(book->whereis_name("it"));
    EXPECT_EQ(start([](Told&) { exit(ExitReason::shutdown()); }), StartError::error);
    EXPECT_FALSE(book->whereis_name("it"));
    EXPECT_EQ(start([](Told&) { sleep(infinite); }, 1ms), StartError::timeout);
    EXPECT_FALSE(book->whereis_name("it"));
    forget_mail();
  });
}

// N10
TEST_P(RegistryRules, what_a_registry_throws_is_why_the_start_failed) {
  run([] {
    const auto book = std::make_shared<Book>();
    book->before_register = [](Pid) { throw std::runtime_error("no book"); };
    const auto started = try_start_link<Told>({.name = "it", .registry = book}, self());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::error);
    EXPECT_EQ(started.error().reason(), ExitReason::error("std::runtime_error", "no book"));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// The registry may be a process that has to be asked; who asks may be ended before the answer.
// N10
TEST_P(RegistryRules, a_start_that_ends_while_it_registers_leaves_no_name) {
  run([] {
    struct Slow : NameTable {
      bool register_name(std::string_view name, Pid pid) override {
        const bool taken = NameTable::register_name(name, pid);
        if (is_slow) sleep(infinite);
        return taken;
      }
      std::atomic<bool> is_slow = true;
    };
    const auto slow = std::make_shared<Slow>();
    const auto started =
        try_start_link<Told>({.name = "it", .registry = slow, .timeout = 1ms}, self());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::timeout);
    EXPECT_FALSE(slow->whereis_name("it"));
    EXPECT_EQ(rest_of_mail(), "");
    slow->is_slow = false;
    const auto second = start_link<Told>({.name = "it", .registry = slow}, self());
    EXPECT_EQ(slow->whereis_name("it"), second.pid());
    EXPECT_EQ(said(2), "init, continue");
  });
}

// N8, N10
TEST_P(RegistryRules, a_restarted_child_has_its_name_again) {
  run([] {
    const auto book = std::make_shared<Book>();
    const auto named = [&](std::string name) {
      return ChildOptions{.start = {.name = std::move(name), .registry = book}};
    };
    const Pid top =
        start_supervisor_link({.intensity = 100,
                               .children = {
                                   child<Told>("server", named("server"), self()),
                                   child(
                                       "body", [] { receive<Gate>(); }, named("body")),
                                   child("starter", &body, named("starter")),
                                   child_event_manager("events", named("events")),
                                   child_supervisor("below", {.name = "below", .registry = book}),
                                   child_dynamic_supervisor("many", {}, named("many")),
                               }});
    for (const std::string name : {"server", "body", "starter", "events", "below", "many"}) {
      const std::optional<Pid> first = book->whereis_name(name);
      ASSERT_TRUE(first) << name;
      send_exit(*first, ExitReason::kill());
      end_of(*first);
      which_children(top);  // answered behind the restart
      const std::optional<Pid> second = book->whereis_name(name);
      ASSERT_TRUE(second) << name;
      EXPECT_NE(first, second) << name;
      EXPECT_TRUE(is_alive(*second)) << name;
    }
    stop(top);
    EXPECT_FALSE(book->whereis_name("server"));
    forget_mail();
  });
}

// N10, N11
TEST_P(RegistryRules, a_child_whose_name_is_taken_is_not_started) {
  run([] {
    const auto book = std::make_shared<Book>();
    const auto holder = start_link<Told>({.name = "it", .registry = book}, self());
    const Pid top = start_supervisor_link({});
    const ChildOptions named{.start = {.name = "it", .registry = book}};
    EXPECT_FALSE(try_start_child(top, child<Told>("server", named, self())));
    EXPECT_FALSE(try_start_child(
        top, child("body", [tester = self()] { send(tester, Said{"has run"}); }, named)));
    EXPECT_EQ(count_children(top).specs, 0U);
    EXPECT_EQ(said(2), "init, continue") << "of the holder";
    EXPECT_EQ(rest_of_mail(), "");
    EXPECT_EQ(book->whereis_name("it"), holder.pid());
    stop(top);
  });
}

// N10, P16
TEST_P(RegistryRules, a_body_that_hibernates_keeps_its_name) {
  run([] {
    const auto book = std::make_shared<Book>();
    const Pid pid = start_body_link(
        [tester = self()](Starter starter) {
          starter.acknowledge();
          hibernate([tester] {
            send(tester, Said{"awake"});
            receive<Gate>();
            receive<Gate>();
          });
        },
        {.name = "it", .registry = book});
    send(*book, "it", Gate{});
    EXPECT_EQ(said(), "awake");
    EXPECT_EQ(book->whereis_name("it"), pid);
    send(*book, "it", Gate{});
    EXPECT_EQ(exit_of(pid), ExitReason::normal());
    EXPECT_FALSE(book->whereis_name("it"));
  });
}

// N10
TEST_P(RegistryRules, a_body_enters_its_loop_under_no_name_but_its_own) {
  run([] {
    const auto book = std::make_shared<Book>();
    const auto started = try_start_body_link([book](Starter starter) {
      return enter_loop<Told>(starter, {.name = "it", .registry = book}, Pid());
    });
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().reason().to_string(),
              "error: airssys::rt::NameError: nobody has the name \"it\"");
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// N1, N10
TEST_P(RegistryRules, a_table_gives_a_name_once_and_takes_it_from_nobody_but_its_holder) {
  run([] {
    NameTable table;
    const Pid other = spawn([] {});
    EXPECT_FALSE(table.register_name("", self()));
    EXPECT_TRUE(table.register_name("a", self()));
    EXPECT_TRUE(table.register_name("b", self())) << "a second one";
    EXPECT_FALSE(table.register_name("a", self()));
    EXPECT_FALSE(table.register_name("a", other));
    table.unregister_name("a", other);
    EXPECT_EQ(table.whereis_name("a"), self());
    table.unregister_name("a", self());
    EXPECT_FALSE(table.whereis_name("a"));
    table.unregister_name("a", self());
    EXPECT_TRUE(table.register_name("a", other));
    EXPECT_EQ(table.whereis_name("b"), self());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::registries_test
