// fair.cpp: how long a process that wakes each millisecond takes to ask another one, beside hogs.
//
// Sample: a sleep of 1 ms and a question to an echo, without the millisecond. Alone; beside a
// thousand processes that never call the runtime, in the first two seconds, when the runtime finds
// out about them, and again after five; beside a thousand that give way every 10 us. A plain thread
// ends it, whatever the schedulers do; a question that is still unanswered then counts with its
// age.
#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;
using namespace std::chrono_literals;

namespace bench {

namespace {

constexpr int hogs = 1000;
constexpr int hog_steps = 5000;
constexpr std::int64_t millisecond = 1'000'000;

struct Ping {
  rt::Pid from;
};
struct Pong {};

class Echo : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { rt::send(message.take<Ping>().from, Pong{}); }
};

// Written by the asking process, read at the end by a plain thread.
struct Samples {
  std::vector<std::int64_t> ns = std::vector<std::int64_t>(100'000);
  std::atomic<std::size_t> count = 0;
  std::atomic<std::int64_t> asked_at = now_ns();

  void add(std::int64_t sample) {
    const std::size_t index = count;
    if (index == ns.size()) return;
    ns[index] = sample;
    count = index + 1;
  }
  void report_since(std::size_t first, const std::string& metric) const {
    const std::size_t answered = count;
    const auto at = [this](std::size_t i) { return ns.begin() + static_cast<std::ptrdiff_t>(i); };
    std::vector<std::int64_t> since(at(first), at(answered));
    const std::int64_t age = now_ns() - asked_at - millisecond;
    if (since.empty() || age > std::ranges::max(since)) since.push_back(age);
    report(metric + "_n", static_cast<double>(answered - first), "samples");
    report_quantiles(metric, std::move(since));
  }
};

void ask_for_ever(Samples& samples, rt::Pid echo) {
  for (;;) {
    const std::int64_t begin = now_ns();
    samples.asked_at = begin;
    rt::sleep(1ms);
    rt::send(echo, Ping{rt::self()});
    rt::receive<Pong>();
    samples.add(now_ns() - begin - millisecond);
  }
}

// Beside so many hogs; `warm`: and once more when they are known.
void measure_beside(int count, void (*hog)(), const std::string& metric, bool warm = false) {
  Samples samples;
  const std::thread judge([&samples, &metric, warm] {
    std::this_thread::sleep_for(2s);
    samples.report_since(0, metric);
    if (warm) {
      std::this_thread::sleep_for(3s);
      const std::size_t first = samples.count;
      std::this_thread::sleep_for(2s);
      samples.report_since(first, metric + "_warm");
    }
    std::_Exit(0);  // hogs that call nothing are not waited for
  });
  const rt::Pid echo = rt::spawn_behaviour(std::make_unique<Echo>());
  rt::spawn([&samples, echo] { ask_for_ever(samples, echo); });
  for (int i = 0; i < count; ++i) rt::spawn(hog);
  rt::sleep(1h);
}

void spin() {
  for (std::uint64_t seed = 1;;) seed = work(hog_steps, seed);
}

void work_and_yield() {
  for (std::uint64_t seed = 1;;) {
    seed = work(hog_steps, seed);
    rt::yield();
  }
}

}  // namespace

void fair_base() {
  measure_beside(0, nullptr, "fair_base");
}

void fair_spin() {
  measure_beside(hogs, &spin, "fair_spin", true);
}

void fair_yield() {
  measure_beside(hogs, &work_and_yield, "fair_yield");
}

}  // namespace bench
