// address.hpp: socket addresses from text, and back.
//
// Numbers only: looking up names blocks, and is the caller's business. An empty host means every
// interface to a listener and this machine to who connects. IPv4 addresses that come through an
// IPv6 socket are printed as what they are.
#pragma once

#include <sys/socket.h>

#include <expected>
#include <string>
#include <string_view>
#include <system_error>

namespace airssys::rt::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

enum class Purpose : unsigned char { bind, connect };

// "127.0.0.1:7777", "[::1]:80", ":8080". invalid_argument for anything else.
std::expected<Address, std::error_code> parse_address(std::string_view text, Purpose purpose);

// A path, or an abstract name after '@'. invalid_argument when empty, filename_too_long.
std::expected<Address, std::error_code> parse_path(std::string_view path);

// "127.0.0.1:7777", "[::1]:80"; empty for what is no internet address.
std::string to_string(const Address& address);

}  // namespace airssys::rt::net
