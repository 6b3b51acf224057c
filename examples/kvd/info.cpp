// info.cpp: `name:value` lines under section titles.
//
// Names are Redis' where the meaning is the same, so that its tools find what they look for.
#include "examples/kvd/info.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "examples/kvd/reply.hpp"

namespace kvd {
namespace {

using namespace std::string_view_literals;

class Lines {
 public:
  explicit Lines(const Arguments& sections) noexcept : sections_(sections) {}

  // `title` begins with a small letter, as clients ask for it.
  void section(std::string_view title) {
    is_wanted_ = wants(title);
    if (!is_wanted_) return;
    if (!text_.empty()) text_ += "\r\n";
    text_ += "# ";
    text_ += static_cast<char>(title[0] - 'a' + 'A');
    text_ += title.substr(1);
    text_ += "\r\n";
  }
  void line(std::string_view name, std::string_view value) {
    if (!is_wanted_) return;
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void line(std::string_view name, std::int64_t value) { line(name, std::to_string(value)); }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  [[nodiscard]] bool wants(std::string_view title) const {
    for (std::size_t n = 0; n < sections_.size(); ++n) {
      for (std::string_view name : {title, "all"sv, "default"sv, "everything"sv})
        if (is_word(sections_[n], name)) return true;
    }
    return sections_.size() == 0;
  }

  const Arguments& sections_;
  bool is_wanted_ = false;
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

void append_info(std::string& out,
                 const Daemon& daemon,
                 const Arguments& sections,
                 std::span<const ShardNumbers> shards) {
  const Settings& settings = daemon.settings;
  ShardNumbers sum = sum_of(shards);
  auto age = std::chrono::steady_clock::now() - daemon.started;

  Lines info(sections);
  info.section("server");
  info.line("redis_version", "7.0.15");  // whose protocol and errors these are
  info.line("server_name", "kvd");
  info.line("process_id", ::getpid());
  info.line("tcp_port", settings.port);
  info.line("uptime_in_seconds", std::chrono::duration_cast<std::chrono::seconds>(age).count());
  info.line("shards", settings.shards);

  info.section("clients");
  info.line("connected_clients", static_cast<std::int64_t>(daemon.gate.inside()));
  info.line("maxclients", static_cast<std::int64_t>(settings.clients_max));

  info.section("memory");
  info.line("used_memory", sum.memory_bytes);
  info.line("maxmemory", static_cast<std::int64_t>(settings.memory_bytes_max));
  info.line("maxmemory_policy", "noeviction");

  info.section("persistence");
  info.line("loading", 0);
  info.line("aof_enabled", 1);
  info.line("aof_fsync", to_string(settings.fsync));

  info.section("stats");
  info.line("expired_keys", sum.expired);
  info.line("keyspace_hits", sum.hits);
  info.line("keyspace_misses", sum.misses);

  info.section("keyspace");
  if (sum.keys > 0)
    info.line("db0",
              "keys=" + std::to_string(sum.keys) + ",expires=" + std::to_string(sum.expiring) +
                  ",avg_ttl=0");
  append_bulk(out, info.text());
}

}  // namespace kvd
