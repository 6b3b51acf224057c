// info.cpp: `name:value` lines under section titles.
//
// Names are Redis' where the meaning is the same, so that its tools find what they look for.
#include "examples/kvd/info.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string_view>

#include "examples/kvd/reply.hpp"

namespace kvd {
namespace {

class Lines {
 public:
  void section(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += "# ";
    text_ += title;
    text_ += "\r\n";
  }
  void line(std::string_view name, std::string_view value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void line(std::string_view name, std::int64_t value) { line(name, std::to_string(value)); }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

ShardNumbers sum_of(std::span<const ShardNumbers> shards) noexcept {
  ShardNumbers sum;
  for (const ShardNumbers& each : shards) {
    sum.keys += each.keys;
    sum.expiring += each.expiring;
    sum.memory_bytes += each.memory_bytes;
    sum.expired += each.expired;
    sum.hits += each.hits;
    sum.misses += each.misses;
  }
  return sum;
}

}  // namespace

void append_info(std::string& out, const Daemon& daemon, std::span<const ShardNumbers> shards) {
  const Settings& settings = daemon.settings;
  ShardNumbers sum = sum_of(shards);
  auto age = std::chrono::steady_clock::now() - daemon.started;

  Lines info;
  info.section("Server");
  info.line("redis_version", "7.0.15");  // whose protocol and errors these are
  info.line("server_name", "kvd");
  info.line("process_id", ::getpid());
  info.line("tcp_port", settings.port);
  info.line("uptime_in_seconds", std::chrono::duration_cast<std::chrono::seconds>(age).count());
  info.line("shards", settings.shards);

  info.section("Clients");
  info.line("connected_clients", static_cast<std::int64_t>(daemon.gate.inside()));
  info.line("maxclients", static_cast<std::int64_t>(settings.clients_max));

  info.section("Memory");
  info.line("used_memory", sum.memory_bytes);
  info.line("maxmemory", static_cast<std::int64_t>(settings.memory_bytes_max));
  info.line("maxmemory_policy", "noeviction");

  info.section("Persistence");
  info.line("loading", 0);
  info.line("aof_enabled", 1);
  info.line("aof_fsync", to_string(settings.fsync));

  info.section("Stats");
  info.line("expired_keys", sum.expired);
  info.line("keyspace_hits", sum.hits);
  info.line("keyspace_misses", sum.misses);

  info.section("Keyspace");
  if (sum.keys > 0)
    info.line("db0",
              "keys=" + std::to_string(sum.keys) + ",expires=" + std::to_string(sum.expiring) +
                  ",avg_ttl=0");
  append_bulk(out, info.text());
}

}  // namespace kvd
