// echo.cpp: the load on a program that echoes over TCP: is it right, how fast, what does it cost?
//
//   PB_T=1 airssys-echo-load airssys-bench echo
//
// Right: messages that come in two parts, split at each boundary, and a long one; connections that
// are closed in halves or reset leave no descriptor, and the program sees to it that no process of
// theirs is left. Fast: 64 bytes, one message in flight on each of so many connections; and
// connections that end after one message, one after the other.
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../ours/bench.hpp"
#include "client.hpp"
#include "server.hpp"

namespace {

using namespace std::chrono_literals;
using bench::check;
using bench::report;
using load::Connection;
using load::Server;
using load::text;

struct Scale {
  std::vector<std::size_t> connections;
  std::chrono::milliseconds time;
  std::size_t long_bytes;
};

void check_bytes(int port, std::size_t long_bytes) {
  const Connection connection(port);
  const auto message = text(64, 1);
  for (std::size_t split = 1; split < message.size(); ++split) {
    connection.exchange(std::span(message).first(split));
    connection.exchange(std::span(message).subspan(split));
  }
  connection.exchange(text(long_bytes, 2));
}

void check_ends(const Server& server, std::size_t descriptors) {
  constexpr int each = 100;
  for (int i = 0; i < each; ++i) {
    const Connection half_closed(server.port());
    half_closed.exchange(text(64, 3));
    half_closed.end_in_halves();
    Connection reset(server.port());
    reset.exchange(text(64, 4));
    reset.break_off();
    Connection reset_at_once(server.port());
    reset_at_once.break_off();
  }
  for (const bench::Stopwatch waiting; server.descriptors() > descriptors;) {
    check(waiting.seconds() < load::patience.count(), "no descriptor is left");
    std::this_thread::sleep_for(1ms);
  }
}

void measure(const Server& server, std::size_t count, std::chrono::milliseconds time) {
  const std::string metric = "echo_" + std::to_string(count);
  const double bytes_before = server.resident_bytes();
  std::vector<Connection> connections;
  for (std::size_t i = 0; i < count; ++i) {
    connections.emplace_back(server.port());
    connections.back().exchange(text(64, i));
  }
  const double bytes = server.resident_bytes() - bytes_before;
  const double cpu_before = server.cpu_seconds();
  load::Answers answers = load::exchange_for(connections, time);
  const auto requests = static_cast<double>(answers.ns.size());
  report(metric, requests / answers.seconds, "requests/s");
  report(metric + "_cpu", (server.cpu_seconds() - cpu_before) / requests * 1e6, "us/request");
  report(metric + "_rss", bytes / static_cast<double>(count), "B/connection");
  bench::report_quantiles(metric, std::move(answers.ns));
}

void churn(const Server& server, std::chrono::milliseconds time) {
  const auto message = text(64, 5);
  double connections = 0;
  const bench::Stopwatch watch;
  do {
    Connection(server.port()).exchange(message);
    ++connections;
  } while (watch.ms() < static_cast<double>(time.count()));
  report("echo_churn", connections / watch.seconds(), "connections/s");
}

void load_it(Server& server, const Scale& scale) {
  check_bytes(server.port(), scale.long_bytes);
  const std::size_t descriptors = server.descriptors();
  check_ends(server, descriptors);
  for (const std::size_t count : scale.connections) measure(server, count, scale.time);
  churn(server, scale.time);
  check_ends(server, descriptors);
  server.end();
}

// For ten thousand connections; the program under load inherits it.
void allow_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  check(argc > 2, "a program and a workload are named");
  allow_descriptors();
  Server server(argv + 1);
  if (server.port() == 0) return std::puts("S") < 0;
  if (std::string_view(argv[argc - 1]) == "echo_tiny") {
    load_it(server, {.connections = {1, 50}, .time = 20ms, .long_bytes = 100'000});
  } else {
    load_it(server, {.connections = {1, 50, 1000, 10'000}, .time = 1s, .long_bytes = 1 << 20});
  }
  return 0;
}
