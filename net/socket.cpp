// socket.cpp: one function for each system call; EINTR is tried again.
#include "net/socket.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>

namespace airssys::rt::net::socket {

namespace {

Tried tried(ssize_t result) noexcept {
  if (result < 0) return {.error = errno};
  return {.value = static_cast<std::size_t>(result)};
}

// What accept(2) says of a connection that was gone before it was accepted.
bool is_of_the_connection(int error) noexcept {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Tried::would_block() const noexcept {
  return error == EAGAIN || error == EWOULDBLOCK;
}

[[gnu::noinline]] Tried receive(int fd, std::span<std::byte> buffer) noexcept {
  for (;;) {
    const Tried got = tried(recv(fd, buffer.data(), buffer.size(), 0));
    if (got.error != EINTR) return got;
  }
}

[[gnu::noinline]] Tried send(int fd, std::span<const std::byte> bytes) noexcept {
  for (;;) {
    const Tried sent = tried(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    if (sent.error != EINTR) return sent;
  }
}

[[gnu::noinline]] Tried accept(int fd) noexcept {
  for (;;) {
    const Tried accepted = tried(accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!is_of_the_connection(accepted.error)) return accepted;
  }
}

[[gnu::noinline]] Tried connect(int fd, const Address& address) noexcept {
  Tried begun = tried(::connect(fd, address.data(), address.bytes));
  // Interrupted, it goes on as well.
  if (begun.error == EINPROGRESS || begun.error == EINTR) return {.error = EAGAIN};
  // On a Unix socket EAGAIN means that the listener's queue is full, and nothing goes on.
  if (begun.error == EAGAIN) begun.error = ECONNREFUSED;
  return begun;
}

[[gnu::noinline]] Tried connected(int fd) noexcept {
  int error = 0;
  socklen_t bytes = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return {.error = errno};
  if (error != 0) return {.error = error};
  Address peer;
  peer.bytes = sizeof peer.storage;
  const Tried asked = tried(getpeername(fd, peer.data(), &peer.bytes));
  return asked.error == ENOTCONN ? Tried{.error = EAGAIN} : asked;
}

[[gnu::noinline]] Tried shutdown_write(int fd) noexcept {
  return tried(shutdown(fd, SHUT_WR));
}

[[gnu::noinline]] Tried bind(int fd, const Address& address) noexcept {
  return tried(::bind(fd, address.data(), address.bytes));
}

[[gnu::noinline]] Tried listen(int fd, int backlog) noexcept {
  return tried(::listen(fd, backlog));
}

[[gnu::noinline]] Tried set_option(int fd, int level, int option, int value) noexcept {
  return tried(setsockopt(fd, level, option, &value, sizeof value));
}

[[gnu::noinline]] std::expected<io::Handle, std::error_code> open(int family) noexcept {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(std::error_code(errno, std::system_category()));
  return io::Handle(fd);
}

std::string local_address(int fd) {
  Address address;
  address.bytes = sizeof address.storage;
  return getsockname(fd, address.data(), &address.bytes) == 0 ? to_string(address) : "";
}

std::string peer_address(int fd) {
  Address address;
  address.bytes = sizeof address.storage;
  return getpeername(fd, address.data(), &address.bytes) == 0 ? to_string(address) : "";
}

}  // namespace airssys::rt::net::socket
