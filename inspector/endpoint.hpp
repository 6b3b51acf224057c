// endpoint.hpp: the Unix socket on which a program is looked into, and the file it leaves.
//
// Only its user gets in: the directory of "auto" is the user's own, mode 0700, and checked; the
// socket has mode 0600 from the moment it exists. A program that was killed leaves its file behind:
// a socket that nobody answers is replaced, one that is answered is an error. Two programs that
// start at the same time on one path take turns, by a lock on the directory. A forked child must
// not take the file away: only the process that made it does.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>

namespace airssys::rt::inspector {

// An open descriptor, closed at its end.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class Endpoint {
 public:
  // Listens at this path; "auto": in the first of socket_directories() that can be made, by the
  // program's name and process id. Throws BadArgument for a path that cannot be one, and
  // std::system_error with a sentence: in use, not permitted, a directory that is not ours alone.
  explicit Endpoint(std::string_view path);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  // Removes the file, if it is still this socket's.
  ~Endpoint();

  const std::string& path() const noexcept { return path_; }
  int listener() const noexcept { return listener_.get(); }

 private:
  void listen_at(const std::string& path);

  std::string path_;
  Descriptor listener_;
  pid_t maker_ = 0;
  struct stat file_{};
};

// Whether the other end of a connection is this program's user, or root.
bool is_permitted(int connection) noexcept;

}  // namespace airssys::rt::inspector
