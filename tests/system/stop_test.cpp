// stop_test.cpp: who waits for a runtime hears of its end, and limits count what lives.
//
// The races of stop with plain threads that wait in run, and with processes that cannot be ended in
// time, are run for some rounds; that they come back at all is the fact.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/in_runtime.hpp"
#include "tests/support/kept_reports.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

struct Go {};

class Stop : public testing::TestWithParam<unsigned> {
 protected:
  Options options = {.schedulers = GetParam()};
};
RT_WITH_SCHEDULERS(Stop);

TEST_P(Stop, a_thread_that_waits_in_run_hears_how_its_process_was_ended) {
  for ([[maybe_unused]] const std::size_t i : support::rounds()) {
    Runtime runtime(options);
    constexpr int count = 4;
    std::atomic<int> running = 0;
    std::vector<std::thread> threads;
    std::vector<std::optional<ExitReason>> reasons(count);
    for (int n = 0; n < count; ++n) {
      threads.emplace_back([&, n] {
        reasons[static_cast<std::size_t>(n)] = runtime.run([&running] {
          ++running;
          receive<Go>();
        });
      });
    }
    while (running != count) std::this_thread::yield();
    runtime.stop(60s);
    for (std::thread& thread : threads) thread.join();
    for (const auto& reason : reasons) EXPECT_EQ(reason, ExitReason::shutdown());
  }
}

TEST_P(Stop, threads_that_send_while_it_stops_are_not_hurt) {
  for ([[maybe_unused]] const std::size_t i : support::rounds()) {
    Runtime runtime(options);
    const Pid target = runtime.spawn([] {
      for (;;) receive<int>();
    });
    std::atomic<bool> is_over = false;
    std::thread sender([&] {
      while (!is_over) runtime.send(target, 1);
    });
    runtime.stop(60s);
    for (int n = 0; n < 100; ++n) runtime.send(target, n);
    is_over = true;
    sender.join();
  }
}

TEST_P(Stop, an_endless_deadline_is_one) {
  Runtime runtime(options);
  runtime.spawn([] { receive<Go>(); });
  runtime.stop(infinite);
}

TEST_P(Stop, a_deadline_just_before_the_clock_s_end_is_one) {
  Runtime runtime(options);
  runtime.spawn([] { receive<Go>(); });
  runtime.stop(Duration(Deadline::never_ns - 900'000'000 - Deadline::now().ns()));
}

// E3
TEST_P(Stop, at_its_deadline_it_tells_of_who_is_left_and_is_about_to_be_killed) {
  std::mutex mutex;
  std::vector<Report> left;
  options.log = [&](const Report& report) {
    const std::lock_guard lock(mutex);
    if (report.kind() == "survivor") left.push_back(report);
  };
  for (const Duration deadline : {Duration(50ms), Duration::zero()}) {
    Runtime runtime(options);
    std::atomic<bool> is_there = false;
    runtime.spawn({.name = "deaf"}, [&] {
      trap_exit(true);
      is_there = true;
      receive<Go>();
    });
    while (!is_there) std::this_thread::yield();
    runtime.stop(deadline);
  }
  ASSERT_EQ(left.size(), 1U) << "who leaves them no time does not ask why they need some";
  EXPECT_EQ(support::field(left[0], "name"), "deaf");
  EXPECT_NE(left[0].line().find(" has not stopped in time: "), std::string::npos) << left[0].line();
}

// A runtime whose job does not end stays, with its thread, until the program ends.
// E3
TEST_P(Stop, a_job_that_does_not_end_is_told_of_and_left_behind) {
  struct Job {
    std::atomic<bool> has_begun = false;
    std::atomic<bool> may_end = false;
  };
  const auto job = std::make_shared<Job>();
  std::vector<Report> left;
  options.log = [&](const Report& report) {
    if (report.kind() == "left_behind") left.push_back(report);
  };
  {
    Runtime runtime(options);
    runtime.spawn([job] {
      blocking([job] {
        job->has_begun = true;
        while (!job->may_end) std::this_thread::yield();
      });
    });
    while (!job->has_begun) std::this_thread::yield();
    runtime.stop(0s);
  }
  job->may_end = true;
  EXPECT_EQ(left.size(), 1U);
}

TEST_P(Stop, who_does_not_end_before_it_cannot_stop_a_runtime) {
  Runtime runtime(options);
  const ExitReason reason = runtime.run([&runtime] {
    EXPECT_THROW(runtime.stop(1s), BadArgument);
    EXPECT_THROW(blocking([&runtime] { runtime.stop(1s); }), BadArgument);
  });
  EXPECT_EQ(reason, ExitReason::normal()) << "a stop would have ended it";
}

TEST_P(Stop, the_limit_of_processes_counts_those_that_live) {
  options.max_processes = 50;
  Runtime runtime(options);
  runtime.run([] {
    for (int i = 0; i < 3000; ++i) {
      spawn_monitor([] {});
      receive<Down>();
    }
    std::vector<Pid> living;
    EXPECT_THROW(for (;;) living.push_back(spawn([] { receive<Go>(); })), SpawnError);
    EXPECT_EQ(try_spawn({}, [] {}).error().kind(), SpawnError::limit_reached);
    EXPECT_GE(living.size(), 40U);
    for (const Pid pid : living) send(pid, Go());
  });
}

// As a restart at the limit does.
TEST_P(Stop, who_hears_of_an_end_finds_room_for_another) {
  options.max_processes = 10;
  Runtime runtime(options);
  runtime.run([] {
    const auto wait = [] { receive<Go>(); };
    Spawned one = spawn_monitor(wait);
    while (try_spawn({}, wait)) {
    }
    for (int i = 0; i < 3000; ++i) {
      send_exit(one.pid, ExitReason::kill());
      receive<Down>();
      const auto next = try_spawn_monitor({}, wait);
      ASSERT_TRUE(next) << "in round " << i;
      one = *next;
    }
  });
}

TEST_P(Stop, a_taken_name_leaves_no_process_behind) {
  Runtime runtime(options);
  runtime.run([] {
    register_name("taken", self());
    for (int i = 0; i < 1000; ++i)
      EXPECT_THROW(spawn({.name = "taken"}, [] { ADD_FAILURE() << "it ran"; }), NameError);
    EXPECT_EQ(processes().size(), 2U);  // this one, and who waits for its end
  });
}

}  // namespace
}  // namespace airssys::rt
