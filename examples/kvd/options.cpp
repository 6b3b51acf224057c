// options.cpp: flags, their ranges, and one sentence for every mistake.
#include "examples/kvd/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "examples/kvd/limits.hpp"

namespace kvd {
namespace {

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

// CLI11 takes sizes as plain bytes or with a unit: 100, 64kb, 1gb (powers of 1024).
void add_size(CLI::App& app, const std::string& flag, std::size_t& target, const char* help) {
  app.add_option(flag, target, help)->transform(CLI::AsSizeValue(false))->capture_default_str();
}

void add_flags(CLI::App& app, Settings& settings) {
  app.add_option("--port,-p", settings.port, "TCP port; 0: any free one")->capture_default_str();
  app.add_option("--bind", settings.bind, "address to listen on; empty: all")
      ->capture_default_str();
  app.add_option("--schedulers", settings.schedulers, "threads for processes; 0: one per CPU")
      ->check(CLI::Range(0, 128))
      ->capture_default_str();
  app.add_option("--shards", settings.shards, "parts of the key space, each with its own log")
      ->check(CLI::Range(1U, shards_max))
      ->capture_default_str();
  app.add_option("--data", settings.data, "directory for the logs")->capture_default_str();
  app.add_option("--inspector",
                 settings.inspector,
                 "where airs-inspect connects: auto, a socket's path, or empty for nowhere")
      ->capture_default_str();
  app.add_option("--fsync",
                 settings.fsync,
                 "when writes survive the end of the machine: always (before they are "
                 "acknowledged), everysec, no")
      ->transform(CLI::Transformer(std::map<std::string, Fsync>{
          {"always", Fsync::always}, {"everysec", Fsync::everysec}, {"no", Fsync::no}}))
      ->default_str("everysec");
  app.add_option("--max-clients", settings.clients_max, "clients at the same time")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_size(app, "--max-value", settings.value_bytes_max, "bytes of one value, at most 512mb");
  add_size(app,
           "--max-memory",
           settings.memory_bytes_max,
           "bytes for keys and values, in equal parts for the shards; 0: no limit");
  add_size(app, "--segment", settings.segment_bytes, "bytes of log after which it is compacted");
}

// What the flags' own checks cannot say; empty when all is well.
std::string complaint_about(const Settings& settings) {
  if (settings.value_bytes_max < 1 || settings.value_bytes_max > gibibyte / 2)
    return "--max-value must be between 1 byte and 512mb";
  if (settings.segment_bytes < 1024) return "--segment must be at least 1kb";
  return {};
}

}  // namespace

std::expected<Settings, int> parse_options(int argc, char** argv) {
  constexpr int usage_error = 2;
  Settings settings;
  CLI::App app("kvd: a key-value daemon that speaks Redis' protocol and forgets nothing.", "kvd");
  add_flags(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return std::unexpected(app.exit(help));
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "kvd: %s\n", error.what());
    return std::unexpected(usage_error);
  }
  std::string complaint = complaint_about(settings);
  if (complaint.empty()) return settings;
  std::fprintf(stderr, "kvd: %s\n", complaint.c_str());
  return std::unexpected(usage_error);
}

}  // namespace kvd
