// connection.cpp: a Unix socket with a time-out, frames, and what an answer may be.
#include "tools/inspect/connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace airssys::rt::inspect {

namespace {

std::string text_of(int error) {
  return std::generic_category().message(error);
}

}  // namespace

Connection::Connection(std::string path)
    : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) throw Failure("cannot make a socket: " + text_of(errno));
  const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  int error = ENAMETOOLONG;
  if (path_.size() < sizeof(address.sun_path)) {
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return;
    error = errno;
  }
  ::close(fd_);
  if (error == ECONNREFUSED) throw Dead(path_ + ": nobody listens here any more");
  throw Failure(path_ + ": " + text_of(error));
}

Connection::~Connection() {
  ::close(fd_);
}

nlohmann::json Connection::ask(const inspector::Request& request) {
  send(inspector::make_frame(inspector::to_text(request)));
  const auto answer = nlohmann::json::parse(receive(), nullptr, false);
  if (!answer.is_object()) fail("the answer is not the inspector's");
  if (const auto error = answer.find("error"); error != answer.end())
    throw Failure(error->value("text", "the program refuses, and does not say why"));
  if (answer.value("version", 0U) != inspector::protocol_version)
    fail("the program speaks another version of the inspector's protocol");
  return answer;
}

void Connection::send(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t sent = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent > 0) done += static_cast<std::size_t>(sent);
    // A program that had no room for us has said so before it closed: read that.
    if (sent < 0 && errno == EPIPE) return;
    if (sent < 0 && errno != EINTR) fail("the program does not listen: " + text_of(errno));
  }
}

std::string Connection::receive() {
  inspector::FrameReader frame(inspector::answer_bytes_max);
  std::array<char, 65536> buffer;
  while (!frame.is_complete()) {
    if (frame.is_too_long()) fail("the answer is not the inspector's");
    const ssize_t got = ::recv(fd_, buffer.data(), std::min(frame.wants(), buffer.size()), 0);
    if (got == 0) fail("the program has closed the connection");
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(errno == EAGAIN ? "no answer within " + std::to_string(patience.count()) + " s"
                           : text_of(errno));
    }
    frame.add({buffer.data(), static_cast<std::size_t>(got)});
  }
  return frame.take();
}

void Connection::fail(const std::string& why) const {
  throw Failure(path_ + ": " + why);
}

}  // namespace airssys::rt::inspect
