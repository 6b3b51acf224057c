// runtime_impl_test.cpp: starting, visiting and stopping (E1–E4). Method: the public face, with 1,
// 2 and 4 schedulers.
#include "system/runtime_impl.hpp"

#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt {
namespace {

using namespace std::chrono_literals;

using Runtimes = support::InRuntime;
RT_WITH_SCHEDULERS(Runtimes);

struct Line {
  int n;
};

// E2
TEST_P(Runtimes, run_answers_why_the_process_ended) {
  options.log = [](std::string_view) {};
  with_runtime([](Runtime& runtime) {
    EXPECT_EQ(runtime.run([] {}), ExitReason::normal());
    EXPECT_EQ(runtime.run([] { rt::exit(ExitReason::shutdown()); }), ExitReason::shutdown());
    EXPECT_EQ(runtime.run([] { throw std::runtime_error("boom"); }),
              ExitReason::error("std::runtime_error", "boom"));
  });
}

// E2, P11: order holds for each thread.
// E2, P11
TEST_P(Runtimes, foreign_threads_send_in_order) {
  constexpr int lines = 5'000;
  with_runtime([&](Runtime& runtime) {
    std::atomic<bool> in_order{true};
    const Pid sink = runtime.spawn([&] {
      std::array<int, 2> next{};
      for (int i = 0; i < 2 * lines; ++i) {
        const int n = rt::receive<Line>().n;
        if (n / lines < 2 && n % lines != next[static_cast<std::size_t>(n / lines)]++)
          in_order = false;
      }
    });
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < lines; ++i) runtime.send(sink, Line{thread * lines + i});
      });
    }
    for (std::thread& thread : threads) thread.join();
    runtime.run([sink] {
      rt::monitor(sink);
      rt::receive<Down>();
    });
    EXPECT_TRUE(in_order);
  });
}

// E3: newest first, each waited for.
// E3
TEST_P(Runtimes, stop_asks_processes_without_a_parent_newest_first) {
  std::mutex mutex;
  std::vector<int> ended;
  struct Note {
    std::mutex& mutex;
    std::vector<int>& ended;
    int number;
    ~Note() {
      const std::lock_guard lock(mutex);
      ended.push_back(number);
    }
  };
  Runtime runtime(options);
  std::atomic<int> ready{0};
  for (int number = 0; number < 3; ++number) {
    runtime.spawn([&, number] {
      const Note note{mutex, ended, number};
      ++ready;
      rt::sleep(1h);
    });
    while (ready != number + 1) std::this_thread::yield();
  }
  runtime.stop(60s);
  EXPECT_EQ(ended, (std::vector{2, 1, 0}));
}

// E3
TEST_P(Runtimes, stop_kills_at_the_deadline_who_traps_exits_and_stays) {
  Runtime runtime(options);
  std::atomic<bool> ready{false};
  std::atomic<bool> unwound{false};
  runtime.spawn([&] {
    struct Note {
      std::atomic<bool>& unwound;
      ~Note() { unwound = true; }
    } note{unwound};
    rt::trap_exit(true);
    ready = true;
    for (;;) rt::receive<Exit>();
  });
  while (!ready) std::this_thread::yield();
  runtime.stop(20ms);
  EXPECT_TRUE(unwound);
}

// E3
TEST_P(Runtimes, nothing_is_spawned_from_outside_once_it_has_stopped) {
  Runtime runtime(options);
  runtime.stop(1s);
  EXPECT_THROW(runtime.spawn([] {}), SpawnError);
}

TEST(RuntimeOptions, two_runtimes_in_one_program_do_not_know_of_each_other) {
  Runtime one({.schedulers = 1});
  Runtime other({.schedulers = 1});
  one.spawn({.name = "same"}, [] { rt::sleep(1h); });
  EXPECT_FALSE(other.whereis("same"));
  other.spawn({.name = "same"}, [] { rt::sleep(1h); });
  EXPECT_TRUE(one.whereis("same"));
  EXPECT_TRUE(other.whereis("same"));
}

TEST(RuntimeOptions, a_process_of_one_runtime_may_send_to_another) {
  Runtime one({.schedulers = 1});
  Runtime other({.schedulers = 1});
  std::atomic<int> got{0};
  const Pid sink = other.spawn([&] { got = rt::receive<Line>().n; });
  one.run([&] { other.send(sink, Line{7}); });
  other.run([sink] {
    rt::monitor(sink);
    rt::receive<Down>();
  });
  EXPECT_EQ(got, 7);
}

TEST(RuntimeOptions, what_makes_no_sense_is_refused) {
  EXPECT_THROW(Runtime({.schedulers = 129}), BadArgument);
  EXPECT_THROW(Runtime({.spin = -1ns}), BadArgument);
}

// E1: rt::run's exit codes.
// E1
TEST(Run, the_exit_code_is_what_the_body_answers_or_says_how_it_ended) {
  const Options quiet{.schedulers = 2, .log = [](std::string_view) {}};
  EXPECT_EQ(rt::run(quiet, [] { return 3; }), 3);
  EXPECT_EQ(rt::run(quiet, [] {}), 0);
  EXPECT_EQ(rt::run(quiet, [] { rt::exit(ExitReason::shutdown()); }), 0);
  EXPECT_EQ(rt::run(quiet, [] { throw std::runtime_error("boom"); }), 1);
}

}  // namespace
}  // namespace airssys::rt
