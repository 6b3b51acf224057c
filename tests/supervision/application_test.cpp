// application_test.cpp: applications as a program sees them: started in order, stopped in phases,
// and what the end of one means to the others.
// Method: applications of one child each, which say when they come and go. Those that do not stop
// have a phase of a few milliseconds; whatever needs its time has an hour.
#include <airssys/rt.hpp>

#include <atomic>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/supervision/applications.hpp"

namespace airssys::rt::test::application_test {
namespace {

RT_WITH_SCHEDULERS(Applications);

// Whose child fails to start.
Application failing(std::string name) {
  Application failing = app(std::move(name));
  failing.tree.children = {child_started_by(
      "bad", []() -> std::expected<Pid, StartError> { throw std::runtime_error("no disk"); })};
  return failing;
}
// Whose child says Up and does not end when it is asked to, but goes on as `f` does.
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
void sleep_for_ever() {
  for (;;) sleep(1h);
}

void await_sleep(Pid pid) {
  while (process_info(pid)->wait_reason != "sleep") yield();
}

// --- order ---

TEST_P(Applications, they_start_behind_what_they_need_and_stop_before_it) {
  run([] {
    const Pid server = serve_started({app("c", {"b"}), app("a"), app("b", {"a"})});
    EXPECT_EQ(next_ups(3), "abc");
    EXPECT_EQ(stop_by(server, ExitReason::shutdown()), ExitReason::shutdown());
    EXPECT_EQ(next_goings(3), "cba");
  });
  EXPECT_TRUE(reports_of("application").empty()) << "what goes well is mere information";
}

TEST_P(Applications, when_one_does_not_start_those_before_it_are_stopped_in_reverse) {
  run([] {
    trap_exit(true);
    try {
      serve_applications({.applications = {app("a"), app("b", {"a"}), failing("c"), app("d")}});
      ADD_FAILURE() << "they have started";
    } catch (const StartError& error) {
      EXPECT_EQ(error.kind(), StartError::error);
      EXPECT_TRUE(says(error.what(), "application \"c\" could not be started: ")) << error.what();
      EXPECT_TRUE(says(error.what(), "no disk")) << error.what();
      EXPECT_FALSE(error.reason().is_orderly()) << "a program that ends with it answers 1";
    }
    EXPECT_EQ(next_ups(2), "ab");
    EXPECT_EQ(next_goings(2), "ba");
    EXPECT_FALSE(receive<Message>(0s)) << "d was never started, and no Exit is left";
  });
  ASSERT_EQ(reports_of("application").size(), 1U);
  const Report report = reports_of("application")[0];
  EXPECT_EQ(field(report, "application"), "c");
  EXPECT_EQ(field(report, "context"), "start_error");
}

TEST_P(Applications, what_makes_no_sense_is_refused_by_name_and_starts_nothing) {
  run([] {
    const auto refusal = [](std::vector<Application> applications) {
      try {
        serve_applications({.applications = std::move(applications)});
      } catch (const StartError& error) {
        EXPECT_EQ(error.kind(), StartError::bad_spec);
        return std::string(error.what());
      }
      return std::string("nothing");
    };
    EXPECT_EQ(refusal({app("a", {"b"}), app("b", {"a"})}),
              R"(applications need each other: "a" -> "b" -> "a")");
    EXPECT_EQ(refusal({app("a"), app("http", {"storage"})}),
              R"(application "http" needs "storage", which is not there)");
    Application late = app("late");
    late.shutdown = -1s;
    EXPECT_EQ(refusal({app("a"), late}), R"(application "late": its shutdown is negative)");
    Application timeless = app("timeless");
    timeless.tree.period = 0s;
    EXPECT_TRUE(says(refusal({app("a"), timeless}), "application \"timeless\": "));
    Application twice = app("twice");
    twice.tree.children.push_back(worker("twice"));
    EXPECT_TRUE(says(refusal({app("a"), twice}), "application \"twice\": "));
    Application both = app("both");
    both.start = [] { return Pid(); };
    EXPECT_EQ(refusal({both}), R"(application "both": it has both a start and a tree)");
    EXPECT_THROW(serve_applications({.shutdown = -1s}), StartError);
    EXPECT_FALSE(receive<Up>(0s));
  });
}

TEST_P(Applications, a_function_may_start_one_or_find_nothing_to_run) {
  run([] {
    const auto started_by = [](std::string name, auto f) {
      return Application{.name = std::move(name), .start = f, .shutdown = 1h};
    };
    const auto body = obedient("a");
    const Pid server = serve_started({started_by("a", [body] { return start_body_link(body); }),
                                      started_by("nothing", [] { return Pid(); }),
                                      app("b", {"nothing"})});
    EXPECT_EQ(next_ups(2), "ab");
    stop_by(server, ExitReason::shutdown());
    EXPECT_EQ(next_goings(2), "ba");
  });
}

// --- the end of one ---

TEST_P(Applications, the_end_of_a_permanent_one_is_the_end_of_all) {
  run([] {
    const Pid server = serve_started({app("a"), app("b"), app("c")});
    end_child(up("b"));
    const ExitReason reason = exit_of(server);
    EXPECT_EQ(next_goings(2), "ca");
    EXPECT_EQ(reason.kind(), ExitReason::Kind::error);
    EXPECT_EQ(reason.what(), "application \"b\" has ended: shutdown");
  });
  ASSERT_EQ(reports_of("application").size(), 1U);
  EXPECT_EQ(field(reports_of("application")[0], "context"), "ended");
  EXPECT_TRUE(field<bool>(reports_of("application")[0], "ends_all"));
}

TEST_P(Applications, a_permanent_one_that_ends_with_normal_ends_all_in_order) {
  run([] {
    const Pid server = serve_started({app("a"), app("b")});
    stop(process_info(up("a"))->parent);
    EXPECT_EQ(exit_of(server), ExitReason::shutdown("application \"a\" has ended: normal"));
    EXPECT_EQ(next_goings(2), "ab");
  });
}

TEST_P(Applications, the_end_of_a_temporary_one_means_nothing) {
  run([] {
    const Pid server = serve_started({app("a"), app("b", {}, ApplicationType::temporary)});
    const Pid b = up("b");
    const Pid root = process_info(b)->parent;
    end_child(b);
    end_of(root);
    EXPECT_EQ(stop_by(server, ExitReason::shutdown()), ExitReason::shutdown());
    EXPECT_EQ(next_goings(1), "a");
  });
}

TEST_P(Applications, a_transient_one_may_end_with_normal_alone) {
  run([] {
    for (const ExitReason& reason : {ExitReason::normal(), ExitReason::shutdown()}) {
      const Pid server = serve_started({app("a"), app("b", {}, ApplicationType::transient)});
      const Pid root = process_info(up("b"))->parent;
      const Pid keeper = process_info(root)->parent;
      stop(root, reason);
      if (reason == ExitReason::normal()) {
        end_of(keeper);
        EXPECT_EQ(stop_by(server, ExitReason::shutdown()), ExitReason::shutdown());
      } else {
        EXPECT_EQ(exit_of(server).what(), "application \"b\" has ended: shutdown");
      }
      EXPECT_EQ(next_goings(2), "ba");
    }
  });
}

TEST_P(Applications, when_nothing_is_left_to_run_it_is_over) {
  run([] {
    const Pid server = serve_started({app("a", {}, ApplicationType::temporary)});
    end_child(up("a"));
    EXPECT_EQ(exit_of(server), ExitReason::normal());
    serve_applications({});
  });
}

// --- the shutdown ---

TEST_P(Applications, the_end_of_who_has_started_their_server_is_their_shutdown) {
  run([] {
    const Pid owner = self();
    std::vector<Application> both = {app("a"), app("b")};
    const Pid starter = spawn([owner, both = std::move(both)] {
      const Pid server = spawn_link([owner, both] {
        serve_applications({.applications = both, .started = [owner] { send(owner, Started()); }});
      });
      send(owner, server);
      receive<End>();
    });
    const Pid server = receive<Pid>();
    receive<Started>();
    send(starter, End{});
    EXPECT_EQ(next_goings(2), "ba");
    end_of(server);
  });
}

TEST_P(Applications, what_would_end_their_server_ends_it_after_the_shutdown) {
  run([] {
    const Pid server = serve_started({app("a"), app("b")});
    spawn([server] {
      send_exit(server, ExitReason::normal());
      send_exit(server, ExitReason::error("boom"));
    });
    EXPECT_EQ(exit_of(server), ExitReason::error("boom"));
    EXPECT_EQ(next_goings(2), "ba");
  });
}

TEST_P(Applications, at_its_deadline_a_phase_tells_who_waits_for_what_and_kills) {
  run([this] {
    const Pid server =
        serve_started({app("a"), stubborn("b", &sleep_for_ever, 5ms), app("c", {"b"})});
    const Pid b = up("b");
    await_sleep(b);
    const Pid root = process_info(b)->parent;
    const ExitReason reason = stop_by(server, ExitReason::shutdown());
    EXPECT_EQ(reason.what(), "killed at the deadline: b");
    EXPECT_FALSE(reason.is_orderly()) << "a program that ends with it answers 1";
    EXPECT_EQ(next_goings(2), "ca") << "the others stop in order";
    EXPECT_FALSE(is_alive(b));
    const std::vector<Report> survivors = reports_of("survivor");
    ASSERT_EQ(survivors.size(), 2U);
    EXPECT_EQ(field(survivors[0], "pid"), root.to_string());
    EXPECT_EQ(field(survivors[1], "pid"), b.to_string());
    EXPECT_EQ(field(survivors[1], "parent"), root.to_string());
    EXPECT_EQ(field(survivors[1], "application"), "b");
    EXPECT_EQ(field(survivors[1], "waits_for"), "sleep");
    EXPECT_TRUE(says(survivors[1].line(), "has not stopped in time: it waits for sleep"))
        << survivors[1].line();
    // Who was too slow to answer was only looked at.
    if (field<bool>(survivors[1], "answered")) {
      EXPECT_TRUE(says(survivors[1].line(), "it waits for sleep for ")) << survivors[1].line();
      EXPECT_FALSE(field<std::vector<std::string>>(survivors[1], "stack").empty());
    }
  });
  const std::vector<Report> late = reports_of("application");
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].line(), "application \"b\" has not stopped in time; 2 processes are killed");
  EXPECT_EQ(field(late[0], "context"), "late");
}

TEST_P(Applications, who_waits_for_an_answer_is_told_with_whose_it_is) {
  run([this] {
    const Pid silent = spawn([] { receive<End>(); });
    const Pid server = serve_started({stubborn(
        "a",
        [silent] {
          detail::PendingCall call(silent);
          static_cast<void>(call.wait(Deadline::never()));
        },
        5ms)});
    const Pid a = up("a");
    while (process_info(a)->waits_for != silent) yield();
    stop_by(server, ExitReason::shutdown());
    const Report told = reports_of("survivor").at(1);
    EXPECT_TRUE(says(told.line(), "it waits for reply from " + silent.to_string())) << told.line();
    EXPECT_EQ(field(told, "waits_for_pid"), silent.to_string());
    send(silent, End{});
  });
}

TEST_P(Applications, what_they_have_spawned_is_killed_with_them) {
  run([] {
    const Pid owner = self();
    const Pid server = serve_started({stubborn(
        "a",
        [owner] {
          for (const char* id : {"linked", "alone"}) {
            auto body = [id, owner] {
              trap_exit(true);
              send(owner, Up{id, self()});
              sleep_for_ever();
            };
            spawn({.link = id[0] == 'l'}, body);
          }
          sleep_for_ever();
        },
        5ms)});
    const Pid linked = up("linked");
    const Pid alone = up("alone");
    stop_by(server, ExitReason::shutdown());
    EXPECT_FALSE(is_alive(linked));
    EXPECT_FALSE(is_alive(alone));
  });
}

TEST_P(Applications, what_their_start_has_spawned_is_killed_with_them) {
  run([this] {
    const auto hang = [owner = self()](Starter starter) {
      trap_exit(true);
      send(owner, Up{"", self()});
      starter.acknowledge();
      sleep_for_ever();
    };
    Application a = {.name = "a", .shutdown = 5ms};
    a.start = [hang] {
      start_body(hang);
      return start_body_link(hang);
    };
    const Pid server = serve_started({a});
    const Pid helper = receive<Up>().pid;
    const Pid root = receive<Up>().pid;
    stop_by(server, ExitReason::shutdown());
    EXPECT_FALSE(is_alive(root));
    EXPECT_FALSE(is_alive(helper));
    EXPECT_EQ(reports_of("survivor").size(), 2U) << "of who only waits for its root there is none";
  });
}

TEST_P(Applications, when_the_time_of_all_is_up_each_of_the_rest_is_told_and_killed) {
  run([] {
    const Pid server = serve_started(
        {stubborn("a", &sleep_for_ever, 1h), stubborn("b", &sleep_for_ever, 1h)}, 5ms);
    up("a");
    up("b");
    EXPECT_EQ(stop_by(server, ExitReason::shutdown()).what(), "killed at the deadline: b, a");
  });
  EXPECT_EQ(reports_of("survivor").size(), 4U);
}

// It never calls the runtime, until the shutdown has left it behind.
TEST_P(Applications, who_never_calls_the_runtime_is_told_of_and_left_behind) {
  std::atomic<bool> may_end = false;
  run([&] {
    const Pid server = serve_started({app("a"),
                                      stubborn(
                                          "b",
                                          [&] {
                                            while (!may_end) std::this_thread::yield();
                                          },
                                          5ms)});
    const Pid b = up("b");
    EXPECT_EQ(stop_by(server, ExitReason::shutdown()).what(), "killed at the deadline: b");
    EXPECT_EQ(next_goings(1), "a");
    may_end = true;
    end_of(b);
    const Report told = reports_of("survivor").at(1);
    EXPECT_TRUE(says(told.line(), "it runs code that does not call the runtime")) << told.line();
    EXPECT_FALSE(field<bool>(told, "answered"));
  });
}

TEST_P(Applications, one_that_is_killed_at_any_moment_leaves_no_process_behind) {
  run([] {
    for (int round = 0; round < 30; ++round) {
      const Pid server = serve_started({app("a"), app("b"), app("c")});
      std::vector<Pid> roots;
      for (const char* name : {"a", "b", "c"}) roots.push_back(process_info(up(name))->parent);
      send_exit(roots[static_cast<std::size_t>(round) % 3], ExitReason::kill());
      for (int spin = 0; spin < round % 5; ++spin) yield();
      if (round % 2 == 0) send_exit(server, ExitReason::shutdown());
      exit_of(server);
      for (const Pid root : roots) EXPECT_FALSE(is_alive(root));
    }
  });
}

// --- programs ---

// E3: all of stop's time but the last second is theirs.
TEST_P(Applications, the_stop_of_a_host_is_their_shutdown) {
  std::mutex mutex;
  std::string order;
  with_runtime([&](Runtime& runtime) {
    std::atomic<int> running = 0;
    std::vector<Application> applications;
    for (const char name : {'a', 'b', 'c'}) {
      const auto body = [&, name] {
        trap_exit(true);
        ++running;
        receive<Exit>();
        const std::scoped_lock lock(mutex);
        order += name;
      };
      applications.push_back({.name = std::string(1, name),
                              .tree = {.children = {child("child", body)}},
                              .shutdown = 1h});
    }
    runtime.spawn([&] { serve_applications({.applications = applications, .shutdown = 1h}); });
    while (running != 3) std::this_thread::yield();
    runtime.stop(60s);
  });
  EXPECT_EQ(order, "cba");
}

void send_sigterm() {
  std::raise(SIGTERM);
}
Application operating() {
  return {.name = "operator",
          .type = ApplicationType::temporary,
          .tree = {.children = {child("sigterm", &send_sigterm, {.restart = Restart::temporary})}}};
}

TEST_P(Applications, a_program_that_is_asked_to_end_answers_0) {
  EXPECT_EQ(run_applications({.applications = {operating()}}, options), 0);
}

TEST_P(Applications, a_program_whose_applications_had_to_be_killed_answers_1) {
  const auto body = [](Starter starter) {
    trap_exit(true);
    starter.acknowledge();
    sleep_for_ever();
  };
  Application late = {
      .name = "late", .tree = {.children = {child("late", body)}}, .shutdown = Duration::zero()};
  Application last = operating();
  last.needs = {"late"};
  EXPECT_EQ(run_applications({.applications = {late, last}}, options), 1);
  EXPECT_EQ(reports_of("survivor").size(), 2U);
}

TEST_P(Applications, a_program_whose_applications_do_not_start_answers_1) {
  EXPECT_EQ(run_applications({.applications = {{.name = "a", .needs = {"b"}}}}, options), 1);
  EXPECT_TRUE(
      says(reports_of("crash").at(0).line(), R"(application "a" needs "b", which is not there)"));
}

}  // namespace
}  // namespace airssys::rt::test::application_test
