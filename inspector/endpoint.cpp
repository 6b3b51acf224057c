// endpoint.cpp: the directory, the socket file, and who may come in.
#include "inspector/endpoint.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <airssys/rt/error.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/assert.hpp"
#include "inspector/protocol.hpp"

namespace airssys::rt::inspector {

namespace {

constexpr int backlog = 16;

[[noreturn]] void fail(int error, const std::string& sentence) {
  throw std::system_error(error, std::generic_category(), "inspector: " + sentence);
}

// Makes the directory if it is not there. It must be a directory, ours, and closed to all others.
void make_private(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    fail(errno, "cannot make the directory " + directory);
  const Descriptor opened(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) fail(errno, "cannot open the directory " + directory);
  struct stat found{};
  if (::fstat(opened.get(), &found) != 0) fail(errno, "cannot look at " + directory);
  if (found.st_uid != ::geteuid() || (found.st_mode & 0077U) != 0)
    fail(EPERM, directory + " must belong to this user alone, with mode 0700");
}

std::string automatic_path() {
  const auto directories = socket_directories();
  for (const std::string& directory : directories) {
    try {
      make_private(directory);
      return directory + "/" + socket_name(program_invocation_short_name, ::getpid());
    } catch (const std::system_error&) {
      if (&directory == &directories.back()) throw;
    }
  }
  RT_UNREACHABLE("there is always a directory in /tmp");
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos)
    throw BadArgument("inspector: the path of a socket must not be empty or hold a zero byte");
  if (path.size() >= sizeof(address.sun_path))
    throw BadArgument("inspector: the path of a socket has at most 107 bytes, not " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Descriptor make_socket() {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) fail(errno, "cannot make a socket");
  return made;
}

// Holds the directory of the path, so that only one program at a time looks and replaces there.
Descriptor lock_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) fail(errno, "cannot open the directory " + directory);
  constexpr int tries = 200;
  constexpr useconds_t between_tries_us = 5'000;
  for (int i = 0; ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0; ++i) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail(errno, "cannot lock " + directory);
    if (i == tries) fail(EWOULDBLOCK, "somebody has kept the directory " + directory + " locked");
    ::usleep(between_tries_us);
  }
  return opened;
}

// A file stands in the way: goes if it is a socket that nobody answers.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) fail(errno, "cannot look at " + path);
  if (!S_ISSOCK(found.st_mode)) fail(EEXIST, path + " is there and is no socket");
  const Descriptor probe = make_socket();
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN)
    fail(EADDRINUSE, "another program listens at " + path);
  if (errno != ECONNREFUSED) fail(errno, "cannot tell whether anybody listens at " + path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    fail(errno, "cannot remove the stale " + path);
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Endpoint::Endpoint(std::string_view path) : maker_(::getpid()) {
  listen_at(path == "auto" ? automatic_path() : std::string(path));
}

void Endpoint::listen_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  const auto* bound = reinterpret_cast<const sockaddr*>(&address);
  Descriptor made = make_socket();
  // The file takes its mode from the socket: no moment in which others could open it, and the
  // program's umask is not touched.
  if (::fchmod(made.get(), 0600) != 0) fail(errno, "cannot set the mode of a socket");
  const Descriptor lock = lock_directory_of(path);
  if (::bind(made.get(), bound, sizeof(address)) != 0) {
    if (errno != EADDRINUSE) fail(errno, "cannot listen at " + path);
    remove_stale(path, address);
    if (::bind(made.get(), bound, sizeof(address)) != 0) fail(errno, "cannot listen at " + path);
  }
  if (::listen(made.get(), backlog) != 0 || ::lstat(path.c_str(), &file_) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    fail(error, "cannot listen at " + path);
  }
  listener_ = std::move(made);
  path_ = path;
}

Endpoint::~Endpoint() {
  struct stat found{};
  if (maker_ != ::getpid() || ::lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev == file_.st_dev && found.st_ino == file_.st_ino) ::unlink(path_.c_str());
}

bool is_permitted(int connection) noexcept {
  ucred peer{};
  socklen_t bytes = sizeof(peer);
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace airssys::rt::inspector
