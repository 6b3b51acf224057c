// tcp.cpp: what TCP adds: addresses with ports, and nodelay.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <airssys/rt/net.hpp>

#include <cerrno>

#include "net/address.hpp"
#include "net/retry.hpp"
#include "net/socket.hpp"

namespace airssys::rt::net {

namespace {

std::expected<void, std::error_code> outcome(socket::Tried tried) {
  if (tried.error != 0) return std::unexpected(tried.code());
  return {};
}

socket::Tried set_nodelay(int fd, bool is_on) {
  return socket::set_option(fd, IPPROTO_TCP, TCP_NODELAY, is_on ? 1 : 0);
}

std::expected<io::Handle, std::error_code> listen_at(const Address& address,
                                                     const ListenOptions& options) {
  std::expected<io::Handle, std::error_code> handle = socket::open(address.family());
  if (!handle) return handle;
  const int fd = handle->fd();
  // Its own earlier connections may still linger at this port; another listener may not.
  socket::set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reuse_port) socket::set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // Every interface is IPv4's too.
  if (address.family() == AF_INET6) socket::set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (const auto bound = outcome(socket::bind(fd, address)); !bound)
    return std::unexpected(bound.error());
  if (const auto listening = outcome(socket::listen(fd, options.backlog)); !listening)
    return std::unexpected(listening.error());
  return handle;
}

bool means_no_ipv6(std::error_code error) {
  return error == std::errc::address_family_not_supported ||
         error == std::errc::address_not_available;
}

}  // namespace

std::expected<TcpStream, std::error_code> TcpStream::connect(std::string_view address,
                                                             Timeout timeout) {
  const Deadline deadline = deadline_of(timeout);
  const auto parsed = parse_address(address, Purpose::connect);
  if (!parsed) return std::unexpected(parsed.error());
  auto handle = socket::open(parsed->family());
  if (!handle) return std::unexpected(handle.error());
  if (const auto connected = net::connect(*handle, *parsed, deadline); !connected)
    return std::unexpected(connected.error());
  net::set_nodelay(handle->fd(), true);  // fails only after a reset, which the next call tells
  return TcpStream(std::move(*handle));
}

std::expected<void, std::error_code> TcpStream::set_nodelay(bool is_on) {
  return outcome(net::set_nodelay(fd(), is_on));
}

std::string TcpStream::local_address() const {
  return socket::local_address(fd());
}
std::string TcpStream::peer_address() const {
  return socket::peer_address(fd());
}

std::expected<TcpListener, std::error_code> TcpListener::bind(std::string_view address,
                                                              ListenOptions options) {
  const auto parsed = parse_address(address, Purpose::bind);
  if (!parsed) return std::unexpected(parsed.error());
  auto handle = listen_at(*parsed, options);
  // A machine without IPv6: every interface is an IPv4 one.
  if (!handle && address.starts_with(':') && means_no_ipv6(handle.error())) {
    if (const auto v4 = parse_address("0.0.0.0" + std::string(address), Purpose::bind))
      handle = listen_at(*v4, options);
  }
  if (!handle) return std::unexpected(handle.error());
  return TcpListener(std::move(*handle));
}

std::expected<TcpStream, std::error_code> TcpListener::accept(Timeout timeout) {
  auto handle = net::accept(handle_, deadline_of(timeout));
  if (!handle) return std::unexpected(handle.error());
  net::set_nodelay(handle->fd(), true);  // fails only after a reset, which the next call tells
  return TcpStream(std::move(*handle));
}

std::string TcpListener::local_address() const {
  return socket::local_address(handle_.fd());
}

}  // namespace airssys::rt::net
