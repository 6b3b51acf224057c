// address.cpp: through getaddrinfo and getnameinfo, told to look nothing up.
#include "net/address.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

namespace airssys::rt::net {

namespace {

std::unexpected<std::error_code> failure(std::errc error) {
  return std::unexpected(std::make_error_code(error));
}

struct HostAndPort {
  std::string host;
  std::string port;
};

bool is_port(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
  unsigned number = 0;
  for (const char c : text) number = number * 10 + static_cast<unsigned>(c - '0');
  return number <= 65'535;
}

std::optional<HostAndPort> split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // which of its colons begins the port?
  }
  return HostAndPort{std::string(host), std::string(text.substr(colon + 1))};
}

// ::ffff:1.2.3.4 becomes 1.2.3.4.
Address unmapped(const Address& address) {
  if (address.family() != AF_INET6) return address;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  Address plain;
  auto& v4 = reinterpret_cast<sockaddr_in&>(plain.storage);
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  plain.bytes = sizeof v4;
  return plain;
}

}  // namespace

std::expected<Address, std::error_code> parse_address(std::string_view text, Purpose purpose) {
  const std::optional<HostAndPort> parts = split(text);
  if (!parts) return failure(std::errc::invalid_argument);
  Address address;
  if (parts->host.empty() && purpose == Purpose::bind) {
    auto& any = reinterpret_cast<sockaddr_in6&>(address.storage);
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<std::uint16_t>(std::stoul(parts->port)));
    address.bytes = sizeof any;
    return address;
  }
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (parts->host == "*") return failure(std::errc::invalid_argument);  // loopback, to getaddrinfo
  const char* const host = parts->host.empty() ? "127.0.0.1" : parts->host.c_str();
  if (getaddrinfo(host, parts->port.c_str(), &wanted, &found) != 0)
    return failure(std::errc::invalid_argument);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  return address;
}

std::expected<Address, std::error_code> parse_path(std::string_view path) {
  Address address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty()) return failure(std::errc::invalid_argument);
  if (path.size() >= sizeof local.sun_path) return failure(std::errc::filename_too_long);
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, path.size());
  const bool is_abstract = path.front() == '@';
  if (is_abstract) local.sun_path[0] = '\0';
  // The final zero belongs to a path; in an abstract name it would be one more character.
  address.bytes =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return address;
}

std::string to_string(const Address& address) {
  const Address shown = unmapped(address);
  if (shown.family() != AF_INET && shown.family() != AF_INET6) return {};
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(shown.data(),
                  shown.bytes,
                  host.data(),
                  host.size(),
                  port.data(),
                  port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {};
  const bool is_v6 = shown.family() == AF_INET6;
  return (is_v6 ? "[" : "") + std::string(host.data()) + (is_v6 ? "]:" : ":") + port.data();
}

}  // namespace airssys::rt::net
