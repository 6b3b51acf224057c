// options.cpp: flags, their ranges, and one sentence for every mistake.
#include "examples/kvd/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "examples/kvd/limits.hpp"

namespace kvd {
namespace {

constexpr std::size_t gibibyte = std::size_t{1} << 30;
// No machine has as much; what is more is a slip, or too long for the number.
constexpr std::size_t bytes_max = gibibyte << 20;

// CLI11 alone takes "", " 7", -1 as the largest number there is, and 010 as eight.
CLI::Validator decimal() {
  auto complaint_about = [](const std::string& text) {
    bool is_decimal = text == "0" || (!text.empty() && text[0] >= '1' && text[0] <= '9');
    return is_decimal ? std::string() : "'" + text + "' is no number";
  };
  return {complaint_about, ""};
}

template <typename Number>
CLI::Option* add_number(CLI::App& app,
                        const std::string& flags,
                        Number& target,
                        Number min,
                        Number max,
                        const char* help) {
  return app.add_option(flags, target, help)
      ->check(decimal())
      ->check(CLI::Range(min, max))
      ->capture_default_str();
}

// Plain bytes or with a unit: 100, 64kb, 1gb (powers of 1024).
void add_size(CLI::App& app,
              const std::string& flag,
              std::size_t& target,
              std::size_t min,
              std::size_t max,
              const char* help) {
  add_number(app, flag, target, min, max, help)
      ->transform(CLI::AsSizeValue(false))
      ->transform(decimal());
}

void add_flags(CLI::App& app, Settings& settings) {
  add_number<std::uint16_t>(
      app, "--port,-p", settings.port, 0, 65'535, "TCP port; 0: any free one");
  app.add_option("--bind", settings.bind, "address to listen on; empty: all")
      ->capture_default_str();
  add_number(
      app, "--schedulers", settings.schedulers, 0U, 128U, "threads for processes; 0: one per CPU");
  add_number(app,
             "--shards",
             settings.shards,
             1U,
             shards_max,
             "parts of the key space, each with its own log");
  app.add_option("--data", settings.data, "directory for the logs")->capture_default_str();
  app.add_option("--inspector",
                 settings.inspector,
                 "where airs-inspect connects: auto, a socket's path, or empty for nowhere")
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--fsync",
         [&settings](const std::string& word) {
           for (Fsync each : {Fsync::always, Fsync::everysec, Fsync::no})
             if (word == to_string(each)) settings.fsync = each;
         },
         "when writes survive the end of the machine: always (before they are acknowledged), "
         "everysec, no")
      ->check(CLI::IsMember({"always", "everysec", "no"}))
      ->default_str(to_string(settings.fsync));
  add_number<std::size_t>(
      app, "--max-clients", settings.clients_max, 1, 1'000'000, "clients at the same time");
  add_size(app, "--max-value", settings.value_bytes_max, 1, gibibyte / 2, "bytes of one value");
  add_size(app,
           "--max-memory",
           settings.memory_bytes_max,
           0,
           bytes_max,
           "bytes for keys and values, in equal parts for the shards; 0: no limit");
  add_size(app,
           "--segment",
           settings.segment_bytes,
           1024,
           bytes_max,
           "bytes of log after which it is compacted");
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
  return settings;
}

}  // namespace kvd
