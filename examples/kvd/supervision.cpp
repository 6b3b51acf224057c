// supervision.cpp: the tree, as specifications.
//
// A shard may crash often before its supervisor gives up on it, because each restart is cheap and
// loses nothing. A supervisor that gives up is itself restarted a few times; then the daemon ends.
#include "examples/kvd/supervision.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "examples/kvd/listener.hpp"
#include "examples/kvd/log_writer.hpp"
#include "examples/kvd/shard.hpp"

namespace kvd {
namespace {

using namespace std::chrono_literals;

constexpr unsigned shard_crashes_max = 20;
constexpr auto shard_crashes_period = 10s;

// Long enough to write and sync what is left.
constexpr auto log_writer_patience = 10s;

rt::ChildSpec shard_group(const Daemon& daemon, ShardNumber number) {
  rt::ChildOptions writer{.shutdown = log_writer_patience,
                          .start = {.name = log_writer_name(number)}};
  rt::ChildOptions shard{.start = {.name = shard_name(number)}};
  return rt::child_supervisor(
      std::to_string(number),
      {.name = "shard-" + std::to_string(number) + "-group",
       .strategy = rt::Strategy::rest_for_one,
       .intensity = shard_crashes_max,
       .period = shard_crashes_period,
       .children = {
           rt::child<LogWriter>(log_writer_name(number), writer, std::cref(daemon), number),
           rt::child<Shard>(shard_name(number), shard, std::cref(daemon), number),
       }});
}

rt::ChildSpec all_shards(const Daemon& daemon) {
  rt::SupervisorOptions options{.name = "shards", .children = {}};
  for (unsigned number = 0; number < daemon.settings.shards; ++number)
    options.children.push_back(shard_group(daemon, static_cast<ShardNumber>(number)));
  return rt::child_supervisor("shards", std::move(options));
}

}  // namespace

std::expected<rt::Pid, rt::StartError> start_tree(Daemon& daemon, rt::net::TcpListener& socket) {
  return rt::try_start_supervisor_link({
      .name = "kvd",
      .intensity = 3,
      .children =
          {
              all_shards(daemon),
              rt::child_dynamic_supervisor("connections", {.name = "connections"}),
              rt::child("listener",
                        [&daemon, &socket] { listen(daemon, socket); },
                        {.start = {.name = "listener"}}),
          },
  });
}

}  // namespace kvd
