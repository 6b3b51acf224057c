// wake.cpp: how soon a receiver at rest runs whose sender goes on computing.
//
// The sender sleeps 1 ms, so that all threads do, stamps the time, sends it and computes for 200 us
// without calling the runtime. A sample near 200 us: the receiver waited for the sender to finish.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;
using namespace std::chrono_literals;

namespace bench {

namespace {

constexpr std::size_t wakes = 2000;
constexpr std::int64_t computing_ns = 200'000;

struct Stamp {
  std::int64_t ns;
};

void send_and_compute(rt::Pid receiver) {
  for (std::size_t i = 0; i < wakes; ++i) {
    rt::sleep(1ms);
    const std::int64_t sent = now_ns();
    rt::send(receiver, Stamp{sent});
    while (now_ns() < sent + computing_ns) continue;
  }
}

void measure(const char* metric) {
  rt::spawn([receiver = rt::self()] { send_and_compute(receiver); });
  std::vector<std::int64_t> samples;
  while (samples.size() < wakes)
    rt::receive([&](Stamp stamp) { samples.push_back(now_ns() - stamp.ns); });
  report_quantiles(metric, std::move(samples));
}

}  // namespace

void wake() {
  measure("wake");
}

// With a scheduler that always looks for work.
void wake_spinning() {
  measure("wake_spinning");
}

}  // namespace bench
