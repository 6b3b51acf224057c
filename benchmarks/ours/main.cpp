// main.cpp: runs one workload on a runtime of PB_T schedulers (default 2).
//
//   PB_T=1 airssys-bench pingpong
//
// Prints "R metric value unit" lines, or "S" for a workload that it does not know.
#include <airssys/rt.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "workloads.hpp"

namespace {

struct Workload {
  std::string_view name;
  void (*run)();
};

constexpr Workload workloads[] = {
    {"pingpong", bench::pingpong},
    {"ring", bench::ring},
    {"spawn", bench::spawn},
    {"idle", bench::idle_bodies},
    {"idle_servers", bench::idle_servers},
    {"fanin", bench::fanin},
    {"big", bench::big},
    {"skynet", bench::skynet},
    {"chameneos", bench::chameneos},
    {"call", bench::call},
    {"selrecv", bench::selrecv},
    {"timers", bench::timers},
    {"fair_base", bench::fair_base},
    {"fair_spin", bench::fair_spin},
    {"fair_yield", bench::fair_yield},
    {"wake", bench::wake},
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
  for (const Workload& workload : workloads) {
    if (workload.name == name)
      return airssys::rt::run({.schedulers = schedulers(), .log = &say_nothing}, workload.run);
  }
  std::puts("S");
  return 0;
}
