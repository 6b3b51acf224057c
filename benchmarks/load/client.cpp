// client.cpp: connections that send and compare what comes back, one by one or many at once.
#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "../ours/bench.hpp"

namespace load {

namespace {

using bench::check;
using bench::now_ns;

constexpr std::size_t message_bytes = 64;

sockaddr_in loopback(std::uint32_t host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  return address;
}

template <class Value>
void set_option(int fd, int level, int option, Value value) {
  check(::setsockopt(fd, level, option, &value, sizeof value) == 0, "a socket's option is set");
}

void await(int fd, short events) {
  pollfd waiting{fd, events, 0};
  constexpr std::chrono::milliseconds limit = patience;
  check(::poll(&waiting, 1, static_cast<int>(limit.count())) == 1, "the program goes on");
}

// How many bytes went or came; none when it has to wait.
std::size_t moved(ssize_t result) {
  check(result > 0 || (result < 0 && errno == EAGAIN), "the connection stands");
  return result < 0 ? 0 : static_cast<std::size_t>(result);
}

// One of many connections: its message in flight.
struct Exchange {
  int fd = -1;
  std::uint64_t seed = 0;
  std::int64_t sent_at = 0;
  std::vector<std::byte> sent = {};
  std::array<std::byte, message_bytes> came = {};
  std::size_t came_bytes = 0;

  void send_next() {
    sent = text(message_bytes, seed++);
    came_bytes = 0;
    sent_at = now_ns();
    check(moved(::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL)) == message_bytes,
          "there is room for a message");
  }
  // Whether all of it has come.
  bool take() {
    came_bytes += moved(::recv(fd, &came[came_bytes], message_bytes - came_bytes, 0));
    if (came_bytes < message_bytes) return false;
    check(std::ranges::equal(came, sent), "each gets back what it has sent");
    return true;
  }
};

}  // namespace

Connection::Connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  static std::uint32_t turn = 0;
  check(fd_ >= 0, "there is a socket");
  set_option(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const sockaddr_in from = loopback(++turn % 16, 0);
  check(::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "it has a name");
  const sockaddr_in to = loopback(0, port);
  check(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "it is connected");
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
}

Connection::Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::exchange(std::span<const std::byte> bytes) const {
  std::vector<std::byte> came(bytes.size());
  std::size_t sent = 0;
  for (std::size_t got = 0; got < came.size();) {
    await(fd_, static_cast<short>(sent < bytes.size() ? POLLIN | POLLOUT : POLLIN));
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (sent < bytes.size())
      sent += moved(::send(fd_, bytes.data() + sent, bytes.size() - sent, flags));
    got += moved(::recv(fd_, came.data() + got, came.size() - got, flags));
  }
  check(std::ranges::equal(came, bytes), "what comes back is what was sent");
}

void Connection::end_in_halves() const {
  check(::shutdown(fd_, SHUT_WR) == 0, "one direction ends");
  await(fd_, POLLIN);
  char byte = 0;
  check(::recv(fd_, &byte, 1, 0) == 0, "the other side ends too");
}

void Connection::break_off() {
  set_option(fd_, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
  ::close(std::exchange(fd_, -1));
}

std::vector<std::byte> text(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<std::byte>(seed >> 56);
  }
  return bytes;
}

Answers exchange_for(std::span<const Connection> connections, std::chrono::milliseconds time) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Exchange> exchanges;
  for (const Connection& connection : connections)
    exchanges.push_back({.fd = connection.fd(), .seed = exchanges.size() << 32});
  for (Exchange& exchange : exchanges) {
    epoll_event interest{.events = EPOLLIN, .data = {.ptr = &exchange}};
    check(::epoll_ctl(epoll, EPOLL_CTL_ADD, exchange.fd, &interest) == 0, "it can be awaited");
  }
  Answers answers;
  const bench::Stopwatch watch;
  for (Exchange& exchange : exchanges) exchange.send_next();
  for (std::size_t in_flight = exchanges.size(); in_flight > 0;) {
    std::array<epoll_event, 256> events;
    constexpr std::chrono::milliseconds limit = patience;
    const int ready =
        ::epoll_wait(epoll, events.data(), events.size(), static_cast<int>(limit.count()));
    check(ready > 0, "the program answers");
    for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(ready))) {
      auto& exchange = *static_cast<Exchange*>(event.data.ptr);
      if (!exchange.take()) continue;
      answers.ns.push_back(now_ns() - exchange.sent_at);
      if (watch.ms() < static_cast<double>(time.count())) {
        exchange.send_next();
      } else {
        --in_flight;
      }
    }
  }
  answers.seconds = watch.seconds();
  ::close(epoll);
  return answers;
}

}  // namespace load
