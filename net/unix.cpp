// unix.cpp: stream sockets of this machine, named by paths.
#include <airssys/rt/net.hpp>

#include "net/address.hpp"
#include "net/retry.hpp"
#include "net/socket.hpp"

namespace airssys::rt::net {

std::expected<UnixStream, std::error_code> UnixStream::connect(std::string_view path,
                                                               Timeout timeout) {
  const Deadline deadline = deadline_of(timeout);
  const auto address = parse_path(path);
  if (!address) return std::unexpected(address.error());
  auto handle = socket::open(AF_UNIX);
  if (!handle) return std::unexpected(handle.error());
  if (const auto connected = net::connect(*handle, *address, deadline); !connected)
    return std::unexpected(connected.error());
  return UnixStream(std::move(*handle));
}

std::expected<UnixListener, std::error_code> UnixListener::bind(std::string_view path,
                                                                ListenOptions options) {
  const auto address = parse_path(path);
  if (!address) return std::unexpected(address.error());
  auto handle = socket::open(AF_UNIX);
  if (!handle) return std::unexpected(handle.error());
  if (const socket::Tried bound = socket::bind(handle->fd(), *address); bound.error != 0)
    return std::unexpected(bound.code());
  if (const socket::Tried listening = socket::listen(handle->fd(), options.backlog);
      listening.error != 0)
    return std::unexpected(listening.code());
  return UnixListener(std::move(*handle));
}

std::expected<UnixStream, std::error_code> UnixListener::accept(Timeout timeout) {
  auto handle = net::accept(handle_, deadline_of(timeout));
  if (!handle) return std::unexpected(handle.error());
  return UnixStream(std::move(*handle));
}

}  // namespace airssys::rt::net
