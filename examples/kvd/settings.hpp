// settings.hpp: what the operator has chosen; fixed once the daemon runs.
//
// options.cpp fills it from the command line. All processes share one copy that nobody changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace kvd {

// When a write is made durable against the end of the machine. Against the end of the daemon it is
// safe before it is acknowledged, whatever this says.
enum class Fsync : std::uint8_t {
  always,    // before it is acknowledged
  everysec,  // within about a second
  no,        // when the kernel likes
};

struct Settings {
  std::string bind = "127.0.0.1";
  std::uint16_t port = 6380;
  unsigned schedulers = 0;  // 0: as the runtime thinks best
  unsigned shards = 4;
  std::filesystem::path data = "kvd-data";
  std::string inspector = "auto";
  Fsync fsync = Fsync::everysec;
  std::size_t clients_max = 10'000;
  std::size_t value_bytes_max = 64 * 1024 * 1024;
  std::size_t memory_bytes_max = 0;  // 0: no limit
  std::size_t segment_bytes = 1024 * 1024;
};

[[nodiscard]] constexpr const char* to_string(Fsync fsync) noexcept {
  switch (fsync) {
    case Fsync::always:
      return "always";
    case Fsync::everysec:
      return "everysec";
    case Fsync::no:
      return "no";
  }
  return "?";
}

}  // namespace kvd
