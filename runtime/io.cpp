// io.cpp: a process waits for a descriptor, and readiness becomes a wake.
//
//   try the call ─▶ EAGAIN ─▶ Handle::wait ─▶ arm ─┬─ ready: an edge had come: try again
//                                                  └─ waiting ─▶ the process rests ◀─ edge ─ poller
//
// The descriptor is registered at its first wait: most accepted connections that are served at once
// never cost the poller a system call, and a listener can be bound before the runtime starts.
#include <poll.h>
#include <unistd.h>
#include <airssys/rt/io.hpp>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/system.hpp"
#include "runtime/wait.hpp"
#include "scheduler/poller.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::io {

namespace {

using runtime::WaitReason;
using scheduler::Armed;
using scheduler::Poller;
using scheduler::Source;

constexpr std::int64_t ns_per_second = 1'000'000'000;

std::unexpected<std::error_code> failure(std::errc error) {
  return std::unexpected(std::make_error_code(error));
}

class ReadinessWait final : public runtime::Wait, private scheduler::Waiter {
 public:
  ReadinessWait(runtime::Process& process, Source& source, scheduler::Direction direction) noexcept
      : Wait(process), source_(source), direction_(direction) {
    ready = [](Waiter& waiter) noexcept { static_cast<ReadinessWait&>(waiter).waker.wake(); };
  }
  ~ReadinessWait() { finish(); }

  Armed arm() noexcept {
    const Armed armed = Poller::arm(source_, direction_, *this);
    is_armed_ = armed == Armed::waiting;
    return armed;
  }

 private:
  bool disarm() noexcept override { return Poller::disarm(source_, direction_, *this); }

  Source& source_;
  const scheduler::Direction direction_;
};

// The descriptor's registration with this runtime; one with another runtime, which may be gone,
// ends.
std::expected<Source*, std::error_code> source_for(Poller& poller, int fd, void*& registration) {
  auto* source = static_cast<Source*>(registration);
  if (source != nullptr && source->poller() == &poller) return source;
  if (source != nullptr) Poller::remove(*source);
  registration = nullptr;
  const auto added = poller.add(fd);
  if (added) registration = *added;
  return added;
}

std::expected<void, std::error_code> wait_as_process(int fd,
                                                     void*& registration,
                                                     Direction direction,
                                                     Deadline deadline) {
  runtime::Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const runtime::Call call(process);
  if (runtime::is_unwinding(process)) return failure(std::errc::operation_canceled);
  const auto source = source_for(call.system().poller, fd, registration);
  if (!source) return std::unexpected(source.error());
  const bool reads = direction == Direction::read;
  ReadinessWait wait(
      process, **source, reads ? scheduler::Direction::read : scheduler::Direction::write);
  switch (wait.arm()) {
    case Armed::ready:
      return {};
    case Armed::taken:
      return failure(std::errc::device_or_resource_busy);
    case Armed::waiting:
      break;
  }
  const WaitReason reason = reads ? WaitReason::readable : WaitReason::writable;
  if (runtime::wait_for(process, wait.waker, reason, timeout)) return {};
  return failure(runtime::is_unwinding(process) ? std::errc::operation_canceled
                                                : std::errc::timed_out);
}

// A thread of the program's own, which may block.
std::expected<void, std::error_code> wait_as_thread(int fd,
                                                    Direction direction,
                                                    Deadline deadline) {
  const short events = direction == Direction::read ? POLLIN : POLLOUT;
  for (;;) {
    timespec timeout{};
    if (!deadline.is_never()) {
      const std::int64_t left_ns = deadline.remaining().count();
      if (left_ns == 0) return failure(std::errc::timed_out);
      timeout = {.tv_sec = static_cast<time_t>(left_ns / ns_per_second),
                 .tv_nsec = static_cast<long>(left_ns % ns_per_second)};
    }
    pollfd waited{.fd = fd, .events = events, .revents = 0};
    const int count = ppoll(&waited, 1, deadline.is_never() ? nullptr : &timeout, nullptr);
    if (count > 0) return {};
    if (count < 0 && errno != EINTR)
      return std::unexpected(std::error_code(errno, std::system_category()));
  }
}

}  // namespace

void checkpoint() {
  if (scheduler::Thread::current() == nullptr) return;
  const runtime::Call call(runtime::Call::Kind::plain);
  call.charge(scheduler::slice_reductions / 100);
  call.safe_point();
}

bool Handle::is_empty() const noexcept {
  const auto* source = static_cast<const Source*>(source_);
  return is_empty_ && !(source != nullptr && source->last_edge_came());
}

std::expected<void, std::error_code> Handle::wait(Direction direction, Deadline deadline) {
  if (direction == Direction::read) is_empty_ = false;
  if (fd_ < 0) return failure(std::errc::bad_file_descriptor);
  if (scheduler::Thread::current() == nullptr) return wait_as_thread(fd_, direction, deadline);
  return wait_as_process(fd_, source_, direction, deadline);
}

void Handle::close() noexcept {
  if (fd_ < 0) return;
  const scheduler::Thread* thread = scheduler::Thread::current();
  // In a forked child a process's thread may enter nothing any more.
  if (source_ != nullptr && !(thread && thread->pool().is_orphaned())) {
    // Inside, for removing it wakes whoever waits here against the rules.
    std::optional<runtime::Call> call;
    if (thread != nullptr) call.emplace(runtime::Call::Kind::plain);
    Poller::remove(*static_cast<Source*>(std::exchange(source_, nullptr)));
  }
  ::close(std::exchange(fd_, -1));
}

}  // namespace airssys::rt::io
