// io.hpp: waiting for a file descriptor without holding a scheduler.
//
// The way to read and write: try the system call; when it answers EAGAIN, wait here; try again. A
// wait may end although nothing is ready, so the system call alone tells the truth. Hang-ups and
// errors count as ready.
//
// A stream that a read has emptied need not be tried once more: see note_empty.
//
//   for (;;) {
//     rt::io::checkpoint();
//     ssize_t got = ::read(handle.fd(), data, size);
//     if (got >= 0 || errno != EAGAIN) return got;
//     if (auto waited = rt::io::wait_readable(handle, deadline); !waited) return waited.error();
//   }
//
// The process may go on in another thread after checkpoint and after a wait, and errno belongs to
// the thread: read it right after the call, in a function that is not inlined into the loop.
//
// A process that waits suspends alone: others run on its scheduler, its mail and links are served,
// and it can be ended. A plain thread may call everything here too, and blocks.
#pragma once

#include <airssys/rt/time.hpp>
#include <expected>
#include <system_error>

namespace airssys::rt::io {

enum class Direction : unsigned char { read, write };

// Before each try: a safe point, so that a process whose descriptors are always ready is fair and
// can be ended all the same (Z1). Charges a hundredth of a slice. May suspend. Nothing on a plain
// thread.
void checkpoint();

// Owns a non-blocking descriptor that can be waited for: a socket, a pipe, an eventfd, not a plain
// file. It belongs to one process or thread at a time; its runtime hears of it at the first wait.
// It may outlive that runtime and be used in another one.
class Handle {
 public:
  Handle() noexcept = default;
  // Takes the descriptor over. Requires: it is non-blocking (O_NONBLOCK); a blocking one would
  // block the scheduler in the try that comes before each wait.
  explicit Handle(int fd) noexcept : fd_(fd) {}
  Handle(Handle&& other) noexcept
      : fd_(other.fd_), is_empty_(other.is_empty_), source_(other.source_) {
    other.forget();
  }
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.fd_;
      is_empty_ = other.is_empty_;
      source_ = other.source_;
      other.forget();
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close(); }

  int fd() const noexcept { return fd_; }  // -1 when it owns nothing
  explicit operator bool() const noexcept { return fd_ >= 0; }

  // Closes the descriptor; nothing happens the second time.
  void close() noexcept;

  // Waits until the descriptor may be ready. Fails with timed_out at the deadline and with
  // bad_file_descriptor after close. Suspends a process, and fails there with operation_canceled in
  // the destructors of one that is being ended (Z3), with device_or_resource_busy when another
  // waits in this direction, and with what epoll says of descriptors that cannot be waited for.
  // Blocks a plain thread.
  std::expected<void, std::error_code> wait(Direction direction, Deadline deadline = {});

  // After a read that took all there was, as TCP shows by bringing fewer bytes than there was room
  // for: as good as the EAGAIN of one more try. The next read may begin with a wait then.
  void note_empty() noexcept { is_empty_ = true; }
  // Nothing has come since note_empty, as far as is known, and something that comes would end a
  // wait. False again when a wait to read has begun, and for good when the other side has ended.
  bool is_empty() const noexcept;

 private:
  void forget() noexcept {
    fd_ = -1;
    is_empty_ = false;
    source_ = nullptr;
  }

  int fd_ = -1;
  bool is_empty_ = false;
  void* source_ = nullptr;  // the runtime's registration; null before the first wait
};

inline std::expected<void, std::error_code> wait_readable(Handle& handle, Deadline deadline = {}) {
  return handle.wait(Direction::read, deadline);
}
inline std::expected<void, std::error_code> wait_writable(Handle& handle, Deadline deadline = {}) {
  return handle.wait(Direction::write, deadline);
}

}  // namespace airssys::rt::io
