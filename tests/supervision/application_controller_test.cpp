// application_controller_test.cpp: applications as a program sees them: started in order, stopped in
// phases, and what the end of one means to the others.
// Method: applications of one child each, which say when they come and go; those that do not stop
// have a phase of a few milliseconds, and whatever needs its time has an hour.
#include "supervision/application_controller.hpp"

#include <airssys/rt/sys.hpp>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/supervision/support.hpp"

namespace airssys::rt::test {
namespace {

WITH_SCHEDULERS(ApplicationControllerTest);

Application app(std::string name,
                std::vector<std::string> needs = {},
                ApplicationType type = ApplicationType::permanent) {
  return {.name = name,
          .needs = std::move(needs),
          .type = type,
          .tree = {.intensity = 0, .children = {worker(name)}},
          .shutdown = 1h};
}
// Whose child fails to start.
Application failing(std::string name) {
  Application failing = app(std::move(name));
  failing.tree.children = {child_started_by(
      "bad", []() -> std::expected<Pid, StartError> { throw std::runtime_error("no disk"); })};
  return failing;
}
// Whose child does not end when it is asked to, but goes on as `f` does.
template <class F>
Application stubborn(std::string name, F f, Duration shutdown) {
  Application stubborn = app(name);
  stubborn.shutdown = shutdown;
  stubborn.tree.children = {child(name,
                                  [name, f, owner = self()] {
                                    trap_exit(true);
                                    send(owner, Up{name, self()});
                                    f();
                                  },
                                  {.shutdown = Shutdown::infinity()})};
  return stubborn;
}

Pid start(std::vector<Application> applications, Duration shutdown = 1h) {
  return start_applications_link({.applications = std::move(applications), .shutdown = shutdown});
}

std::string names() {
  std::string names;
  for (const ApplicationInfo& each : which_applications())
    names += each.name + (each.pid ? "+ " : "- ");
  return names;
}

TEST_P(ApplicationControllerTest, they_start_behind_what_they_need_and_stop_before_it) {
  run([] {
    const Pid controller = start({app("c", {"b"}), app("a"), app("b", {"a"})});
    EXPECT_EQ(names(), "a+ b+ c+ ");
    for (const char* name : {"a", "b", "c"}) EXPECT_EQ(next<Up>()->id, name);
    EXPECT_EQ(whereis("applications"), controller);
    stop(controller);
    EXPECT_EQ(next_goings(3), "cba");
    EXPECT_EQ(exit_of(controller), ExitReason::normal());
  });
}

TEST_P(ApplicationControllerTest, when_one_does_not_start_those_before_it_are_stopped_in_reverse) {
  run([] {
    const StartError error =
        try_start_applications_link(
            {.applications = {app("a"), app("b", {"a"}), failing("c"), app("d")}})
            .error();
    EXPECT_EQ(error.kind(), StartError::error);
    EXPECT_EQ(error.reason().kind(), ExitReason::Kind::shutdown_with);
    const std::string why(error.reason().what());
    EXPECT_EQ(why.find("failed to start application \"c\": "), 0U) << why;
    EXPECT_NE(why.find("no disk"), std::string::npos) << why;
    EXPECT_EQ(next_goings(2), "ba");
    EXPECT_EQ(next<Up>()->id, "a");
    EXPECT_EQ(next<Up>()->id, "b");
    EXPECT_TRUE(nothing_came<Up>()) << "d was never started";
    EXPECT_FALSE(whereis("applications"));
    EXPECT_TRUE(nothing_came<Exit>());
  });
  EXPECT_TRUE(was_logged("failed to start application \"c\": "));
}

TEST_P(ApplicationControllerTest, what_makes_no_sense_is_refused_by_name_and_starts_nothing) {
  run([] {
    const auto refusal = [](std::vector<Application> applications) {
      const StartError error =
          try_start_applications_link({.applications = std::move(applications)}).error();
      EXPECT_EQ(error.kind(), StartError::bad_spec);
      return std::string(error.what());
    };
    EXPECT_EQ(refusal({app("a", {"b"}), app("b", {"a"})}),
              R"(applications need each other: "a" -> "b" -> "a")");
    EXPECT_EQ(refusal({app("a"), app("http", {"storage"})}),
              R"(application "http" needs "storage", which is not there)");
    Application late = app("late");
    late.shutdown = -1s;
    EXPECT_EQ(refusal({app("a"), late}), R"(application "late": shutdown is negative)");
    Application twice = app("twice");
    twice.tree.children.push_back(worker("twice"));
    EXPECT_NE(refusal({twice}).find("application \"twice\": "), std::string::npos);
    EXPECT_TRUE(nothing_came<Up>());
    EXPECT_THROW(start({app("")}), StartError);
  });
}

// --- the end of one ---

TEST_P(ApplicationControllerTest, the_end_of_a_permanent_one_is_the_end_of_all) {
  run([] {
    const Pid controller = start({app("a"), app("b"), app("c")});
    up("a");
    up("c");
    end_child(up("b"));
    EXPECT_EQ(next_goings(2), "ca");
    const ExitReason reason = exit_of(controller);
    EXPECT_EQ(reason.kind(), ExitReason::Kind::error);
    EXPECT_NE(reason.what().find("application \"b\" has ended: shutdown"), std::string_view::npos);
  });
  EXPECT_TRUE(was_logged("application \"b\" has ended: shutdown"));
}

TEST_P(ApplicationControllerTest, the_end_of_a_temporary_one_means_nothing) {
  run([] {
    const Pid controller = start({app("a"), app("b", {}, ApplicationType::temporary)});
    end_child(up("b"));
    while (names() != "a+ b- ") yield();
    EXPECT_EQ(which_applications()[1].reason, ExitReason::shutdown());
    EXPECT_EQ(sys::get_status(controller).state, "a: running, b: ended");
    stop(controller);
    EXPECT_EQ(next_goings(1), "a");
  });
}

TEST_P(ApplicationControllerTest, a_transient_one_may_end_with_normal_alone) {
  run([] {
    const auto applications = [] {
      return std::vector{app("a"), app("b", {}, ApplicationType::transient)};
    };
    Pid controller = start(applications());
    stop(which_applications()[1].pid);
    while (names() != "a+ b- ") yield();
    stop(controller);
    exit_of(controller);
    controller = start(applications());
    stop(which_applications()[1].pid, ExitReason::shutdown());
    EXPECT_EQ(exit_of(controller).kind(), ExitReason::Kind::error);
  });
}

TEST_P(ApplicationControllerTest, a_permanent_one_that_ends_with_normal_ends_all_in_order) {
  run([] {
    const Pid controller = start({app("a"), app("b")});
    stop(which_applications()[0].pid);
    EXPECT_EQ(exit_of(controller).kind(), ExitReason::Kind::shutdown_with);
  });
}

// --- the shutdown ---

TEST_P(ApplicationControllerTest, at_a_phases_deadline_it_is_told_who_waits_for_what_and_killed) {
  run([] {
    const Pid controller = start({app("a"),
                                  stubborn(
                                      "b",
                                      [] {
                                        for (;;) sleep(1h);
                                      },
                                      5ms),
                                  app("c")});
    const MonitorRef b = monitor(up("b"));
    stop(controller);
    EXPECT_EQ(next_goings(2), "ca") << "the others stop in order";
    const Down down = *next<Down>();
    EXPECT_EQ(down.ref, b);
    EXPECT_EQ(down.reason, ExitReason::killed());
  });
  EXPECT_TRUE(was_logged("application \"b\" has not stopped in time; it is killed"));
  EXPECT_TRUE(was_logged("SupervisorServer: waits for reply from <"));
  EXPECT_TRUE(was_logged(": waits for sleep"));
  EXPECT_FALSE(was_logged("application \"a\" has not stopped"));
}

TEST_P(ApplicationControllerTest, what_they_have_spawned_is_killed_with_them) {
  run([] {
    const Pid owner = self();
    const Pid controller = start({stubborn(
        "a",
        [owner] {
          for (const char* id : {"linked", "alone"}) {
            spawn([id, owner] {
              trap_exit(true);
              send(owner, Up{id, self()});
              for (;;) sleep(1h);
            });
          }
          for (;;) sleep(1h);
        },
        5ms)});
    const Pid linked = up("linked");
    const Pid alone = up("alone");
    stop(controller);
    EXPECT_EQ(end_of(linked), ExitReason::noproc());
    EXPECT_EQ(end_of(alone), ExitReason::noproc());
  });
}

TEST_P(ApplicationControllerTest, when_all_their_time_is_up_the_rest_is_killed_phase_by_phase) {
  run([] {
    const auto forever = [] {
      for (;;) sleep(1h);
    };
    const Pid controller = start({stubborn("a", forever, 1h), stubborn("b", forever, 1h)}, 5ms);
    up("a");
    up("b");
    stop(controller);
  });
  EXPECT_TRUE(was_logged("application \"b\" has not stopped in time; it is killed"));
  EXPECT_TRUE(was_logged("application \"a\" has not stopped in time; it is killed"));
}

// It never calls the runtime, until the shutdown has left it behind.
TEST_P(ApplicationControllerTest, who_never_calls_the_runtime_is_told_of_and_left_behind) {
  std::atomic<bool> may_end = false;
  run([&] {
    const Pid controller = start({app("a"),
                                  stubborn(
                                      "b",
                                      [&] {
                                        while (!may_end) std::this_thread::yield();
                                      },
                                      5ms)});
    const Pid b = up("b");
    stop(controller);
    EXPECT_EQ(next_goings(1), "a");
    may_end = true;
    end_of(b);
  });
  EXPECT_TRUE(was_logged("runs code, or is about to"));
  EXPECT_TRUE(was_logged("application \"b\" is left behind"));
}

TEST_P(ApplicationControllerTest, the_end_of_their_starter_is_their_shutdown) {
  run([] {
    const Pid owner = self();
    const Pid starter = spawn([owner] {
      std::vector<Application> applications;
      for (const char* name : {"a", "b"}) {
        applications.push_back(app(name));
        applications.back().tree.children = {child(name, obedient(name, owner))};
      }
      serve_applications({.applications = std::move(applications)});
    });
    up("a");
    up("b");
    const Pid controller = whereis("applications").value();
    send_exit(starter, ExitReason::shutdown());
    EXPECT_EQ(next_goings(2), "ba");
    end_of(controller);
  });
}

TEST_P(ApplicationControllerTest, who_serves_them_ends_as_they_do) {
  run([] {
    const Pid owner = self();
    const auto server = [owner] {
      return spawn_link([owner] {
        Application a = app("a");
        a.tree.children = {child("a", obedient("a", owner))};
        serve_applications({.applications = {a}});
      });
    };
    Pid starter = server();
    end_child(up("a"));
    EXPECT_EQ(exit_of(starter).kind(), ExitReason::Kind::error);
    starter = server();
    up("a");
    stop(whereis("applications").value());
    EXPECT_EQ(exit_of(starter), ExitReason::normal());
    starter = spawn_link([] { serve_applications({.applications = {app("a", {"b"})}}); });
    EXPECT_EQ(exit_of(starter).kind(), ExitReason::Kind::error);
  });
}

TEST_P(ApplicationControllerTest, one_that_is_killed_at_any_moment_leaves_the_controller_in_order) {
  run([] {
    for (int round = 0; round < 50; ++round) {
      const Pid controller = start({app("a"), app("b"), app("c")});
      const std::vector<ApplicationInfo> all = which_applications();
      send_exit(all[static_cast<std::size_t>(round) % 3].pid, ExitReason::kill());
      if (round % 2 == 0) send_exit(controller, ExitReason::shutdown());
      for (int spin = 0; spin < round % 5; ++spin) yield();
      static_cast<void>(try_stop(controller, ExitReason::shutdown()));
      exit_of(controller);
      for (const ApplicationInfo& each : all) end_of(each.pid);
      EXPECT_FALSE(whereis("applications"));
    }
  });
}

// E3: all of stop's time but the last second is theirs.
TEST_P(ApplicationControllerTest, a_hosts_stop_is_their_shutdown) {
  std::mutex mutex;
  std::string order;
  Runtime runtime({.schedulers = GetParam(), .log = [](std::string_view) {}});
  std::atomic<int> running = 0;
  runtime.spawn([&] {
    std::vector<Application> applications;
    for (const char name : {'a', 'b', 'c'}) {
      applications.push_back(app(std::string(1, name)));
      applications.back().tree.children = {child("child", [&, name] {
        trap_exit(true);
        ++running;
        receive<Exit>();
        std::scoped_lock lock(mutex);
        order += name;
      })};
    }
    serve_applications({.applications = std::move(applications)});
  });
  while (running != 3) std::this_thread::yield();
  runtime.stop(patience);
  EXPECT_EQ(order, "cba");
}

}  // namespace
}  // namespace airssys::rt::test
