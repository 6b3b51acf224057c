// spawn.cpp: a thousand times, a thousand processes that end at once, and the news of each end.
#include <airssys/rt.hpp>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

void spawn() {
  constexpr int batches = 1000;
  constexpr int processes = 1000;
  const Stopwatch watch;
  for (int batch = 0; batch < batches; ++batch) {
    for (int i = 0; i < processes; ++i) rt::spawn_monitor([] {});
    for (int i = 0; i < processes; ++i) {
      const auto down = rt::receive<rt::Down>();
      check(down.reason == rt::ExitReason::normal(), "each ends in order");
    }
  }
  report("spawn", watch.ns() / (batches * processes), "ns/proc");
}

}  // namespace bench
