// property.hpp: what holds of every random program, through a real runtime.
//
// rapidcheck makes the programs, and when one fails makes it smaller while it still fails, and
// prints it with its seed and the way to run it again. A program runs as one process, the driver,
// which answers what is wrong, in words; nothing is asserted within the runtime. The same property
// is tried with a driver that is broken on purpose, as if the runtime were: then it has to fail.
//
//   RC_PARAMS="max_success=10000" build/tests/property/property_trees_test
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/in_runtime.hpp"
#include "tests/support/watchdog.hpp"

namespace airssys::rt::property {

using namespace std::chrono_literals;

// How long a driver waits for what the model says must come. Only a failing program waits so long,
// and one that is broken on purpose fails sooner: it may be taken for wrong where it is only slow.
inline constexpr Duration patience = 5s;
inline constexpr Duration impatience = 100ms;

// What f answers, asked again until `is_right` of it or the time is over.
template <class F, class P>
auto await(Duration time, F f, P is_right) {
  const Deadline deadline = Deadline::after(time);
  auto value = f();
  while (!is_right(value) && deadline.remaining() > Duration::zero()) {
    yield();
    value = f();
  }
  return value;
}

// Who has come since.
inline std::vector<Pid> newcomers(const std::vector<Pid>& before) {
  std::vector<Pid> all = processes();
  std::erase_if(all, [&](Pid pid) { return std::ranges::find(before, pid) != before.end(); });
  return all;
}

class Properties : public testing::TestWithParam<unsigned> {
 protected:
  // Whether run(program), as a process, finds nothing wrong with so many programs.
  template <class Program, class Run>
  bool holds(const std::string& property, Run run) {
    return rc::check(property, [&](const Program& program) { expect(program, run); });
  }

  // The same, when it is to fail: says nothing, and tries the more programs.
  template <class Program, class Run>
  bool is_caught(Run run) {
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    params.maxSuccess = 2000;
    params.disableShrinking = true;
    const auto result = rc::detail::checkTestable(
        [&](const Program& program) { expect(program, run); }, rc::detail::TestMetadata(), params);
    return result.template is<rc::detail::FailureResult>();
  }

 private:
  template <class Program, class Run>
  void expect(const Program& program, Run& run) {
    std::ostringstream text;
    text << program;
    const std::string wrong = in_process(text.str(), [&] { return run(program); });
    if (!wrong.empty()) RC_FAIL(wrong);
  }

  // Ends whatever f has left behind.
  template <class F>
  std::string in_process(const std::string& what, F f) {
    const support::Watchdog watchdog(runtime_, what);
    std::string wrong;
    const ExitReason end = runtime_.run([&] {
      const std::vector<Pid> before = processes();
      wrong = f();
      for (auto left = newcomers(before); !left.empty(); left = newcomers(before)) {
        for (const Pid pid : left) send_exit(pid, ExitReason::kill());
        yield();
      }
    });
    if (end != ExitReason::normal()) wrong += "the driver has ended with " + end.to_string();
    return wrong;
  }

  Runtime runtime_{{.schedulers = GetParam(), .log = [](std::string_view) {}}};
};

}  // namespace airssys::rt::property

#define RT_PROPERTIES_WITH_SCHEDULERS(Suite) \
  INSTANTIATE_TEST_SUITE_P(                  \
      With, Suite, testing::Values(1U, 2U, 4U), airssys::rt::support::schedulers_name)
