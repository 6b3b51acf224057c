// growth.cpp: what a spawn, a message and an end cost among 10 processes, and among a million.
//
// A round spawns all and greets each once, which is the spawn's figure; greets all at rest once
// more; and kills all. Few processes go through many rounds, so that each figure is of about as
// many. Beside it stands how many page faults each took: the first round touches new memory.
#include <sys/resource.h>

#include <airssys/rt.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::size_t least = 10;
constexpr std::size_t most = 1'000'000;
constexpr std::size_t figure_of = 1'000'000;  // messages, and spawns

struct Hello {
  rt::Pid from;
};
struct Here {};

class Greeter : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { rt::send(message.take<Hello>().from, Here{}); }
};

rt::Pid spawn_server() {
  return rt::spawn_behaviour(std::make_unique<Greeter>());
}

rt::Pid spawn_body() {
  return rt::spawn([] {
    for (;;) rt::send(rt::receive<Hello>().from, Here{});
  });
}

void greet_all(const std::vector<rt::Pid>& pids) {
  for (const rt::Pid pid : pids) rt::send(pid, Hello{rt::self()});
  for (std::size_t i = 0; i < pids.size(); ++i) rt::receive<Here>();
}

void kill_all(const std::vector<rt::Pid>& pids) {
  for (const rt::Pid pid : pids) rt::monitor(pid);
  for (const rt::Pid pid : pids) rt::send_exit(pid, rt::ExitReason::kill());
  for (std::size_t i = 0; i < pids.size(); ++i) rt::receive<rt::Down>();
}

double page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt);
}

struct Cost {
  double ns = 0;
  double faults = 0;

  template <class Step>
  void add(Step step) {
    const double faults_before = page_faults();
    const Stopwatch time;
    step();
    ns += time.ns();
    faults += page_faults() - faults_before;
  }
};

struct Costs {
  Cost spawn;
  Cost message;
  Cost end;
};

Costs measure(rt::Pid (*spawn)(), std::size_t processes) {
  const std::size_t rounds = figure_of / processes;
  std::vector<rt::Pid> pids(processes);
  Costs costs;
  for (std::size_t round = 0; round < rounds; ++round) {
    costs.spawn.add([&] {
      for (rt::Pid& pid : pids) pid = spawn();
      greet_all(pids);
    });
    costs.message.add([&] { greet_all(pids); });
    costs.end.add([&] { kill_all(pids); });
  }
  return costs;
}

void report_cost(const std::string& metric, std::size_t processes, const Cost& cost) {
  const std::string among = "_" + std::to_string(processes);
  report(metric + among, cost.ns / figure_of, "ns");
  report(metric + "_faults" + among, cost.faults / figure_of, "faults");
}

void grow(rt::Pid (*spawn)(), const std::string& metric, std::size_t up_to) {
  for (std::size_t processes = least; processes <= up_to; processes *= 10) {
    const Costs costs = measure(spawn, processes);
    report_cost(metric + "_spawn", processes, costs.spawn);
    report_cost(metric + "_message", processes, costs.message);
    report_cost(metric + "_end", processes, costs.end);
  }
}

}  // namespace

void growth() {
  grow(&spawn_server, "growth_server", most);
  grow(&spawn_body, "growth_body", most);
}

}  // namespace bench
