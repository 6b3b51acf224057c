// listener.cpp: accept, count, hand over.
//
// A connection is a temporary child: when it ends, its client is gone, and there is nothing to
// restart. When the daemon stops it has a moment to finish the burst it has begun.
#include "examples/kvd/listener.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "examples/kvd/connection.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view too_many = "-ERR max number of clients reached\r\n";

// For which the system has no descriptor or no memory left: clients leave, so it will have.
constexpr auto accept_pause = 100ms;

constexpr auto finish_patience = 2s;

void start_connection(Daemon& daemon, rt::net::TcpStream stream) {
  ClientGate::Ticket ticket = daemon.gate.enter();
  auto serve = [&daemon,
                stream = std::move(stream),
                id = daemon.gate.entered(),
                ticket = std::move(ticket)]() mutable {
    rt::set_label("client " + std::to_string(id));  // as CLIENT ID answers
    Connection(daemon, std::move(stream), id).serve();
  };
  // If it cannot be started the stream closes with its closure, and the client sees that.
  (void)rt::try_start_child(
      "connections",
      rt::child("client",
                std::move(serve),
                {.restart = rt::Restart::temporary, .shutdown = finish_patience}));
}

}  // namespace

void listen(Daemon& daemon, rt::net::TcpListener& socket) {
  for (;;) {
    std::expected<rt::net::TcpStream, std::error_code> stream = socket.accept();
    if (!stream) {
      rt::report("kvd: cannot accept a client: " + stream.error().message());
      rt::sleep(accept_pause);
    } else if (daemon.gate.inside() >= daemon.settings.clients_max) {
      (void)stream->write_all(std::as_bytes(std::span(too_many)), 0ns);
    } else {
      start_connection(daemon, std::move(*stream));
    }
  }
}

}  // namespace kvd
