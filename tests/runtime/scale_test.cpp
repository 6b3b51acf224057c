// scale_test.cpp: many processes, and none that has anything to do.
//
// Nothing here measures time: stacks, steps and context switches are counted. Sizes are
// smaller under a sanitizer; AIRSSYS_RT_SCALE divides by another number.
#include "runtime/process.hpp"

#include <airssys/rt.hpp>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fiber/sanitizer.hpp"
#include "tests/support/in_runtime.hpp"

namespace airssys::rt::scale_test {
namespace {

using namespace std::chrono_literals;

class Scale : public support::InRuntime {};
RT_WITH_SCHEDULERS(Scale);

struct Go {};

int scaled(int size) {
  // ThreadSanitizer keeps a thread's worth of memory for each stack.
  int divisor = fiber::sanitizer::thread ? 200 : fiber::sanitizer::address ? 10 : 1;
  if (const char* text = std::getenv("AIRSSYS_RT_SCALE"))
    std::from_chars(text, text + std::strlen(text), divisor);
  return size / divisor;
}

TEST_P(Scale, forty_thousand_processes_block_in_the_middle_of_their_bodies) {
  run([] {
    const int count = scaled(40'000);
    std::vector<Spawned> processes;
    for (int i = 0; i < count; ++i) {
      processes.push_back(spawn_monitor([i] {
        volatile char depth[2000];
        depth[i % 2000] = static_cast<char>(i);
        receive<Go>();
        EXPECT_EQ(depth[i % 2000], static_cast<char>(i));
      }));
    }
    // All of them are on a stack of their own at the same moment.
    for (const Spawned& process : processes)
      while (process_info(process.pid)->wait_reason != "receive") yield();
    for (const Spawned& process : processes) send(process.pid, Go());
    for (const Spawned& process : processes) {
      EXPECT_EQ(receive(when([&](Down& down) { return down.ref == process.ref; },
                             [](Down& down) { return std::move(down.reason); })),
                ExitReason::normal());
    }
  });
}

// Of one scheduler: with more of them the others may lie where somebody else is just not running.
class ScaleOfOne : public support::InRuntime {};
INSTANTIATE_TEST_SUITE_P(With, ScaleOfOne, testing::Values(1U), support::schedulers_name);

TEST_P(ScaleOfOne, who_yields_comes_behind_all_that_are_ready) {
  run([] {
    const int count = scaled(20'000);  // far more than a run queue holds
    std::atomic<int> ran = 0;
    for (int i = 0; i < count; ++i) spawn([&ran] { ++ran; });
    int yields = 0;
    for (; ran != count; ++yields) yield();
    EXPECT_LT(yields, count / 4);
  });
}

// What all processes are charged for `count` linked ones to die of one of them.
std::uint64_t reductions_of_mass_exit(Runtime& runtime, int count) {
  scheduler::Pool& pool = runtime.impl().system();
  const auto charged = [&pool] {
    std::uint64_t sum = 0;
    for (unsigned id = 0; id < pool.count(); ++id)
      sum += pool.scheduler(id).counters.reductions.read();
    return sum;
  };
  const std::uint64_t before = charged();
  const ExitReason reason = runtime.run([count] {
    for (int i = 0; i < count; ++i) spawn_link([] { receive<Go>(); });
    exit(ExitReason::of(7));
  });
  EXPECT_EQ(reason, ExitReason::of(7));
  while (runtime.impl().system().table.alive() != 0) std::this_thread::yield();
  return charged() - before;
}

// L11
TEST_P(Scale, the_end_of_a_hundred_thousand_linked_processes_is_linear) {
  options.log = [](std::string_view) {};
  with_runtime([](Runtime& runtime) {
    const int few = scaled(10'000);
    const int many = scaled(100'000);
    const auto a_few = static_cast<double>(reductions_of_mass_exit(runtime, few)) / few;
    const auto a_lot = static_cast<double>(reductions_of_mass_exit(runtime, many)) / many;
    EXPECT_LT(a_lot, 4 * a_few) << "reductions for each: " << a_few << ", then " << a_lot;
  });
}

// Context switches and CPU time, in clock ticks, of each thread of the runtime's.
std::map<std::string, std::string> thread_activity() {
  std::map<std::string, std::string> activity;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string seen;
    bool is_ours = false;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("Name:")) is_ours = line.find("airs-") != std::string::npos;
      if (line.find("ctxt_switches") != std::string::npos) seen += line + "; ";
    }
    if (is_ours) activity[task.path().filename()] = seen;
  }
  return activity;
}

// R15
TEST_P(Scale, an_idle_runtime_wakes_nobody) {
  with_runtime([](Runtime& runtime) {
    const Pid sleeper = runtime.spawn([] { receive<Go>(); });
    for (int i = 0; i < 100; ++i) runtime.spawn([] { yield(); });
    // First it has to come to rest, however long that takes; then it has to stay there.
    auto seen = thread_activity();
    for (int quiet = 0; quiet < 3;) {
      std::this_thread::sleep_for(100ms);  // on purpose: rest is what shall be seen
      auto now = thread_activity();
      quiet = now == seen ? quiet + 1 : 0;
      seen = std::move(now);
    }
    std::this_thread::sleep_for(500ms);  // on purpose: likewise
    EXPECT_EQ(thread_activity(), seen);
    EXPECT_FALSE(seen.empty());
    runtime.send(sleeper, Go());
  });
}

// Each gives way in a handler, beside others that do the same, and must find its own exception.
// Z9
TEST_P(Scale, an_exception_that_is_being_handled_travels_with_its_process) {
  run([] {
    constexpr int count = 32;
    for (int i = 0; i < count; ++i) {
      spawn([i, tester = self()] {
        for (int round = 0; round < 50; ++round) {
          try {
            throw std::runtime_error(std::to_string(i * 1000 + round));
          } catch (const std::runtime_error& outer) {
            yield();
            try {
              try {
                throw i;
              } catch (...) {
                yield();
                throw;
              }
            } catch (int mine) {
              yield();
              EXPECT_EQ(mine, i);
            }
            try {
              std::rethrow_exception(std::current_exception());
            } catch (const std::runtime_error& again) {
              EXPECT_EQ(std::string(again.what()), std::to_string(i * 1000 + round));
            }
            EXPECT_EQ(std::string(outer.what()), std::to_string(i * 1000 + round));
          }
        }
        send(tester, i);
      });
    }
    for (int i = 0; i < count; ++i) receive<int>();
  });
}

}  // namespace
}  // namespace airssys::rt::scale_test
