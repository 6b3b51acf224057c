// growth.cpp: what a spawn, a message, an end and a timer cost among 10 of them, and a million.
//
// All are spawned and greeted once, which is the spawn's figure; greeted again, at rest; and
// killed. The first round of a size touches new memory and stands by itself, as `_fresh`; few then
// go through many rounds, so that each figure is of at least as many. What a step costs is the CPU
// time of the whole program: who else uses the machine takes its caches, but not its clock. Looking
// at that clock costs as much as a message, so an empty step is taken off.
#include <sys/resource.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::size_t least = 10;

struct Sizes {
  std::size_t most;
  std::size_t figure_of;  // so many of each, at least
};

double cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

double page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt);
}

struct Cost {
  double ns = 0;
  double faults = 0;
  double steps = 0;

  template <class Step>
  void add(std::size_t count, Step step) {
    const double faults_before = page_faults();
    const double begin = cpu_ns();
    const double empty = cpu_ns() - begin;
    step();
    ns += cpu_ns() - begin - 2 * empty;  // two looks: at the empty step's end, and at this one's
    faults += page_faults() - faults_before;
    steps += static_cast<double>(count);
  }

  void report(const std::string& metric, std::size_t among) const {
    const std::string suffix = "_" + std::to_string(among);
    bench::report(metric + suffix, std::max(0.0, ns / steps), "ns");
    bench::report(metric + "_faults" + suffix, faults / steps, "faults");
  }
};

// --- processes ---

struct Hello {
  rt::Pid from;
  std::size_t number;
};
struct Here {
  std::size_t number;
};

void answer(const Hello& hello) {
  rt::send(hello.from, Here{hello.number});
}

class Greeter : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { answer(message.take<Hello>()); }
};

rt::Pid spawn_server() {
  return rt::spawn_behaviour(std::make_unique<Greeter>());
}

rt::Pid spawn_body() {
  return rt::spawn([] {
    for (;;) answer(rt::receive<Hello>());
  });
}

void greet_all(const std::vector<rt::Pid>& pids) {
  const std::size_t count = pids.size();
  for (std::size_t i = 0; i < count; ++i) rt::send(pids[i], Hello{rt::self(), i});
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += rt::receive<Here>().number;
  check(sum == count * (count - 1) / 2, "each has answered");
}

void kill_all(const std::vector<rt::Pid>& pids) {
  for (const rt::Pid pid : pids) rt::monitor(pid);
  for (const rt::Pid pid : pids) rt::send_exit(pid, rt::ExitReason::kill());
  for (std::size_t i = 0; i < pids.size(); ++i)
    check(rt::receive<rt::Down>().reason == rt::ExitReason::killed(), "each has been killed");
}

struct Life {
  Cost spawn;
  Cost message;
  Cost end;

  void live(rt::Pid (*spawn_one)(), std::vector<rt::Pid>& pids) {
    spawn.add(pids.size(), [&] {
      for (rt::Pid& pid : pids) pid = spawn_one();
      greet_all(pids);
    });
    message.add(pids.size(), [&] { greet_all(pids); });
    end.add(pids.size(), [&] { kill_all(pids); });
  }
};

void grow_processes(rt::Pid (*spawn_one)(), const std::string& metric, const Sizes& sizes) {
  const std::size_t alive_before = rt::processes().size();
  for (std::size_t among = least; among <= sizes.most; among *= 10) {
    std::vector<rt::Pid> pids(among);
    Life fresh;
    fresh.live(spawn_one, pids);
    Life life;
    for (std::size_t done = 0; done < sizes.figure_of; done += among) life.live(spawn_one, pids);
    fresh.spawn.report(metric + "_spawn_fresh", among);
    life.spawn.report(metric + "_spawn", among);
    life.message.report(metric + "_message", among);
    life.end.report(metric + "_end", among);
  }
  check(rt::processes().size() == alive_before, "nobody is left");
}

// --- timers ---

struct Expired {};

void grow_timers(const std::string& metric, const Sizes& sizes) {
  for (std::size_t among = least; among <= sizes.most; among *= 10) {
    std::vector<rt::TimerRef> timers(among);
    Cost arm;
    Cost cancel;
    for (std::size_t done = 0; done < sizes.figure_of; done += among) {
      arm.add(among, [&] {
        std::chrono::milliseconds delay = std::chrono::hours(1);
        for (rt::TimerRef& timer : timers) timer = rt::send_after(++delay, rt::self(), Expired{});
      });
      cancel.add(among, [&] {
        for (const rt::TimerRef timer : timers)
          check(rt::cancel_timer(timer).has_value(), "it is not due yet");
      });
    }
    arm.report(metric + "_arm", among);
    cancel.report(metric + "_cancel", among);
  }
}

constexpr Sizes all = {.most = 1'000'000, .figure_of = 200'000};
constexpr Sizes tiny = {.most = 1000, .figure_of = 1000};

}  // namespace

void growth() {
  grow_processes(&spawn_server, "growth_server", all);
  grow_timers("growth_timer", all);
}

void growth_bodies() {
  grow_processes(&spawn_body, "growth_body", all);
}

void growth_tiny() {
  grow_processes(&spawn_server, "growth_server", tiny);
  grow_processes(&spawn_body, "growth_body", tiny);
  grow_timers("growth_timer", tiny);
}

}  // namespace bench
