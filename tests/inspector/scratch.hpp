// scratch.hpp: a directory of a test's own, and a client that speaks frames.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "inspector/endpoint.hpp"
#include "inspector/protocol.hpp"

namespace airssys::rt::inspector {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    char name[] = "/tmp/airs-test-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    path_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A client without time-outs: a test that hangs is ended by its runner.
class TestClient {
 public:
  explicit TestClient(const std::string& path)
      : connection_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    is_connected_ =
        ::connect(
            connection_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  bool is_connected() const { return is_connected_; }
  int fd() const { return connection_.get(); }

  // Whether all of it was taken.
  bool send(std::string_view bytes) {
    return ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // The body of the next frame; nothing when the connection is closed before it is whole.
  std::optional<std::string> receive() {
    FrameReader reader(answer_bytes_max);
    std::string buffer(65536, '\0');
    while (!reader.is_complete()) {
      const ssize_t got =
          ::recv(connection_.get(), buffer.data(), std::min(reader.wants(), buffer.size()), 0);
      if (got <= 0) return std::nullopt;
      reader.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    }
    return reader.take();
  }
  std::optional<std::string> ask(std::string_view request) {
    return send(make_frame(request)) ? receive() : std::nullopt;
  }
  std::optional<std::string> ask(const Request& request) { return ask(to_text(request)); }

 private:
  Descriptor connection_;
  bool is_connected_ = false;
};

}  // namespace airssys::rt::inspector
