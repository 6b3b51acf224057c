// echo.cpp: an echo over TCP, a process for each connection, until standard input ends.
//
// Prints "P port"; who connects and measures is benchmarks/load/echo.cpp. When all connections have
// ended, however they did, none of their processes is left.
#include <airssys/rt.hpp>
#include <airssys/rt/net.hpp>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

void serve(rt::net::TcpStream stream) {
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto got = stream.read_some(buffer);
    if (!got || *got == 0) return;
    if (!stream.write_all(std::span(buffer).first(*got))) return;
  }
}

void accept_all(rt::net::TcpListener listener) {
  for (;;) {
    auto stream = listener.accept();
    check(stream.has_value(), "a connection is accepted");
    rt::spawn([stream = std::move(*stream)]() mutable { serve(std::move(stream)); });
  }
}

}  // namespace

void echo() {
  auto listener = rt::net::TcpListener::bind("127.0.0.1:0", {.backlog = 4096}).value();
  const std::string address = listener.local_address();
  rt::spawn([listener = std::move(listener)]() mutable { accept_all(std::move(listener)); });
  const std::size_t alive_without_connections = rt::processes().size();
  std::printf("P %s\n", address.substr(address.find(':') + 1).c_str());
  std::fflush(stdout);

  rt::blocking([] {
    while (std::getchar() != EOF) continue;
  });
  for (const Stopwatch waiting; rt::processes().size() > alive_without_connections;) {
    check(waiting.seconds() < 10, "no connection's process is left");
    rt::sleep(std::chrono::milliseconds(1));
  }
}

}  // namespace bench
