// servers_start_test.cpp: what a start promises to who starts, and how it fails (G1–G4).
//
// Method: servers that begin well, badly, slowly or not at all; each failure is followed by a look
// at what could be left of it: the name, the process, the starter's mail.
#include <airssys/rt.hpp>
#include <chrono>
#include <expected>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics::servers_start_test {
namespace {

using namespace std::chrono_literals;

class StartRules : public ServerRules {};
RT_WITH_SCHEDULERS(StartRules);

// Its init ends as it is told.
struct Fickle : Server<Fickle> {
  using Init = std::function<rt::Init()>;
  explicit Fickle(Init begin) : begin_(std::move(begin)) {}
  rt::Init init() { return begin_(); }

 private:
  Init begin_;
};

rt::Init begin_well() {
  return Init::ok;
}
rt::Init throw_error() {
  throw std::runtime_error("no disk");
}
rt::Init exit_with_value() {
  exit(ExitReason::of(42));
}
rt::Init ignore() {
  return Init::ignore;
}
rt::Init never_end() {
  sleep(infinite);
  return Init::ok;
}

// Refuses to run, without a crash.
struct Unable : Server<Unable> {
  std::expected<void, ExitReason> init() {
    return std::unexpected(ExitReason::error("no licence"));
  }
};
struct Able : Server<Able> {
  struct Get {
    using Reply = int;
  };
  std::expected<void, ExitReason> init() {
    value_ = 7;
    return {};
  }
  int handle(Get) const { return value_; }

 private:
  int value_ = 0;
};

const ExitReason no_disk = ExitReason::error("std::runtime_error", "no disk");

template <class T>
StartError error_of(const std::expected<T, StartError>& started) {
  EXPECT_FALSE(started);
  return started ? StartError(StartError::bad_spec, {}, "it has started") : started.error();
}

// The starts, each of which waits in the same way.
template <class Started>
std::expected<Pid, StartError> pid_of(std::expected<Started, StartError> started) {
  if (!started) return std::unexpected(started.error());
  if constexpr (requires { started->server; }) {
    return started->server.pid();
  } else {
    return started->pid();
  }
}
struct Verb {
  const char* name;
  std::expected<Pid, StartError> (*start)(const StartOptions&, Fickle::Init);
};
const Verb verbs[] = {
    {"start",
     [](const StartOptions& options, Fickle::Init init) {
       return pid_of(try_start<Fickle>(options, std::move(init)));
     }},
    {"start_link",
     [](const StartOptions& options, Fickle::Init init) {
       return pid_of(try_start_link<Fickle>(options, std::move(init)));
     }},
    {"start_monitor",
     [](const StartOptions& options, Fickle::Init init) {
       return pid_of(try_start_monitor<Fickle>(options, std::move(init)));
     }},
};

// G1
TEST_P(StartRules, a_start_returns_when_init_is_through) {
  run([] {
    for (const Verb& verb : verbs) {
      const Pid tester = self();
      const auto started = verb.start({.name = "fickle"}, [tester] {
        send(tester, Said{whereis("fickle") == self() ? "named" : "nameless"});
        yield();
        send(tester, Said{"through"});
        return Init::ok;
      });
      ASSERT_TRUE(started) << verb.name;
      const std::optional<Said> named = receive<Said>(0ms);
      const std::optional<Said> through = receive<Said>(0ms);
      ASSERT_TRUE(named && through) << verb.name << " returned before init did";
      EXPECT_EQ(named->what, "named") << "a name is there before init";
      EXPECT_EQ(through->what, "through");
      EXPECT_EQ(whereis("fickle"), *started);
      stop(*started);
      rest_of_mail();  // the Exit or the Down
    }
  });
}

// G1, N11
TEST_P(StartRules, a_taken_name_fails_the_start_without_running_init_or_disturbing_the_holder) {
  run([] {
    const Pid holder = start_link<Fickle>({.name = "fickle"}, &begin_well).pid();
    for (const Verb& verb : verbs) {
      bool has_run = false;
      const auto started = verb.start({.name = "fickle"}, [&has_run] {
        has_run = true;
        return Init::ok;
      });
      const StartError error = error_of(started);
      EXPECT_EQ(error.kind(), StartError::already_started) << verb.name;
      EXPECT_EQ(error.pid(), holder);
      EXPECT_FALSE(has_run);
    }
    EXPECT_EQ(whereis("fickle"), holder);
    EXPECT_TRUE(is_alive(holder));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G2
TEST_P(StartRules, the_starter_learns_how_init_ended) {
  run([] {
    for (const Verb& verb : verbs) {
      const auto started = verb.start({}, &begin_well);
      ASSERT_TRUE(started) << verb.name;
      stop(*started);
      EXPECT_EQ(error_of(verb.start({}, &throw_error)).kind(), StartError::error);
      EXPECT_EQ(error_of(verb.start({}, &throw_error)).reason(), no_disk);
      EXPECT_EQ(error_of(verb.start({}, &exit_with_value)).reason(), ExitReason::of(42));
      EXPECT_EQ(error_of(verb.start({}, &ignore)).kind(), StartError::ignore);
      const auto thrown = verb.start({}, []() -> rt::Init { throw 5; });
      EXPECT_EQ(error_of(thrown).reason(), ExitReason::error("nocatch", "int"));
    }
  });
}

// G2
TEST_P(StartRules, an_init_that_ignores_or_answers_an_error_ends_its_process_with_normal) {
  run([this] {
    for (const bool ignores : {true, false}) {
      // A starter that does not trap exits survives: the reason in the link's exit is normal.
      const Spawned starter = spawn_monitor([ignores] {
        const StartError error = ignores ? error_of(try_start_link<Fickle>(&ignore))
                                         : error_of(try_start_link<Unable>());
        EXPECT_EQ(error.kind(), ignores ? StartError::ignore : StartError::error);
        if (!ignores) {
          EXPECT_EQ(error.reason(), ExitReason::error("no licence"));
        }
      });
      EXPECT_EQ(reason_of(starter), ExitReason::normal());
    }
    EXPECT_EQ(call(start_link<Able>(), Able::Get{}), 7);
    EXPECT_EQ(logged("crashed"), 0) << log_text();
  });
}

// G2
TEST_P(StartRules, an_idle_time_may_be_set_in_init) {
  run([] {
    start_link<Told>(self(), Told::Plan{.at_init = [](Told&) { idle_after(1ms); }});
    EXPECT_EQ(said(3), "init, continue, idle");
  });
}

// G3
TEST_P(StartRules, a_start_that_failed_has_left_nothing_when_it_is_told) {
  run([] {
    rt::Init (*const failures[])() = {&throw_error, &exit_with_value, &ignore};
    for (const std::size_t i : support::rounds()) {
      for (const Verb& verb : verbs) {
        Pid pid;
        const auto started =
            verb.start({.name = "fickle"}, [&pid, fail = failures[i % std::size(failures)]] {
              pid = self();
              return fail();
            });
        ASSERT_FALSE(started);
        ASSERT_FALSE(whereis("fickle")) << verb.name;
        ASSERT_FALSE(is_alive(pid)) << verb.name;
        ASSERT_EQ(rest_of_mail(), "") << verb.name << ": neither Exit nor Down";
        const auto again = verb.start({.name = "fickle"}, &begin_well);
        ASSERT_TRUE(again) << verb.name << ": a retry under the same name works";
        stop(*again);
        rest_of_mail();
      }
    }
  });
}

// G3
TEST_P(StartRules, a_starter_that_does_not_trap_goes_with_an_abnormal_end_through_its_link_alone) {
  run([] {
    const auto reason_of_starter = [](auto start) {
      return reason_of(spawn_monitor([start] { static_cast<void>(start()); }));
    };
    EXPECT_EQ(reason_of_starter([] { return try_start_link<Fickle>(&throw_error); }), no_disk);
    EXPECT_EQ(reason_of_starter([] { return try_start<Fickle>(&throw_error); }),
              ExitReason::normal());
    EXPECT_EQ(reason_of_starter([] { return try_start_monitor<Fickle>(&throw_error); }),
              ExitReason::normal());
  });
}

// G3
TEST_P(StartRules, the_verbs_that_throw_throw_what_the_others_answer) {
  run([] {
    const auto thrown_by = [](auto start) {
      try {
        start();
      } catch (const StartError& error) {
        return error;
      }
      return StartError(StartError::bad_spec, {}, "it has started");
    };
    EXPECT_EQ(thrown_by([] { start<Fickle>(&throw_error); }).reason(), no_disk);
    EXPECT_EQ(thrown_by([] { start_link<Fickle>(&ignore); }).kind(), StartError::ignore);
    EXPECT_EQ(thrown_by([] { start_monitor<Fickle>(&throw_error); }).reason(), no_disk);
    EXPECT_EQ(thrown_by([] { start_body([](Starter) { throw_error(); }); }).reason(), no_disk);
  });
}

// G1, G3
TEST_P(StartRules, a_start_with_a_monitor_leads_to_one_down) {
  run([] {
    const StartedServer<Fickle> started = start_monitor<Fickle>(&begin_well);
    stop(started.server, ExitReason::of(3));
    const Down down = receive<Down>();
    EXPECT_EQ(down.ref, started.ref);
    EXPECT_EQ(down.reason, ExitReason::of(3));
    EXPECT_EQ(rest_of_mail(), "");
  });
}

// G1, G3, G24
TEST_P(StartRules, a_body_may_be_started_with_a_monitor_too) {
  run([] {
    const Spawned plain = start_body_monitor([](Starter starter) {
      starter.acknowledge();
      exit(ExitReason::of(4));
    });
    EXPECT_EQ(reason_in_down(plain.ref), ExitReason::of(4));
    const MonitoredWith<int> with_value = start_body_monitor<int>([](StarterOf<int> starter) {
      starter.acknowledge(7);
      receive<Go>();
    });
    EXPECT_EQ(with_value.value, 7);
    send(with_value.pid, Go());
    EXPECT_EQ(reason_in_down(with_value.ref), ExitReason::normal());
    EXPECT_EQ(error_of(try_start_body_monitor([](Starter) { throw_error(); })).reason(), no_disk);
    const auto failed = try_start_body_monitor<int>(
        [](StarterOf<int> starter) { starter.fail(ExitReason::of(5)); });
    EXPECT_EQ(error_of(failed).reason(), ExitReason::of(5));
    EXPECT_EQ(rest_of_mail(), "") << "neither Exit nor Down";
  });
}

// G4
TEST_P(StartRules, a_start_that_takes_too_long_is_killed) {
  run([] {
    for (const Verb& verb : verbs) {
      const StartError error = error_of(verb.start({.name = "fickle", .timeout = 1ms}, &never_end));
      EXPECT_EQ(error.kind(), StartError::timeout) << verb.name;
      EXPECT_EQ(error.reason(), ExitReason::timeout());
      EXPECT_FALSE(whereis("fickle"));
      EXPECT_EQ(rest_of_mail(), "") << verb.name;
    }
  });
}

// G4
TEST_P(StartRules, a_start_that_takes_too_long_does_not_end_a_starter_that_does_not_trap) {
  run([] {
    const Spawned starter = spawn_monitor([] {
      EXPECT_EQ(error_of(try_start_link<Fickle>({.timeout = 1ms}, &never_end)).kind(),
                StartError::timeout);
    });
    EXPECT_EQ(reason_of(starter), ExitReason::normal());
  });
}

// Either the start has succeeded, and the server runs, or it has not, and nothing is left.
// G4
TEST_P(StartRules, a_start_and_its_time_out_that_race_give_one_of_both) {
  run([] {
    std::size_t too_late = 0;
    for (const std::size_t i : rounds()) {
      const auto started = try_start_link<Fickle>(
          {.name = "fickle", .timeout = std::chrono::microseconds(20 * (i % 10))}, [i] {
            sleep(std::chrono::microseconds(20 * (i % 7)));
            return Init::ok;
          });
      if (started) {
        ASSERT_EQ(whereis("fickle"), started->pid());
        stop(*started);
        ASSERT_EQ(exit_of(started->pid()), ExitReason::normal());
      } else {
        ++too_late;
        ASSERT_EQ(started.error().kind(), StartError::timeout);
        ASSERT_FALSE(whereis("fickle"));
      }
      ASSERT_EQ(rest_of_mail(), "");
    }
    EXPECT_GT(too_late, 0U) << "a time-out of zero is one";
  });
}

// G4
TEST_P(StartRules, whoever_ends_before_it_acknowledges_has_failed_with_its_reason) {
  run([] {
    const auto started = try_start<Fickle>([]() -> rt::Init {
      send_exit(self(), ExitReason::kill());
      return Init::ok;
    });
    EXPECT_EQ(error_of(started).reason(), ExitReason::killed());
    EXPECT_EQ(error_of(try_start_body([](Starter) {})).reason(), ExitReason::normal());
  });
}

}  // namespace
}  // namespace airssys::rt::semantics::servers_start_test
