// socket.hpp: the system calls on sockets, each with its errno in hand.
//
// errno belongs to the thread, and a process that waits may go on in another one; a compiler that
// sees two uses of errno in one function may look up its address once. So each call here is a
// function that is not inlined, and nobody else in this room touches errno.
#pragma once

#include <airssys/rt/io.hpp>
#include <cstddef>
#include <expected>
#include <span>
#include <system_error>

#include "net/address.hpp"

namespace airssys::rt::net::socket {

// What a call answered: a value, or an errno.
struct Tried {
  std::size_t value = 0;
  int error = 0;

  bool would_block() const noexcept;
  std::error_code code() const noexcept { return {error, std::system_category()}; }
};

Tried receive(int fd, std::span<std::byte> buffer) noexcept;
Tried send(int fd, std::span<const std::byte> bytes) noexcept;  // never raises SIGPIPE
// The value is a non-blocking descriptor. Connections that broke while they waited are skipped.
Tried accept(int fd) noexcept;
// would_block when it goes on in the background: wait until writable, then ask `connected`.
Tried connect(int fd, const Address& address) noexcept;
// would_block when it still goes on: the wait ended for nothing.
Tried connected(int fd) noexcept;
Tried shutdown_write(int fd) noexcept;
Tried bind(int fd, const Address& address) noexcept;
Tried listen(int fd, int backlog) noexcept;
Tried set_option(int fd, int level, int option, int value) noexcept;

// A non-blocking stream socket that is closed on exec.
std::expected<io::Handle, std::error_code> open(int family) noexcept;

// Empty when it has none.
std::string local_address(int fd);
std::string peer_address(int fd);

}  // namespace airssys::rt::net::socket
