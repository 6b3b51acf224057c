// in_runtime.hpp: a test's body as a process, in runtimes with 1, 2 and 4 schedulers.
//
//   using Timers = support::InRuntime;
//   RT_WITH_SCHEDULERS(Timers);
//   TEST_P(Timers, a_message_is_not_early) {
//     run([] { ... });                      // as a process, which must end with normal
//   }
//
// Each run starts a runtime, waits for the body's end and then for that of every other process:
// what a test starts, it ends. Whatever does not end is printed by a watchdog. `with_runtime` gives
// the runtime itself to a body on the test's own, plain thread.
#pragma once

#include <gtest/gtest.h>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/system.hpp>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "runtime/system.hpp"
#include "system/runtime_impl.hpp"
#include "tests/support/watchdog.hpp"

namespace airssys::rt::support {

class InRuntime : public testing::TestWithParam<unsigned> {
 protected:
  // A test may change them before it runs something.
  Options options = {.schedulers = GetParam()};

  // Runs body as the first process.
  void run(const std::function<void()>& body) {
    with_runtime([&body](Runtime& runtime) {
      const ExitReason reason = runtime.run([&body] { body(); });
      EXPECT_EQ(reason.to_string(), "normal");
    });
  }

  // Calls body(runtime) on this thread.
  void with_runtime(const std::function<void(Runtime&)>& body) {
    Runtime runtime(options);
    {
      const Watchdog watchdog(runtime, "the body of the test");
      body(runtime);
    }
    const Watchdog watchdog(runtime, "a process that the test has left behind");
    while (runtime.impl().system().table.alive() != 0) std::this_thread::yield();
    runtime.stop(std::chrono::seconds(60));
  }
};

// With as many schedulers as the test says, whatever the environment does.
class FixedSchedulers : public InRuntime {
 protected:
  FixedSchedulers() { ::unsetenv("AIRSSYS_RT_SCHEDULERS"); }
};

inline std::string schedulers_name(const testing::TestParamInfo<unsigned>& info) {
  return std::to_string(info.param) + "_schedulers";
}

}  // namespace airssys::rt::support

// Runs all tests of a suite with 1, 2 and 4 schedulers.
#define RT_WITH_SCHEDULERS(Suite) \
  INSTANTIATE_TEST_SUITE_P(       \
      With, Suite, testing::Values(1U, 2U, 4U), airssys::rt::support::schedulers_name)
