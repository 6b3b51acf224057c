// idle.cpp: a million processes at rest: what one costs, and how long until all have answered.
//
// A body ends with its answer; a server goes back to rest. Bodies that may hibernate are looked at
// once they have: when for three seconds the memory has not become less.
#include <airssys/rt.hpp>
#include <atomic>
#include <chrono>
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

rt::Pid spawn_body(Count& resting, const rt::SpawnOptions& options) {
  return rt::spawn(options, [&resting] {
    ++resting;
    rt::send(rt::receive<Hello>().from, Here{});
  });
}

rt::Pid spawn_staying_body(Count& resting) {
  return spawn_body(resting, {});
}

rt::Pid spawn_hibernating_body(Count& resting) {
  return spawn_body(resting, {.hibernates = true});
}

void wait_until_stable(const std::string& metric) {
  const Stopwatch settling;
  double settled_ms = 0;
  for (double least = resident_bytes(); settling.ms() < settled_ms + 3000;) {
    rt::sleep(std::chrono::milliseconds(50));
    const double now = resident_bytes();
    if (now >= least) continue;
    least = now;
    settled_ms = settling.ms();
  }
  report(metric + "_settle", settled_ms, "ms");
}

void rest_and_wake(rt::Pid (*spawn_sleeper)(Count& resting),
                   const std::string& metric,
                   void (*wait_for_rest)(const std::string& metric) = nullptr) {
  std::vector<rt::Pid> sleepers(processes);  // touched before the first look at the memory
  Count resting = 0;
  const double bytes_before = resident_bytes();
  const double tables_before = page_table_bytes();
  const Stopwatch creation;
  for (rt::Pid& sleeper : sleepers) sleeper = spawn_sleeper(resting);
  while (resting < processes) rt::yield();
  report(metric + "_create", creation.ns() / processes, "ns/proc");
  if (wait_for_rest) wait_for_rest(metric);
  const double resident = resident_bytes() - bytes_before;
  report(metric + "_rss", resident / processes, "B/proc");
  report(metric + "_all", (resident + page_table_bytes() - tables_before) / processes, "B/proc");

  const Stopwatch waking;
  for (const rt::Pid sleeper : sleepers) rt::send(sleeper, Hello{rt::self()});
  for (int i = 0; i < processes; ++i) rt::receive<Here>();
  report(metric + "_wake", waking.ms(), "ms");
}

}  // namespace

void idle_bodies() {
  rest_and_wake(&spawn_staying_body, "idle");
}

void idle_hibernating() {
  rest_and_wake(&spawn_hibernating_body, "idle_hibernating", &wait_until_stable);
}

void idle_servers() {
  rest_and_wake(&spawn_behaviour, "idle_servers");
}

}  // namespace bench
