// day.cpp: a daemon's day: peak, quiet, peak, quiet. Does the memory that it occupies follow?
//
// A peak is of servers, of bodies that wait deep in their stacks, of messages that nobody has taken
// yet, or of all three; each on a runtime of its own. In the quiet all of them are gone, and the
// clock runs until for three seconds the memory has not become less.
#include <airssys/rt.hpp>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

struct Load {
  int servers = 0;
  int bodies = 0;
  std::int64_t messages = 0;
  double quiet_ms = 3000;
};

constexpr std::size_t stack_depth = 32;  // frames, of a KiB each and a little
constexpr double megabyte = 1024 * 1024;

struct Hello {
  rt::Pid from;
};
struct Here {};

class Greeter : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { rt::send(message.take<Hello>().from, Here{}); }
};

// Answers from the depth of its stack, and stays there.
std::size_t dive(std::size_t depth) {
  std::array<volatile unsigned char, 1024> frame;
  for (volatile unsigned char& byte : frame) byte = 1;
  if (depth > 1) return dive(depth - 1) + frame[depth];
  rt::send(rt::receive<Hello>().from, Here{});
  rt::sleep(rt::infinite);
  return frame[depth];
}

struct Letter {
  std::int64_t number;
  std::array<std::int64_t, 24> text{};  // 200 bytes in all
};
struct Read {
  rt::Pid reader;
};
struct Sum {
  std::int64_t of_numbers;
};

void keep_letters(std::int64_t count) {
  const rt::Pid reader = rt::receive<Read>().reader;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += rt::receive<Letter>().number;
  rt::send(reader, Sum{sum});
}

struct Peak {
  std::vector<rt::Pid> processes;
  rt::Pid letter_box;
};

Peak rise(const Load& load) {
  Peak peak;
  for (int i = 0; i < load.servers; ++i)
    peak.processes.push_back(rt::spawn_behaviour(std::make_unique<Greeter>()));
  for (int i = 0; i < load.bodies; ++i)
    peak.processes.push_back(rt::spawn([] { dive(stack_depth); }));
  for (const rt::Pid pid : peak.processes) rt::send(pid, Hello{rt::self()});
  for (std::size_t i = 0; i < peak.processes.size(); ++i) rt::receive<Here>();
  peak.letter_box = rt::spawn([count = load.messages] { keep_letters(count); });
  for (std::int64_t i = 0; i < load.messages; ++i) rt::send(peak.letter_box, Letter{i});
  return peak;
}

void fall(Peak peak, const Load& load) {
  for (const rt::Pid pid : peak.processes) rt::monitor(pid);
  for (const rt::Pid pid : peak.processes) rt::send_exit(pid, rt::ExitReason::kill());
  for (std::size_t i = 0; i < peak.processes.size(); ++i)
    check(rt::receive<rt::Down>().reason == rt::ExitReason::killed(), "each has been killed");
  rt::send(peak.letter_box, Read{rt::self()});
  check(rt::receive<Sum>().of_numbers == load.messages * (load.messages - 1) / 2,
        "all letters have been read");
}

// How long the memory took to become as little as it does.
double settle_ms(double quiet_ms) {
  const Stopwatch settling;
  double settled_ms = 0;
  for (double least = resident_bytes(); settling.ms() < settled_ms + quiet_ms;) {
    rt::sleep(std::chrono::milliseconds(50));
    const double now = resident_bytes();
    if (now >= least) continue;
    least = now;
    settled_ms = settling.ms();
  }
  return settled_ms;
}

void report_memory(const std::string& phase) {
  report(phase, resident_bytes() / megabyte, "MB");
}

void live_through(const std::string& metric, const Load& load) {
  const std::size_t alive_before = rt::processes().size();
  report_memory(metric + "_start");
  for (const std::string day : {"1", "2"}) {
    Peak peak = rise(load);
    report_memory(metric + "_peak" + day);
    fall(std::move(peak), load);
    const double ms = settle_ms(load.quiet_ms);
    report_memory(metric + "_quiet" + day);
    report(metric + "_settle" + day, ms, "ms");
  }
  check(rt::processes().size() == alive_before, "nobody is left");
}

constexpr int servers = 500'000;
constexpr int bodies = 20'000;
constexpr std::int64_t messages = 2'000'000;

}  // namespace

void day_servers() {
  live_through("day_servers", {.servers = servers});
}

void day_stacks() {
  live_through("day_stacks", {.bodies = bodies});
}

void day_messages() {
  live_through("day_messages", {.messages = messages});
}

void day_all() {
  live_through("day_all", {.servers = servers, .bodies = bodies, .messages = messages});
}

void day_tiny() {
  live_through("day_tiny", {.servers = 100, .bodies = 100, .messages = 100, .quiet_ms = 100});
}

}  // namespace bench
