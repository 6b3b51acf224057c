// fair.cpp: how long a process that wakes each millisecond takes to ask another one, beside hogs.
//
// Sample: a sleep of 1 ms and a question to an echo, without the millisecond. Alone; beside a
// thousand processes that never call the runtime, in the first two seconds, when the runtime finds
// out about them, and again after five; beside a thousand that give way every 10 us; beside a
// hundred in a system call that does not return; beside a process whose mailbox is flooded; beside
// a storm of restarts. A plain thread ends it, whatever the schedulers do; a question that is still
// unanswered then counts with its age.
#include <unistd.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;
using namespace std::chrono_literals;

namespace bench {

namespace {

constexpr int hogs = 1000;
constexpr int hog_steps = 5000;
constexpr int blocked = 100;
constexpr int flooding = 4;
constexpr int restarting = 100;
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

// What keeps the schedulers busy. It counts what it does, for else nothing has been measured.
struct Company {
  void (*start)() = nullptr;
  std::string_view does = {};
};
std::atomic<std::int64_t> done_by_company = 0;

// `warm`: and once more when they are known.
void measure_beside(Company company, const std::string& metric, bool warm = false) {
  Samples samples;
  const std::thread judge([&] {
    std::this_thread::sleep_for(2s);
    samples.report_since(0, metric);
    if (!company.does.empty()) {
      check(done_by_company > 0, "there is something to be measured beside");
      report(metric + "_company", static_cast<double>(done_by_company), company.does);
    }
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
  if (company.start) company.start();
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

template <void (*hog)()>
void start_hogs() {
  for (int i = 0; i < hogs; ++i) rt::spawn(hog);
}

// Nobody ever writes into that pipe.
void start_blocked() {
  static int ends[2];
  check(::pipe(ends) == 0, "there is a pipe");
  for (int i = 0; i < blocked; ++i)
    rt::spawn([] {
      ++done_by_company;
      char byte = 0;
      check(::read(ends[0], &byte, 1) > 0, "nothing comes");
    });
}

struct Drop {
  std::int64_t number;
};

void start_flood() {
  const rt::Pid flooded = rt::spawn([] {
    for (;; ++done_by_company) rt::receive<Drop>();
  });
  for (int i = 0; i < flooding; ++i)
    rt::spawn([flooded] {
      for (std::int64_t number = 0;; ++number) rt::send(flooded, Drop{number});
    });
}

// Throws as soon as it has started.
class Mayfly : public rt::Server<Mayfly> {
 public:
  struct Die {};

  Mayfly() {
    ++done_by_company;
    rt::cast(rt::server_ref<Mayfly>(rt::self()), Die());
  }
  void handle(Die /*request*/) { throw std::runtime_error("as it was told"); }
};

void start_storm() {
  rt::SupervisorOptions options{.strategy = rt::Strategy::one_for_one,
                                .intensity = std::numeric_limits<unsigned>::max(),
                                .period = 1ms};
  for (int i = 0; i < restarting; ++i)
    options.children.push_back(rt::child<Mayfly>("mayfly " + std::to_string(i)));
  rt::start_supervisor_link(std::move(options));
}

}  // namespace

void fair_base() {
  measure_beside({}, "fair_base");
}

void fair_spin() {
  measure_beside({.start = &start_hogs<spin>}, "fair_spin", true);
}

void fair_yield() {
  measure_beside({.start = &start_hogs<work_and_yield>}, "fair_yield");
}

void fair_blocked() {
  measure_beside({.start = &start_blocked, .does = "blocked"}, "fair_blocked");
}

void fair_flood() {
  measure_beside({.start = &start_flood, .does = "received"}, "fair_flood");
}

void fair_storm() {
  measure_beside({.start = &start_storm, .does = "starts"}, "fair_storm");
}

}  // namespace bench
