// start_test.cpp: the start protocol: what start answers, and what it leaves behind when it fails
// (G1–G4, G24).
// Method: processes that start well, badly, slowly, or not at all.
#include <airssys/rt/start.hpp>
#include <stdexcept>
#include <string>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(StartTest);

struct Picky : Server<Picky> {
  struct Ask {
    using Reply = int;
  };
  enum class Mood { well, throws, exits, ignores, sleeps };
  explicit Picky(Mood mood) : mood_(mood) {}
  Init init() {
    switch (mood_) {
      case Mood::well:
        break;
      case Mood::throws:
        throw std::runtime_error("no disk");
      case Mood::exits:
        exit(ExitReason::of(std::string("because")));
      case Mood::ignores:
        return Init::ignore;
      case Mood::sleeps:
        sleep(1h);
    }
    return Init::ok;
  }
  int handle(Ask) { return 1; }

 private:
  Mood mood_;
};
using Mood = Picky::Mood;

TEST_P(StartTest, a_server_that_has_started_answers) {
  run([] {
    ServerRef<Picky> picky = start_link<Picky>({.name = "picky"}, Mood::well);
    EXPECT_EQ(whereis("picky"), picky.pid());
    EXPECT_EQ(call(picky, Picky::Ask{}), 1);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(StartTest, a_failed_start_has_left_nothing_behind_when_it_is_told) {
  run([] {
    for (int round = 0; round < 200; ++round) {
      std::expected<ServerRef<Picky>, StartError> started =
          try_start_link<Picky>({.name = "picky"}, Mood::throws);
      ASSERT_FALSE(started);
      EXPECT_EQ(started.error().kind(), StartError::error);
      EXPECT_EQ(started.error().reason(), ExitReason::error("std::runtime_error", "no disk"));
      EXPECT_FALSE(whereis("picky"));
      EXPECT_TRUE(nothing_came<Message>()) << "no Exit, no Down";
    }
  });
}

TEST_P(StartTest, the_reason_of_a_failed_start_is_the_processs_own) {
  run([] {
    EXPECT_EQ(try_start<Picky>(Mood::exits).error().reason(),
              ExitReason::of(std::string("because")));
    try {
      start_link<Picky>(Mood::exits);
      ADD_FAILURE() << "it should have thrown";
    } catch (const StartError& error) {
      EXPECT_EQ(error.reason(), ExitReason::of(std::string("because")));
    }
  });
}

TEST_P(StartTest, a_constructor_that_throws_is_a_failed_start) {
  struct Broken : Server<Broken> {
    Broken() { throw std::runtime_error("broken"); }
  };
  run([] {
    EXPECT_EQ(try_start_link<Broken>().error().reason(),
              ExitReason::error("std::runtime_error", "broken"));
  });
}

TEST_P(StartTest, one_that_ignores_ends_with_normal) {
  run([] {
    std::expected<ServerRef<Picky>, StartError> started = try_start_link<Picky>(Mood::ignores);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::ignore);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

TEST_P(StartTest, a_start_that_takes_too_long_is_killed) {
  run([] {
    std::expected<ServerRef<Picky>, StartError> started =
        try_start_link<Picky>({.name = "picky", .timeout = 1ms}, Mood::sleeps);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::timeout);
    EXPECT_FALSE(whereis("picky"));
    EXPECT_TRUE(nothing_came<Message>());
  });
}

// N11
TEST_P(StartTest, a_taken_name_tells_who_has_it_and_starts_nothing) {
  run([] {
    register_name("picky", self());
    std::expected<ServerRef<Picky>, StartError> started =
        try_start_link<Picky>({.name = "picky"}, Mood::throws);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind(), StartError::already_started);
    EXPECT_EQ(started.error().pid(), self());
    EXPECT_EQ(whereis("picky"), self());
  });
}

TEST_P(StartTest, a_starter_that_does_not_trap_exits_goes_with_a_failed_start) {
  run([] {
    Pid starter = spawn_link([] { static_cast<void>(try_start_link<Picky>(Mood::throws)); });
    EXPECT_EQ(exit_of(starter), ExitReason::error("std::runtime_error", "no disk"));
    Pid unlinked = spawn_link([] { static_cast<void>(try_start<Picky>(Mood::throws)); });
    EXPECT_EQ(exit_of(unlinked), ExitReason::normal());
  });
}

TEST_P(StartTest, start_monitor_leaves_a_monitor) {
  run([] {
    auto [server, ref] = start_monitor<Picky>(Mood::well);
    stop(server);
    EXPECT_EQ(next<Down>()->ref, ref);
    EXPECT_FALSE(try_start_monitor<Picky>(Mood::throws));
    EXPECT_TRUE(nothing_came<Message>());
  });
}

// R10: the answer cannot be in the mailbox yet, so what is there is not looked at.
TEST_P(StartTest, a_full_mailbox_makes_a_start_no_dearer) {
  run([] {
    constexpr int mail = 100'000;
    for (int i = 0; i < mail; ++i) send(self(), i);
    yield();
    std::uint64_t before = process_info(self())->reductions;
    for (int i = 0; i < 10; ++i) start_link<Picky>(Mood::well);
    EXPECT_LT(process_info(self())->reductions - before, mail);
  });
}

TEST_P(StartTest, a_body_is_waited_for_until_it_acknowledges) {
  run([] {
    Pid body = start_body_link([owner = self()](Starter starter) {
      register_name("body", self());
      starter.acknowledge();
      starter.acknowledge();
      receive<End>();
    });
    EXPECT_EQ(whereis("body"), body);
    end_child(body);
    EXPECT_EQ(next<Exit>()->from, body);
    EXPECT_TRUE(nothing_came<Message>()) << "the second answer is nobody's";
  });
}

TEST_P(StartTest, a_body_that_ends_before_it_acknowledges_has_failed) {
  run([] {
    auto returned = try_start_body_link([](Starter) {});
    EXPECT_EQ(returned.error().reason(), ExitReason::normal());
    auto threw = try_start_body_link([](Starter) { throw std::runtime_error("no"); });
    EXPECT_EQ(threw.error().reason(), ExitReason::error("std::runtime_error", "no"));
    auto ignored = try_start_body_link([](Starter starter) { starter.ignore(); });
    EXPECT_EQ(ignored.error().kind(), StartError::ignore);
    EXPECT_TRUE(nothing_came<Message>());
  });
}

}  // namespace
}  // namespace airssys::rt::test
