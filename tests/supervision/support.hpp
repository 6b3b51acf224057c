// support.hpp: a runtime for each test, with 1, 2 and 4 schedulers, and waiting for what it tells.
//
// A test's body is a process of its own. A watchdog says what hangs.
#pragma once

#include <gtest/gtest.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/children.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/watchdog.hpp"

namespace airssys::rt::test {

using namespace std::chrono_literals;
using namespace support;

inline constexpr Duration patience = 30s;

class WithSchedulers : public testing::TestWithParam<unsigned> {
 protected:
  // Runs f as a process that traps exits, and then stops the runtime.
  void run(const std::function<void()>& f) {
    Runtime runtime({.schedulers = GetParam(), .log = [this](std::string_view line) {
                       std::scoped_lock lock(mutex_);
                       lines_.emplace_back(line);
                     }});
    const Watchdog watchdog(runtime, "the body of the test");
    ExitReason end = runtime.run([&f] {
      trap_exit(true);
      f();
    });
    EXPECT_EQ(end, ExitReason::normal());
    runtime.stop(patience);
  }

  // Whether the log has a line with this in it.
  bool was_logged(std::string_view part) {
    std::scoped_lock lock(mutex_);
    return std::ranges::any_of(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

#define WITH_SCHEDULERS(suite)                                   \
  class suite : public airssys::rt::test::WithSchedulers {};     \
  INSTANTIATE_TEST_SUITE_P(on, suite, testing::Values(1, 2, 4)); \
  static_assert(true)

// --- waiting ---

template <class T>
std::optional<T> next() {
  std::optional<T> value = receive<T>(patience);
  if (!value) ADD_FAILURE() << "nothing came";
  return value;
}

template <class T>
bool nothing_came() {
  return !receive<T>(Duration::zero());
}

}  // namespace airssys::rt::test
