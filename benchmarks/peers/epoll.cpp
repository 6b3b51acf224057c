// epoll.cpp: an echo over TCP as a plain loop over epoll, without any runtime: what is possible.
//
//   epoll echo      prints "P port", echoes until standard input ends; "S" for other workloads
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>

namespace {

int epoll_of_all = -1;
std::unordered_map<int, std::string> unsent;  // of connections whose peer reads slowly

void watch(int fd, unsigned events, int how) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_of_all, how, fd, &event);
}

void end(int fd) {
  unsent.erase(fd);
  close(fd);
}

// What does not fit is kept, and nothing more is read until it has gone.
void write_out(int fd, const char* bytes, size_t size) {
  const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return end(fd);
  const size_t gone = sent < 0 ? 0 : static_cast<size_t>(sent);
  if (gone == size) return;
  unsent[fd] = std::string(bytes + gone, size - gone);
  watch(fd, EPOLLOUT, EPOLL_CTL_MOD);
}

void go_on_writing(int fd) {
  const std::string rest = std::move(unsent[fd]);
  unsent.erase(fd);
  watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  write_out(fd, rest.data(), rest.size());
}

void echo(int fd) {
  char buffer[4096];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got > 0) return write_out(fd, buffer, static_cast<size_t>(got));
  if (got == 0 || errno != EAGAIN) end(fd);
}

void accept_one(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(fd, EPOLLIN, EPOLL_CTL_ADD);
}

int listen_anywhere() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener, 4096);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("P %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::strncmp(argv[1], "echo", 4) != 0) return std::puts("S") < 0;
  epoll_of_all = epoll_create1(EPOLL_CLOEXEC);
  const int listener = listen_anywhere();
  watch(listener, EPOLLIN, EPOLL_CTL_ADD);
  watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
  for (epoll_event events[256];;) {
    const int ready = epoll_wait(epoll_of_all, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd == listener) {
        accept_one(listener);
      } else if (events[i].events & EPOLLOUT) {
        go_on_writing(fd);
      } else {
        echo(fd);
      }
    }
  }
}
