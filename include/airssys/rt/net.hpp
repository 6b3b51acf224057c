// net.hpp: TCP and Unix sockets, used as if they blocked.
//
// Each call tries the system first and suspends the calling process alone when it must wait; a
// plain thread blocks. What goes wrong outside (reset, refused, in use) is answered as an error
// code, never thrown; timed_out is the answer when a time-out passes, and then nothing was lost:
// what was not read is still there. A stream belongs to one process at a time and closes with its
// owner.
//
// Addresses are numbers, not names: "127.0.0.1:7777", "[::1]:80", ":8080" (every interface), port 0
// for any free one. Look names up with rt::blocking, or before the runtime starts.
#pragma once

#include <airssys/rt/io.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace airssys::rt::net {

// How long a call may wait; without one it waits for ever. A negative one throws BadArgument.
using Timeout = std::optional<Duration>;

// Bytes in both directions over one connection.
class Stream {
 public:
  Stream() noexcept = default;  // not connected: every call answers bad_file_descriptor

  // What has come, at least one byte and at most buffer.size(); 0 when the other side has ended its
  // writing, or when the buffer is empty. Suspends.
  std::expected<std::size_t, std::error_code> read_some(std::span<std::byte> buffer,
                                                        Timeout timeout = {});

  // Writes what fits now, at least one byte. broken_pipe when the other side is gone. Suspends.
  std::expected<std::size_t, std::error_code> write_some(std::span<const std::byte> bytes,
                                                         Timeout timeout = {});

  // Writes everything. After an error it is unknown how much has gone: close the stream. Suspends.
  std::expected<void, std::error_code> write_all(std::span<const std::byte> bytes,
                                                 Timeout timeout = {});

  // Tells the other side that no more comes; reading goes on. Does not suspend.
  std::expected<void, std::error_code> shutdown_write();

  // What is written and not yet sent still goes out. Does not suspend; may be called again.
  void close() noexcept { handle_.close(); }

  bool is_open() const noexcept { return static_cast<bool>(handle_); }

  // For options and calls that are not here; the descriptor stays non-blocking and ours.
  io::Handle& handle() noexcept { return handle_; }

 protected:
  // What a read shows that brings fewer bytes than there was room for.
  enum class ShortRead : bool { may_have_left_some, has_read_all };

  Stream(io::Handle handle, ShortRead short_read) noexcept
      : handle_(std::move(handle)), short_read_(short_read) {}
  int fd() const noexcept { return handle_.fd(); }

 private:
  io::Handle handle_;
  ShortRead short_read_ = ShortRead::may_have_left_some;
};

class TcpStream : public Stream {
 public:
  TcpStream() noexcept = default;

  // Connects, with nodelay on. connection_refused, network_unreachable, timed_out, ...;
  // invalid_argument for an address that is none. Suspends.
  static std::expected<TcpStream, std::error_code> connect(std::string_view address,
                                                           Timeout timeout = {});

  // Whether small writes go out at once (on at first) or wait to be joined.
  std::expected<void, std::error_code> set_nodelay(bool is_on);

  // "127.0.0.1:40112"; empty when the stream is not connected.
  std::string local_address() const;
  std::string peer_address() const;

 private:
  friend class TcpListener;
  explicit TcpStream(io::Handle handle) noexcept
      : Stream(std::move(handle), ShortRead::has_read_all) {}
};

struct ListenOptions {
  int backlog = 1024;       // connections that wait to be accepted; the system may allow fewer
  bool reuse_port = false;  // several listeners share the port, the system spreads connections
};

class TcpListener {
 public:
  TcpListener() noexcept = default;

  // address_in_use, permission_denied, ...; invalid_argument for an address that is none. A port is
  // free again as soon as its listener is closed. Does not suspend.
  static std::expected<TcpListener, std::error_code> bind(std::string_view address,
                                                          ListenOptions options = {});

  // The next connection, with nodelay on. Connections that broke while they waited are skipped;
  // too_many_files_open and the like are answered: wait a little and call again. Suspends.
  std::expected<TcpStream, std::error_code> accept(Timeout timeout = {});

  // With the port that was chosen for port 0; empty when closed.
  std::string local_address() const;

  void close() noexcept { handle_.close(); }
  bool is_open() const noexcept { return static_cast<bool>(handle_); }
  io::Handle& handle() noexcept { return handle_; }

 private:
  explicit TcpListener(io::Handle handle) noexcept : handle_(std::move(handle)) {}

  io::Handle handle_;
};

// Stream sockets in the file system; a path that begins with '@' is an abstract one.
class UnixStream : public Stream {
 public:
  UnixStream() noexcept = default;
  // no_such_file_or_directory, filename_too_long, connection_refused (also when the listener's
  // queue is full), ... Suspends.
  static std::expected<UnixStream, std::error_code> connect(std::string_view path,
                                                            Timeout timeout = {});

 private:
  friend class UnixListener;
  // A read ends where descriptors or other credentials were sent along.
  explicit UnixStream(io::Handle handle) noexcept
      : Stream(std::move(handle), ShortRead::may_have_left_some) {}
};

class UnixListener {
 public:
  UnixListener() noexcept = default;

  // The path must be free: a socket file that nobody listens at any more is the caller's to remove,
  // and so is this one in the end. Does not suspend.
  static std::expected<UnixListener, std::error_code> bind(std::string_view path,
                                                           ListenOptions options = {});
  // As TcpListener::accept. Suspends.
  std::expected<UnixStream, std::error_code> accept(Timeout timeout = {});

  void close() noexcept { handle_.close(); }
  bool is_open() const noexcept { return static_cast<bool>(handle_); }
  io::Handle& handle() noexcept { return handle_; }

 private:
  explicit UnixListener(io::Handle handle) noexcept : handle_(std::move(handle)) {}

  io::Handle handle_;
};

}  // namespace airssys::rt::net
