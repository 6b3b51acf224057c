// retry.hpp: the one loop of this room: try, and wait when it would block.
#pragma once

#include <airssys/rt/io.hpp>
#include <airssys/rt/net.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <expected>
#include <system_error>

#include "net/socket.hpp"

namespace airssys::rt::net {

inline Deadline deadline_of(Timeout timeout) {
  return timeout ? Deadline::after(*timeout) : Deadline::never();
}

// `attempt(fd)` answers a socket::Tried. Suspends while it would block.
template <class Attempt>
std::expected<std::size_t, std::error_code> retry(io::Handle& handle,
                                                  io::Direction direction,
                                                  Deadline deadline,
                                                  Attempt attempt) {
  for (;;) {
    io::checkpoint();
    const socket::Tried tried = attempt(handle.fd());
    if (tried.error == 0) return tried.value;
    if (!tried.would_block()) return std::unexpected(tried.code());
    if (const auto waited = handle.wait(direction, deadline); !waited)
      return std::unexpected(waited.error());
  }
}

// Connects a socket; suspends while the connection is made.
std::expected<void, std::error_code> connect(io::Handle& handle,
                                             const Address& address,
                                             Deadline deadline);

// The next connection's descriptor.
std::expected<io::Handle, std::error_code> accept(io::Handle& listener, Deadline deadline);

}  // namespace airssys::rt::net
