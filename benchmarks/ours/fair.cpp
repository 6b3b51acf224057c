// fair.cpp: how long a process that wakes each millisecond takes to ask another one, beside hogs.
//
// Sample: a sleep of 1 ms and a question to an echo, without the millisecond. Alone; beside a
// thousand processes that never call the runtime; beside a thousand that give way every 10 us. A
// plain thread ends it after two seconds, whatever the schedulers do; a question that is still
// unanswered then counts with its age.
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
  [[noreturn]] void report_and_end(const std::string& metric) {
    const std::size_t answered = count;
    std::vector<std::int64_t> all(ns.data(), ns.data() + answered);
    const std::int64_t age = now_ns() - asked_at - millisecond;
    if (all.empty() || age > std::ranges::max(all)) all.push_back(age);
    report(metric + "_n", static_cast<double>(answered), "samples");
    report_quantiles(metric, std::move(all));
    std::_Exit(0);  // hogs that call nothing are not waited for
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

void measure_beside(int count, void (*hog)(), const std::string& metric) {
  Samples samples;
  const std::thread judge([&samples, &metric] {
    std::this_thread::sleep_for(2s);
    samples.report_and_end(metric);
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
  measure_beside(hogs, &spin, "fair_spin");
}

void fair_yield() {
  measure_beside(hogs, &work_and_yield, "fair_yield");
}

}  // namespace bench
