// growth.cpp: what a message, a spawn and an end cost among 10 processes, and among a million.
//
// All processes are at rest; a round sends each a message, in the order of their birth, and waits
// for all answers. Few processes go through many rounds, so that each figure is of about as many.
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

struct Times {
  double spawn_ns = 0;
  double message_ns = 0;
  double end_ns = 0;
};

Times measure(rt::Pid (*spawn)(), std::size_t processes) {
  const std::size_t rounds = figure_of / processes;
  std::vector<rt::Pid> pids(processes);
  Times sum;
  for (std::size_t round = 0; round < rounds; ++round) {
    const Stopwatch spawning;
    for (rt::Pid& pid : pids) pid = spawn();
    sum.spawn_ns += spawning.ns();
    greet_all(pids);  // now each has come to rest, and has what it needs
    const Stopwatch greeting;
    greet_all(pids);
    sum.message_ns += greeting.ns();
    const Stopwatch killing;
    kill_all(pids);
    sum.end_ns += killing.ns();
  }
  return sum;
}

void grow(rt::Pid (*spawn)(), const std::string& metric, std::size_t up_to) {
  for (std::size_t processes = least; processes <= up_to; processes *= 10) {
    const Times sum = measure(spawn, processes);
    const std::string among = "_" + std::to_string(processes);
    report(metric + "_spawn" + among, sum.spawn_ns / figure_of, "ns");
    report(metric + "_message" + among, sum.message_ns / figure_of, "ns");
    report(metric + "_end" + among, sum.end_ns / figure_of, "ns");
  }
}

}  // namespace

void growth() {
  grow(&spawn_server, "growth_server", most);
  grow(&spawn_body, "growth_body", most);
}

}  // namespace bench
