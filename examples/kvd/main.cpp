// main.cpp: kvd, a key-value daemon on airssys-rt. Talk to it with redis-cli.
//
// Reading order: supervision.hpp (who there is), connection.hpp, shard.hpp, log_writer.hpp (a
// command's way), then what they stand on: resp_parser, reply_plan, executor, keyspace, log.
//
// Exit codes: 0 after SIGTERM or SIGINT, when everything acknowledged is on disk; 1 when the daemon
// has given up; 2 when it could not start, with one sentence that says why.
#include <airssys/rt.hpp>
#include <airssys/rt/net.hpp>
#include <cstdio>
#include <expected>
#include <string>
#include <utility>

#include "examples/kvd/daemon.hpp"
#include "examples/kvd/data_directory.hpp"
#include "examples/kvd/descriptors.hpp"
#include "examples/kvd/options.hpp"
#include "examples/kvd/supervision.hpp"

namespace {

namespace rt = airssys::rt;

constexpr int cannot_start = 2;

int complain(const std::string& sentence) {
  std::fprintf(stderr, "kvd: %s\n", sentence.c_str());
  return cannot_start;
}

// An address of IPv6 stands in brackets, also if the operator has left them out.
std::string address_of(const kvd::Settings& settings) {
  bool is_bare_v6 = settings.bind.contains(':') && !settings.bind.starts_with('[');
  std::string host = is_bare_v6 ? "[" + settings.bind + "]" : settings.bind;
  return host + ":" + std::to_string(settings.port);
}

// The first process: starts the tree, waits until somebody wants the daemon to end, ends it.
int serve(kvd::Daemon& daemon) {
  rt::register_name("main", rt::self());
  rt::trap_exit(true);
  const kvd::Settings& settings = daemon.settings;
  std::string address = address_of(settings);
  std::expected<rt::net::TcpListener, std::error_code> socket = rt::net::TcpListener::bind(address);
  if (!socket) return complain("cannot listen on " + address + ": " + socket.error().message());

  std::expected<rt::Pid, rt::StartError> tree = kvd::start_tree(daemon, *socket);
  if (!tree) return complain(tree.error().reason().to_string());
  std::fprintf(stderr,
               "kvd: ready on %s, at most %zu clients, %u shards, data in %s\n",
               socket->local_address().c_str(),
               settings.clients_max,
               settings.shards,
               settings.data.c_str());

  rt::Exit exit = rt::receive<rt::Exit>();
  if (exit.from == *tree) return kvd::gave_up;
  // New clients are refused from here on; those that are here get their answers.
  (void)rt::try_terminate_child(*tree, "listener");
  socket->close();
  (void)rt::try_stop(*tree, rt::ExitReason::shutdown());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::expected<kvd::Settings, int> settings = kvd::parse_options(argc, argv);
  if (!settings) return settings.error();
  try {
    kvd::DataDirectory data(*settings);
    settings->clients_max = kvd::make_room_for_clients(*settings);
    kvd::Daemon daemon(*settings);
    rt::Options options{.schedulers = settings->schedulers, .inspector = settings->inspector};
    bool has_begun = false;
    int code = rt::run(options, [&] {
      has_begun = true;
      return serve(daemon);
    });
    // The runtime has said why: the inspector's socket has no place, a thread was refused.
    return code != 0 && !has_begun ? cannot_start : code;
  } catch (const std::exception& error) {
    return complain(error.what());
  }
}
