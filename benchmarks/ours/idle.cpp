// idle.cpp: a million processes at rest: what one costs, and how long until all have answered.
//
// A body ends with its answer; a server goes back to rest.
#include <airssys/rt.hpp>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int processes = 1'000'000;

struct Hello {
  rt::Pid from;
};
struct Here {};

// Shared by all: how many have reached their rest.
using Count = std::atomic<int>;

class Sleeper : public rt::Behaviour {
 public:
  explicit Sleeper(Count& resting) : resting_(resting) {}
  void start() override { ++resting_; }
  void message(rt::Message& message) override { rt::send(message.take<Hello>().from, Here{}); }

 private:
  Count& resting_;
};

rt::Pid spawn_behaviour(Count& resting) {
  return rt::spawn_behaviour(std::make_unique<Sleeper>(resting));
}

rt::Pid spawn_body(Count& resting) {
  return rt::spawn([&resting] {
    ++resting;
    rt::send(rt::receive<Hello>().from, Here{});
  });
}

void rest_and_wake(rt::Pid (*spawn_sleeper)(Count& resting), const std::string& metric) {
  std::vector<rt::Pid> sleepers(processes);  // touched before the first look at the memory
  Count resting = 0;
  const double bytes_before = resident_bytes();
  const Stopwatch creation;
  for (rt::Pid& sleeper : sleepers) sleeper = spawn_sleeper(resting);
  while (resting < processes) rt::yield();
  report(metric + "_create", creation.ns() / processes, "ns/proc");
  report(metric + "_rss", (resident_bytes() - bytes_before) / processes, "B/proc");

  const Stopwatch waking;
  for (const rt::Pid sleeper : sleepers) rt::send(sleeper, Hello{rt::self()});
  for (int i = 0; i < processes; ++i) rt::receive<Here>();
  report(metric + "_wake", waking.ms(), "ms");
}

}  // namespace

void idle_bodies() {
  rest_and_wake(&spawn_body, "idle");
}

void idle_servers() {
  rest_and_wake(&spawn_behaviour, "idle_servers");
}

}  // namespace bench
