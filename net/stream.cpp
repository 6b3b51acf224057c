// stream.cpp: what TCP and Unix sockets do alike: bytes, connecting, accepting.
#include <airssys/rt/net.hpp>

#include "net/retry.hpp"
#include "net/socket.hpp"

namespace airssys::rt::net {

std::expected<std::size_t, std::error_code> Stream::read_some(std::span<std::byte> buffer,
                                                              Timeout timeout) {
  const Deadline deadline = deadline_of(timeout);
  if (buffer.empty() && is_open()) return 0;
  // A wait that fails says nothing of what has come meanwhile: the try behind it does.
  if (handle_.is_empty()) static_cast<void>(handle_.wait(io::Direction::read, deadline));
  const auto got = retry(handle_, io::Direction::read, deadline, [buffer](int fd) {
    return socket::receive(fd, buffer);
  });
  const bool is_short = got.value_or(0) > 0 && *got < buffer.size();
  if (is_short && short_read_ == ShortRead::has_read_all) handle_.note_empty();
  return got;
}

std::expected<std::size_t, std::error_code> Stream::write_some(std::span<const std::byte> bytes,
                                                               Timeout timeout) {
  return retry(handle_, io::Direction::write, deadline_of(timeout), [bytes](int fd) {
    return socket::send(fd, bytes);
  });
}

std::expected<void, std::error_code> Stream::write_all(std::span<const std::byte> bytes,
                                                       Timeout timeout) {
  const Deadline deadline = deadline_of(timeout);
  while (!bytes.empty()) {
    const auto written = retry(handle_, io::Direction::write, deadline, [bytes](int fd) {
      return socket::send(fd, bytes);
    });
    if (!written) return std::unexpected(written.error());
    bytes = bytes.subspan(*written);
  }
  return {};
}

std::expected<void, std::error_code> Stream::shutdown_write() {
  const socket::Tried tried = socket::shutdown_write(handle_.fd());
  if (tried.error != 0) return std::unexpected(tried.code());
  return {};
}

std::expected<void, std::error_code> connect(io::Handle& handle,
                                             const Address& address,
                                             Deadline deadline) {
  io::checkpoint();
  const socket::Tried begun = socket::connect(handle.fd(), address);
  if (begun.error == 0) return {};
  if (!begun.would_block()) return std::unexpected(begun.code());
  // A socket that connects is not writable yet, so the first look is wasted; it tells late wakes
  // apart all the same.
  const auto done =
      retry(handle, io::Direction::write, deadline, [](int fd) { return socket::connected(fd); });
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<io::Handle, std::error_code> accept(io::Handle& listener, Deadline deadline) {
  const auto fd =
      retry(listener, io::Direction::read, deadline, [](int from) { return socket::accept(from); });
  if (!fd) return std::unexpected(fd.error());
  return io::Handle(static_cast<int>(*fd));
}

}  // namespace airssys::rt::net
