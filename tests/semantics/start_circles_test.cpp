// start_circles_test.cpp: circles through a start or a stop that is waited for (G7): the call that
// closes one fails at once, and none is seen where the other is about to go on.
//
// No call here has a time-out, nor has any start or stop, so a circle that is not seen hangs and is
// printed by the watchdog.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "tests/semantics/supervisors.hpp"

namespace airssys::rt::semantics::start_circles_test {
namespace {

class StartCircles : public SupervisorRules {};
RT_WITH_SCHEDULERS(StartCircles);

bool says_circle(const std::string& text) {
  return text.find("would wait in a circle") != std::string::npos;
}

// What came of a call: nothing, or why it failed.
struct News {
  std::optional<CallError::Kind> failure;
  std::string text;
};
template <class T>
News news_of(const std::expected<T, CallError>& answer) {
  if (answer) return {};
  return {answer.error().kind(), answer.error().what()};
}

void expect_circle(const News& news, Pid one, Pid other) {
  EXPECT_EQ(news.failure, CallError::circle) << news.text;
  EXPECT_NE(news.text.find(one.to_string()), std::string::npos) << news.text;
  EXPECT_NE(news.text.find(other.to_string()), std::string::npos) << news.text;
}

// Calls whom it is told to, when it is told to.
struct Caller : Server<Caller> {
  struct Ping {
    using Reply = int;
  };
  struct Relay {
    using Reply = News;
    ServerRef<Caller> whom;
  };
  struct Go {
    ServerRef<Caller> whom;
    Pid tester;
  };
  // Starts a server whose init calls back: through `by`, if there is one.
  struct Start {
    using Reply = News;
    ServerRef<Caller> by;
  };
  struct StartAndTell {
    ServerRef<Caller> by;
    Pid tester;
  };
  int handle(Ping) { return 7; }
  News handle(const Relay& relay) { return news_of(try_call(relay.whom, Ping{}, infinite)); }
  void handle(const Go& go) { send(go.tester, news_of(try_call(go.whom, Ping{}, infinite))); }
  News handle(const Start& start);
  void handle(const StartAndTell& start) { send(start.tester, handle(Start{start.by})); }
};

// Calls its starter, or has another one call it, before its start is over.
struct Child : Server<Child> {
  Child(ServerRef<Caller> starter, ServerRef<Caller> by, Pid tester)
      : starter_(starter), by_(by), tester_(tester) {}
  void init() {
    if (!by_.pid()) return send(tester_, news_of(try_call(starter_, Caller::Ping{}, infinite)));
    auto answer = try_call(by_, Caller::Relay{starter_}, infinite);
    send(tester_, answer ? *answer : news_of(answer));
  }

 private:
  ServerRef<Caller> starter_;
  ServerRef<Caller> by_;
  Pid tester_;
};

News Caller::handle(const Start& start) {
  const ServerRef<Caller> me(rt::self());
  stop(rt::start<Child>(me, start.by, rt::self()));
  return receive<News>();
}

// G1, G7
TEST_P(StartCircles, an_init_that_calls_its_starter_fails_at_once) {
  run([] {
    const auto starter = start<Caller>();
    const News news = call(starter, Caller::Start{}, infinite);
    EXPECT_EQ(news.failure, CallError::circle) << news.text;
    EXPECT_NE(news.text.find(starter.pid().to_string() + " waits for "), std::string::npos)
        << news.text;
    stop(starter);
  });
}

// G1, G7
TEST_P(StartCircles, a_longer_way_back_to_the_starter_is_a_circle_too) {
  run([] {
    const auto starter = start<Caller>();
    const auto by = start<Caller>();
    expect_circle(call(starter, Caller::Start{by}, infinite), starter.pid(), by.pid());
    stop(starter);
    stop(by);
  });
}

// The init calls `by`, and `by` the starter, whoever is first.
// G7
TEST_P(StartCircles, a_start_and_a_call_that_meet_never_both_wait) {
  run([] {
    const auto starter = start<Caller>();
    const auto by = start<Caller>();
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      cast(starter, Caller::StartAndTell{by, self()});
      cast(by, Caller::Go{starter, self()});
      for (int i = 0; i < 2; ++i) {
        const News news = receive<News>();
        if (news.failure) {
          ASSERT_EQ(*news.failure, CallError::circle) << news.text;
        }
      }
    }
    stop(starter);
    stop(by);
  });
}

// Calls its starter as soon as it has acknowledged.
struct CallsBack : Server<CallsBack> {
  CallsBack(ServerRef<Caller> starter, Pid tester) : starter_(starter), tester_(tester) {}
  void handle_continue() { send(tester_, news_of(try_call(starter_, Caller::Ping{}, infinite))); }

 private:
  ServerRef<Caller> starter_;
  Pid tester_;
};

struct Starts : Server<Starts> {
  struct Start {
    using Reply = Pid;
    Pid tester;
  };
  struct Ping {
    using Reply = int;
  };
  Pid handle(Start begin) {
    auto body = [tester = begin.tester, me = rt::self()](Starter starter) {
      starter.acknowledge();
      send(tester, news_of(try_call(ServerRef<Starts>(me), Ping{}, infinite)));
    };
    return start_body(std::move(body));
  }
  int handle(Ping) { return 7; }
};

// G1, G7
TEST_P(StartCircles, who_has_acknowledged_its_start_may_call_its_starter) {
  run([] {
    const auto starter = start<Starts>();
    for ([[maybe_unused]] const std::size_t round : rounds()) {
      call(starter, Starts::Start{self()}, infinite);
      const News news = receive<News>();
      ASSERT_FALSE(news.failure) << news.text;
    }
    stop(starter);
  });
}

// Starts a body that refuses, and whose destructor then calls back.
struct Refused : Server<Refused> {
  struct Start {
    using Reply = bool;
    Pid tester;
  };
  struct Ping {
    using Reply = int;
  };
  bool handle(Start begin) {
    struct Farewell {
      ~Farewell() { send(tester, news_of(try_call(ServerRef<Refused>(whom), Ping{}, infinite))); }
      Pid whom;
      Pid tester;
    };
    auto body = [tester = begin.tester, me = rt::self()](Starter starter) {
      const Farewell farewell{me, tester};
      starter.fail(ExitReason::of(1));
    };
    return try_start_body(std::move(body)).has_value();
  }
  int handle(Ping) { return 7; }
};

// G7, G24
TEST_P(StartCircles, who_refuses_to_start_must_not_call_its_starter_on_its_way_out) {
  run([] {
    const auto starter = start<Refused>();
    EXPECT_FALSE(call(starter, Refused::Start{self()}, infinite));
    EXPECT_EQ(receive<News>().failure, CallError::circle);
    stop(starter);
  });
}

// --- supervisors ---

// Asks its supervisor when it starts or ends, and tells what came of it.
struct Asks : Server<Asks> {
  enum class When : std::uint8_t { at_start, at_end };
  Asks(When when, Pid tester) : when_(when), tester_(tester) {}
  void init() {
    trap_exit(true);
    if (when_ == When::at_start) ask();
  }
  void terminate(const ExitReason&) {
    if (when_ == When::at_end) ask();
  }

 private:
  void ask() const {
    auto children = try_which_children(parent());
    send(tester_, News{std::nullopt, children ? "answered" : children.error().what()});
    if (!children) {
      EXPECT_EQ(children.error().kind(), ChildError::circle);
    }
  }

  When when_;
  Pid tester_;
};

ChildSpec asking(Asks::When when, std::string id = "asks") {
  return child<Asks>(std::move(id), {.shutdown = Shutdown::infinity()}, when, self());
}

// G7, V8, V20
TEST_P(StartCircles, a_child_that_asks_its_supervisor_while_it_starts_is_told) {
  run([] {
    const Pid top = start_supervisor_link({.children = {asking(Asks::When::at_start)}});
    EXPECT_TRUE(says_circle(receive<News>().text));
    start_child(top, asking(Asks::When::at_start, "second"));
    EXPECT_TRUE(says_circle(receive<News>().text));
    stop(top);
  });
}

// G7, V20
TEST_P(StartCircles, who_has_a_child_started_must_not_be_called_by_it) {
  struct Owner : Server<Owner> {
    struct Add {
      using Reply = News;
      Pid supervisor;
    };
    struct Ping {
      using Reply = int;
    };
    News handle(const Add& add) {
      auto body = [me = ServerRef<Owner>(self())](Starter starter) {
        static_cast<void>(call(me, Ping{}, infinite));
        starter.acknowledge();
      };
      auto added = try_start_child(add.supervisor, child("calls", body));
      return {std::nullopt, added ? "added" : added.error().what()};
    }
    int handle(Ping) { return 7; }
  };
  run([] {
    const Pid top = start_supervisor_link({});
    const auto owner = start<Owner>();
    const News news = call(owner, Owner::Add{top}, infinite);
    EXPECT_TRUE(says_circle(news.text)) << news.text;
    EXPECT_NE(news.text.find(top.to_string()), std::string::npos) << news.text;
    stop(owner);
    stop(top);
  });
}

// G7, V13
TEST_P(StartCircles, a_child_that_asks_its_supervisor_while_it_is_stopped_is_told) {
  run([] {
    const Pid top = start_supervisor_link(
        {.children = {asking(Asks::When::at_end, "first"), asking(Asks::When::at_end, "second")}});
    terminate_child(top, "first");
    EXPECT_TRUE(says_circle(receive<News>().text));
    stop(top);  // stops the second
    EXPECT_TRUE(says_circle(receive<News>().text));
  });
}

// G7, V23
TEST_P(StartCircles, a_dynamic_supervisors_child_is_told_too_when_it_is_stopped_alone) {
  run([] {
    const Pid top = start_dynamic_supervisor_link({});
    const Pid child = start_child(top, asking(Asks::When::at_end));
    terminate_child(top, child);
    EXPECT_TRUE(says_circle(receive<News>().text));
    stop(top);
  });
}

// The child waits for its supervisor, which stops another one, and then comes to it.
// G7, V13
TEST_P(StartCircles, a_child_that_has_asked_before_its_supervisor_stops_it_is_told) {
  struct AsksWhenTold : Server<AsksWhenTold> {
    struct Ask {};
    explicit AsksWhenTold(Pid tester) : tester_(tester) {}
    void init() { trap_exit(true); }
    void handle(Ask) {
      auto children = try_which_children(parent());
      send(tester_, News{std::nullopt, children ? "answered" : children.error().what()});
    }
    Pid tester_;
  };
  run([] {
    const ChildOptions patient{.shutdown = Shutdown::infinity()};
    const Pid top = start_supervisor_link(
        {.children = {child<AsksWhenTold>("asks", patient, self()), lingering("slow", patient)}});
    const Pid slow = up("slow");
    const Pid asks = which_children(top).back().pid;
    const Spawned stopper = spawn_monitor([top] { stop(top); });
    receive<Going>();
    cast(server_ref<AsksWhenTold>(asks), AsksWhenTold::Ask{});
    while (process_info(asks)->waits_for != top) yield();
    send(slow, End{});
    EXPECT_TRUE(says_circle(receive<News>().text));
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
  });
}

// It stops all of its children at once, and then waits for none in particular.
// G7, V17, V23
TEST_P(StartCircles, children_that_ask_their_dynamic_supervisor_at_its_end_are_told) {
  run([] {
    const Pid top = start_dynamic_supervisor_link({});
    for (int i = 0; i < 3; ++i) start_child(top, asking(Asks::When::at_end));
    struct Looks : Server<Looks> {
      explicit Looks(Pid tester) : tester_(tester) {}
      void init() { trap_exit(true); }
      void terminate(const ExitReason&) {
        try {
          sys::get_status(parent(), infinite);
        } catch (const CallError& error) {
          send(tester_, News{error.kind(), error.what()});
        }
      }
      Pid tester_;
    };
    const Pid looks =
        start_child(top, child<Looks>("looks", {.shutdown = Shutdown::infinity()}, self()));
    stop(top);
    for (int i = 0; i < 4; ++i) {
      const News news = receive<News>();
      EXPECT_TRUE(says_circle(news.text)) << news.text;
      if (news.failure) expect_circle(news, top, looks);
    }
  });
}

// The upper one waits for the lower one's end, and that for its child's.
// G7, V13, V17
TEST_P(StartCircles, a_stop_through_a_tree_is_part_of_a_circle) {
  struct AsksUpper : Server<AsksUpper> {
    explicit AsksUpper(Pid tester) : tester_(tester) {}
    void init() { trap_exit(true); }
    void terminate(const ExitReason&) {
      auto children = try_which_children("upper");
      send(tester_, News{std::nullopt, children ? "answered" : children.error().what()});
    }
    Pid tester_;
  };
  run([] {
    const Pid top =
        start_supervisor_link({.name = "upper",
                               .children = {child_supervisor(
                                   "lower",
                                   {.children = {child<AsksUpper>(
                                        "asks", {.shutdown = Shutdown::infinity()}, self())}})}});
    terminate_child(top, "lower");
    const News news = receive<News>();
    EXPECT_TRUE(says_circle(news.text)) << news.text;
    EXPECT_NE(news.text.find("\"upper\""), std::string::npos) << news.text;
    stop(top);
  });
}

// --- servers that stop others ---

struct Stops : Server<Stops> {
  struct Stop {
    using Reply = bool;
    Pid whom;
  };
  struct Ping {
    using Reply = int;
  };
  bool handle(Stop stop) { return try_stop(stop.whom).has_value(); }
  int handle(Ping) { return 7; }
};
struct CallsAtEnd : Server<CallsAtEnd> {
  CallsAtEnd(ServerRef<Stops> whom, Pid tester) : whom_(whom), tester_(tester) {}
  void terminate(const ExitReason&) {
    send(tester_, news_of(try_call(whom_, Stops::Ping{}, infinite)));
  }

 private:
  ServerRef<Stops> whom_;
  Pid tester_;
};

// G7, G17
TEST_P(StartCircles, a_terminate_that_calls_who_has_stopped_it_is_told) {
  run([] {
    const auto stops = start<Stops>();
    const auto ends = start<CallsAtEnd>(stops, self());
    EXPECT_TRUE(call(stops, Stops::Stop{ends.pid()}, infinite));
    expect_circle(receive<News>(), stops.pid(), ends.pid());
    EXPECT_EQ(call(stops, Stops::Ping{}), 7);
    stop(stops);
  });
}

// The child stays after it was asked to end, and meanwhile somebody asks the supervisor.
// G7, V13
TEST_P(StartCircles, who_asks_a_supervisor_that_stops_another_waits_for_its_answer) {
  run([] {
    const Pid top = start_supervisor_link(
        {.children = {lingering("slow", {.shutdown = Shutdown::infinity()})}});
    const Pid slow = up("slow");
    const Spawned stopper = spawn_monitor([top] { terminate_child(top, "slow"); });
    receive<Going>();
    const Spawned asker = spawn_monitor([top] { EXPECT_EQ(which_children(top).size(), 1U); });
    while (process_info(asker.pid) && process_info(asker.pid)->waits_for != top) yield();
    send(slow, End{});
    EXPECT_EQ(reason_of(asker), ExitReason::normal());
    EXPECT_EQ(reason_of(stopper), ExitReason::normal());
    stop(top);
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::start_circles_test
