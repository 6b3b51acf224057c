// main.cpp: runs one workload, in all its forms, on a runtime of PB_T schedulers (default 2).
//
//   PB_T=1 airssys-bench pingpong
//
// Prints "R metric value unit" lines, or "S" for a workload that it does not know.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "workloads.hpp"

namespace {

struct Workload {
  std::string_view name;
  void (*run)();
  airssys::rt::Duration spin = std::chrono::microseconds(20);  // the default
};

constexpr Workload workloads[] = {
    {"pingpong", bench::pingpong},
    {"ring", bench::ring},
    {"spawn", bench::spawn},
    {"idle", bench::idle_bodies},
    {"idle_hibernating", bench::idle_hibernating},
    {"idle_servers", bench::idle_servers},
    {"fanin", bench::fanin},
    {"big", bench::big},
    {"skynet", bench::skynet},
    {"chameneos", bench::chameneos},
    {"chatter", bench::chatter},
    {"chatter_tiny", bench::chatter_tiny},
    {"traffic_8", bench::traffic_8},
    {"traffic_100", bench::traffic_100},
    {"traffic_10000", bench::traffic_10000},
    {"traffic_1000000", bench::traffic_1000000},
    {"traffic_tiny", bench::traffic_tiny},
    {"echo", bench::echo},
    {"echo_tiny", bench::echo},
    {"call", bench::call},
    {"selrecv", bench::selrecv},
    {"timers", bench::timers},
    {"growth", bench::growth},
    {"growth_bodies", bench::growth_bodies},
    {"growth_tiny", bench::growth_tiny},
    {"day", bench::day_servers},
    {"day", bench::day_stacks},
    {"day", bench::day_messages},
    {"day", bench::day_all},
    {"day_tiny", bench::day_tiny},
    {"fair_base", bench::fair_base},
    {"fair_spin", bench::fair_spin},
    {"fair_yield", bench::fair_yield},
    {"fair_blocked", bench::fair_blocked},
    {"fair_flood", bench::fair_flood},
    {"fair_storm", bench::fair_storm},
    {"wake", bench::wake},
    {"wake", bench::wake_spinning, std::chrono::hours(1)},
    {"restart", bench::restart},
    {"restarts", bench::restarts},
    {"restarts_tiny", bench::restarts_tiny},
};

unsigned schedulers() {
  const char* wanted = std::getenv("PB_T");
  return wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 2;
}

// A terminal that scrolls is not what is measured.
void say_nothing(std::string_view /*line*/) {}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  bool is_known = false;
  for (const Workload& workload : workloads) {
    if (workload.name != name) continue;
    is_known = true;
    const int code = airssys::rt::run(
        {.schedulers = schedulers(), .spin = workload.spin, .log = &say_nothing}, workload.run);
    if (code != 0) return code;
  }
  if (!is_known) std::puts("S");
  return 0;
}
