// embedding_test.cpp: how a runtime begins, is used from outside, and ends (E).
//
// Method: runtimes inside this program, used as a host uses them; what they report is collected.
#include <gtest/gtest.h>
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/in_runtime.hpp"

namespace airssys::rt::embedding_test {
namespace {

using namespace std::chrono_literals;

class Embedding : public support::InRuntime {};
RT_WITH_SCHEDULERS(Embedding);

struct Go {};

class Log {
 public:
  auto writer() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      text_ += std::string(line) + "\n";
    };
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// E1
TEST_P(Embedding, the_exit_code_says_how_the_program_ended_and_an_abnormal_end_is_reported) {
  Log log;
  options.log = log.writer();
  EXPECT_EQ(rt::run(options, [] { return 42; }), 42);
  EXPECT_EQ(rt::run(options, [] {}), 0);
  EXPECT_EQ(rt::run(options, [] { exit(ExitReason::normal()); }), 0);
  EXPECT_EQ(rt::run(options, [] { exit(ExitReason::shutdown()); }), 0);
  EXPECT_EQ(rt::run(options, [] { exit(ExitReason::shutdown("done")); }), 0);
  EXPECT_EQ(log.text(), "");
  EXPECT_EQ(rt::run(options, [] { exit(ExitReason::of(7)); }), 1);
  EXPECT_EQ(rt::run(options, [] { send_exit(self(), ExitReason::kill()); }), 1);
  EXPECT_EQ(rt::run(options, []() -> int { throw std::runtime_error("it broke"); }), 1);
  EXPECT_NE(log.text().find("it broke"), std::string::npos);
}

// E1, X16
TEST_P(Embedding, a_signal_that_ends_the_first_process_out_of_order_is_reported_once) {
  std::string end;  // what the report says of it
  options.log = [&end](const Report& report) {
    if (report.kind() == "main_ended") end += report.line().substr(report.line().find(" was "));
  };
  const auto ends = [&](auto body) {
    end.clear();
    EXPECT_EQ(rt::run(options, body), 1);
    return end;
  };
  std::string whose;  // the signal
  ends([&] {
    whose = self().to_string();
    send_exit(self(), ExitReason::kill());
  });
  EXPECT_EQ(end, " was ended by a signal from " + whose + ": killed");
  ends([&] {
    spawn_link([&] {
      whose = self().to_string();
      exit(ExitReason::of(7));
    });
    sleep(1h);
  });
  EXPECT_EQ(end, " was ended by a signal from " + whose + ": 7");
  EXPECT_EQ(ends([] { exit(ExitReason::of(7)); }), "") << "that is a crash";
  EXPECT_EQ(ends([] {
              spawn([] { send_exit(self(), ExitReason::kill()); });
              exit(ExitReason::of(7));
            }),
            "")
      << "of the first one alone";
  EXPECT_EQ(rt::run(options, [] { send_exit(self(), ExitReason::shutdown("done")); }), 0);
  EXPECT_EQ(end, "");
}

// E1
TEST_P(Embedding, the_end_of_the_first_process_ends_all_others_in_order) {
  std::atomic<int> asked = 0;
  const int code = rt::run(options, [&asked] {
    for (int i = 0; i < 10; ++i) {
      spawn([&asked, tester = self()] {
        trap_exit(true);
        send(tester, Go());
        if (receive<Exit>().reason == ExitReason::shutdown()) ++asked;
      });
    }
    for (int i = 0; i < 10; ++i) receive<Go>();
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(asked, 10);
}

// E2
TEST_P(Embedding, a_runtime_goes_on_after_each_run_and_takes_work_from_any_thread) {
  options.log = [](std::string_view) {};
  with_runtime([](Runtime& runtime) {
    const Pid adder = runtime.spawn({.name = "adder"}, [] {
      int sum = 0;
      for (;;) {
        receive([&](int n) { sum += n; }, [&](Pid asker) { send(asker, sum); });
      }
    });
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&runtime, adder] {
        for (int n = 0; n < 100; ++n) runtime.send(adder, 1);
        EXPECT_EQ(runtime.run([adder] { throw adder; }).kind(), ExitReason::Kind::error);
        EXPECT_EQ(runtime.run([] {}), ExitReason::normal());
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(runtime.whereis("adder"), adder);
    runtime.run([adder] {
      send(adder, self());
      EXPECT_EQ(receive<int>(), 300);
    });
    runtime.send_exit(adder, ExitReason::kill());
  });
}

// E3
TEST_P(Embedding, a_stop_asks_trapping_processes_as_from_their_parent_and_waits_for_them) {
  std::atomic<int> asked = 0;
  Runtime runtime(options);
  std::atomic<int> ready = 0;
  for (int i = 0; i < 5; ++i) {
    runtime.spawn([&] {
      trap_exit(true);
      ++ready;
      const Exit exit = receive<Exit>();
      EXPECT_EQ(exit.reason, ExitReason::shutdown());
      EXPECT_EQ(exit.from, parent());
      ++asked;
    });
  }
  while (ready != 5) std::this_thread::yield();
  runtime.stop(60s);
  EXPECT_EQ(asked, 5);
  EXPECT_THROW(runtime.spawn([] {}), SpawnError);
}

// E3
TEST_P(Embedding, a_stop_ends_those_that_compute_in_turns_when_they_call) {
  constexpr int hogs = 12;
  options.hog_signal = HostHook::on;
  std::atomic<int> begun = 0;
  std::atomic<int> unwound = 0;
  std::atomic<bool> may_call = false;
  struct Note {
    std::atomic<int>& unwound;
    ~Note() { ++unwound; }
  };
  Runtime runtime(options);
  for (int i = 0; i < hogs; ++i) {
    runtime.spawn([&] {
      const Note note{unwound};
      ++begun;
      while (!may_call) {
      }
      sleep(1h);
    });
  }
  while (begun != hogs) std::this_thread::yield();
  may_call = true;
  runtime.stop(60s);
  EXPECT_EQ(unwound, hogs);
}

// E5
TEST_P(Embedding, a_job_outlives_its_process_unless_it_refers_to_its_frame) {
  for (const bool refers : {false, true}) {
    std::atomic<bool> begun = false;
    std::atomic<bool> may_end = false;
    std::atomic<bool> has_ended = false;
    run([&] {
      const Spawned process = spawn_monitor([&] {
        const auto job = [&] {
          begun = true;
          while (!may_end) std::this_thread::yield();
          has_ended = true;
        };
        if (refers) {
          blocking_ref(job);
        } else {
          blocking(job);
        }
      });
      while (!begun) yield();
      send_exit(process.pid, ExitReason::kill());
      if (refers) may_end = true;
      EXPECT_EQ(receive<Down>().reason, ExitReason::killed());
      EXPECT_EQ(has_ended, refers);
      may_end = true;
    });
    EXPECT_TRUE(has_ended) << "the end of the runtime waits for the job";
  }
}

}  // namespace
}  // namespace airssys::rt::embedding_test
