// main.cpp: one workload on so many simulated schedulers, for a while; what it came to, as JSON.
//
//   airssys-simulated WORKLOAD SCHEDULERS [warm_up_us=N] [window_us=N] [COST=NS]...
//
// Without a workload: names them, and the costs with their defaults.
#include <airssys/rt/process.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "benchmarks/simulated/census.hpp"
#include "benchmarks/simulated/machine.hpp"
#include "benchmarks/simulated/workloads.hpp"
#include "runtime/outside.hpp"
#include "runtime/system.hpp"

namespace {

namespace rt = airssys::rt;
namespace machine = airssys::rt::simulated;
using simulated::Workload;

struct Task {
  const Workload* workload = nullptr;
  unsigned schedulers = 0;
  double warm_up_us = 2000;
  double window_us = 1000;
  machine::Costs costs;
};

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

bool set(Task& task, std::string_view setting) {
  const auto sign = setting.find('=');
  if (sign == std::string_view::npos) return false;
  const std::string_view name = setting.substr(0, sign);
  const auto number = number_of(setting.substr(sign + 1));
  if (!number) return false;
  if (name == "warm_up_us") return task.warm_up_us = *number, true;
  if (name == "window_us") return task.window_us = *number, true;
  for (const machine::CostName& known : machine::cost_names)
    if (known.name == name) return task.costs.*known.cost = *number, true;
  return false;
}

bool read(Task& task, int count, char** arguments) {
  if (count < 3) return false;
  for (const Workload& workload : simulated::workloads())
    if (workload.name == arguments[1]) task.workload = &workload;
  const auto schedulers = number_of(arguments[2]);
  if (!task.workload || !schedulers || *schedulers < 1 || *schedulers > 128) return false;
  task.schedulers = static_cast<unsigned>(*schedulers);
  for (int i = 3; i < count; ++i)
    if (!set(task, arguments[i])) return false;
  return true;
}

int explain() {
  std::fputs(
      "airssys-simulated WORKLOAD SCHEDULERS [warm_up_us=2000] [window_us=1000] [COST=NS]...\n",
      stderr);
  for (const Workload& workload : simulated::workloads())
    std::fprintf(stderr, "  %.*s", static_cast<int>(workload.name.size()), workload.name.data());
  std::fputs("\n", stderr);
  for (const machine::CostName& known : machine::cost_names)
    std::fprintf(stderr,
                 "  %.*s=%g",
                 static_cast<int>(known.name.size()),
                 known.name.data(),
                 machine::Costs().*known.cost);
  std::fputs("\n", stderr);
  return 2;
}

void sleep_for(double us) {
  static const char key = 0;
  machine::sleeps(&key, machine::now_ns() + static_cast<std::int64_t>(us * 1000));
}

// What has been counted up to now.
struct Figures {
  std::uint64_t done = simulated::counted();
  std::uint64_t searches = machine::searches();
  machine::Counts counts = machine::counts();
  std::uint64_t steals = 0;
  std::uint64_t turns = 0;
  std::uint64_t sleeps = 0;
  std::uint64_t busy_ns = 0;

  explicit Figures(rt::runtime::System& system) {
    for (unsigned id = 0; id < system.count(); ++id) {
      const auto& counters = system.scheduler(id).counters;
      steals += counters.steals.read();
      turns += counters.turns.read();
      sleeps += counters.sleeps.read();
      const auto times = system.scheduler(id).times(machine::now_ns());
      busy_ns += static_cast<std::uint64_t>(times.busy_ns);
    }
  }
};

void print(const Task& task,
           const Figures& before,
           const Figures& now,
           const std::vector<machine::Moved>& moved) {
  std::printf("{\"workload\": \"%s\", \"counts\": \"%s\", \"schedulers\": %u, \"us\": %g,\n",
              task.workload->name.data(),
              task.workload->counts.data(),
              task.schedulers,
              task.window_us);
  const auto figure = [](const char* name, std::uint64_t value) {
    std::printf(" \"%s\": %llu,", name, static_cast<unsigned long long>(value));
  };
  figure("done", now.done - before.done);
  figure("turns", now.turns - before.turns);
  figure("steal_tries", now.searches - before.searches);
  figure("steals", now.steals - before.steals);
  figure("sleeps", now.sleeps - before.sleeps);
  figure("wakes", now.counts.wakes - before.counts.wakes);
  figure("membarriers", now.counts.membarriers - before.counts.membarriers);
  figure("interrupts", now.counts.interrupts - before.counts.interrupts);
  std::printf("\n \"busy\": %.4f, \"moved\": {",
              static_cast<double>(now.busy_ns - before.busy_ns) /
                  (task.window_us * 1000 * task.schedulers));
  const char* separator = "";
  for (const machine::Moved& each : moved) {
    std::printf("%s\n  \"%s\": {\"transfers\": %llu, \"busiest\": %.4f}",
                separator,
                each.structure.c_str(),
                static_cast<unsigned long long>(each.transfers),
                static_cast<double>(each.busiest_ps) / (task.window_us * 1e6));
    separator = ",";
  }
  std::printf("}}\n");
}

}  // namespace

int main(int count, char** arguments) {
  Task task;
  if (!read(task, count, arguments)) return explain();
  machine::power_on(task.costs);
  auto& system = *new rt::runtime::System({
      .pool = {.schedulers = task.schedulers, .clock = &rt::base::steady_clock(), .seed = 1},
      .hibernate_after_ns = 0,
      .log = {},
  });
  system.start();
  rt::runtime::spawn_from_outside(
      system, rt::detail::make_body([&task] { task.workload->run(task.schedulers); }), nullptr);
  sleep_for(task.warm_up_us);
  machine::cache().forget_counts();
  const Figures before(system);
  sleep_for(task.window_us);
  const Figures now(system);
  print(task, before, now, machine::census(system, machine::cache()));
  std::fflush(stdout);
  std::_Exit(0);  // in the middle of what the cores do
}
