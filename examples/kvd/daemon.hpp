// daemon.hpp: what all processes of one daemon know: its settings, its age, how many clients it
// has.
//
// Made before the runtime starts and destroyed after it has stopped. Processes share it by
// reference: the settings never change, the rest counts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "examples/kvd/burst.hpp"
#include "examples/kvd/settings.hpp"

namespace kvd {

// Lets in a limited number of clients.
class ClientGate {
 public:
  // One client's place; given back when it is destroyed, however the client's process ended.
  class Ticket {
   public:
    explicit Ticket(ClientGate& gate) noexcept : gate_(&gate) {}
    Ticket(Ticket&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      // relaxed: a counter; nothing else is handed over with it.
      if (gate_) gate_->inside_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    ClientGate* gate_;
  };

  // For the listener's process only: nobody else lets clients in, so the limit holds.
  [[nodiscard]] Ticket enter() noexcept {
    // relaxed: as in ~Ticket.
    inside_.fetch_add(1, std::memory_order_relaxed);
    ++entered_;
    return Ticket(*this);
  }
  // relaxed: only the listener adds, so it never sees too few; for others it is a statistic.
  [[nodiscard]] std::size_t inside() const noexcept {
    return inside_.load(std::memory_order_relaxed);
  }
  // Only the listener calls this.
  [[nodiscard]] std::uint64_t entered() const noexcept { return entered_; }

 private:
  std::atomic<std::size_t> inside_ = 0;
  std::uint64_t entered_ = 0;
};

// The exit code of a daemon that has given up.
inline constexpr int gave_up = 1;

struct Daemon {
  explicit Daemon(Settings of) : settings(std::move(of)) {}

  const Settings settings;
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  ClientGate gate;
};

// The registered names of a shard's processes.
[[nodiscard]] inline std::string shard_name(ShardNumber shard) {
  return "shard-" + std::to_string(shard);
}
[[nodiscard]] inline std::string log_writer_name(ShardNumber shard) {
  return "log-" + std::to_string(shard);
}

[[nodiscard]] inline std::filesystem::path shard_directory(const Settings& settings,
                                                           ShardNumber shard) {
  return settings.data / shard_name(shard);
}

// Unix time.
[[nodiscard]] inline std::int64_t now_ms() {
  auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

}  // namespace kvd
