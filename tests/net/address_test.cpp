// address_test.cpp: texts that are addresses, texts that are none, and the way back.
//
// Nothing here touches the network.
#include "net/address.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

namespace airssys::rt::net {
namespace {

std::string round_trip(std::string_view text, Purpose purpose = Purpose::connect) {
  const auto address = parse_address(text, purpose);
  return address ? to_string(*address) : address.error().message();
}

TEST(AddressTest, numbers_come_back_as_they_were) {
  for (const char* text :
       {"127.0.0.1:7777", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[fe80::1:2]:8080"})
    EXPECT_EQ(round_trip(text), text);
}

TEST(AddressTest, an_empty_host_is_every_interface_or_this_machine) {
  EXPECT_EQ(round_trip(":8080", Purpose::bind), "[::]:8080");
  EXPECT_EQ(round_trip(":8080", Purpose::connect), "127.0.0.1:8080");
}

TEST(AddressTest, an_ipv4_address_inside_ipv6_is_printed_as_what_it_is) {
  EXPECT_EQ(round_trip("[::ffff:10.0.0.7]:99"), "10.0.0.7:99");
}

TEST(AddressTest, what_is_no_address_is_refused_and_nothing_is_looked_up) {
  for (const char* text : {"",
                           ":",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1: 1",
                           "127.0.0.1:000080",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[127.0.0.1]:80",
                           "localhost:80",
                           "*:80",
                           "example.com:80",
                           "1.2.3.4.5:80",
                           "[]:80"})
    EXPECT_EQ(parse_address(text, Purpose::connect).error(), std::errc::invalid_argument) << text;
}

TEST(AddressTest, a_path_fits_or_is_refused) {
  const auto address = parse_path("/run/x.sock");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->family(), AF_UNIX);
  EXPECT_STREQ(reinterpret_cast<const sockaddr_un&>(address->storage).sun_path, "/run/x.sock");
  EXPECT_EQ(to_string(*address), "") << "it is no internet address";
  EXPECT_EQ(parse_path("").error(), std::errc::invalid_argument);
  EXPECT_TRUE(parse_path(std::string(sizeof(sockaddr_un::sun_path) - 1, 'x')));
  EXPECT_EQ(parse_path(std::string(sizeof(sockaddr_un::sun_path), 'x')).error(),
            std::errc::filename_too_long);
}

TEST(AddressTest, an_abstract_name_ends_with_its_last_character) {
  const auto address = parse_path("@name");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->bytes, sizeof(sa_family_t) + 5);
  EXPECT_EQ(reinterpret_cast<const sockaddr_un&>(address->storage).sun_path[0], '\0');
}

}  // namespace
}  // namespace airssys::rt::net
