// client.hpp: connections to an echo, each with a text that no other has.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace load {

// What never comes is not waited for.
inline constexpr std::chrono::seconds patience(10);

// A connection to 127.0.0.1 that does not block, with nodelay on. Source addresses take turns, so
// that ports in TIME_WAIT never run out.
class Connection {
 public:
  explicit Connection(int port);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  int fd() const { return fd_; }
  // Sends all of it and takes as much as comes back, which is checked to be the same.
  void exchange(std::span<const std::byte> bytes) const;
  // Sends nothing more; the other side ends too.
  void end_in_halves() const;
  // With a reset, not an end.
  void break_off();

 private:
  int fd_ = -1;
};

// Something of this length that depends on the seed.
std::vector<std::byte> text(std::size_t size, std::uint64_t seed);

// What the program takes and how soon it answers, one message in flight on each connection.
struct Answers {
  std::vector<std::int64_t> ns;
  double seconds = 0;
};
Answers exchange_for(std::span<const Connection> connections, std::chrono::milliseconds time);

}  // namespace load
