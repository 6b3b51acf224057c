// poller.hpp: who waits for which file descriptor, and the bed in which one idle thread sleeps.
//
// A descriptor is registered once, edge-triggered, for both directions. Whoever wants to read or
// write tries the system call first and arms only after EAGAIN; an edge that came in between is
// kept, so nothing is missed and nothing is asked twice (readiness.hpp). Linux epoll stands behind
// this door; io_uring's poll requests would fit behind it as well.
//
// A read that has emptied its socket stands for an EAGAIN: what comes behind it makes a new edge,
// unless the last one came before it (last_edge_came).
//
// Sources are type-stable, and
//   P3 a source that was removed is not given out again before the next poll begins. A removed
//      descriptor gives no new events, and only one thread polls: so the batch that was in flight
//      at that time is through, and a late event never touches a new owner.
// A generation in epoll's data would not do that: its check and the edge are two steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "scheduler/readiness.hpp"

struct epoll_event;  // NOLINT(readability-identifier-naming): the system's name

namespace airssys::rt::scheduler {

enum class Direction : std::uint8_t { read, write };

class Poller;
struct SourceChunk;

// One registered descriptor.
class Source {
 public:
  int fd() const noexcept { return fd_; }
  // Null when the poller is gone: the source can only be removed then.
  Poller* poller() const noexcept { return poller_; }
  // The other side has ended, the descriptor failed, or urgent data stands among the rest: of what
  // can still be read no further edge may tell. Never again false. Who was woken by that edge, or
  // found it kept, sees it.
  bool last_edge_came() const noexcept {
    return last_edge_came_.load(std::memory_order_relaxed);  // relaxed: Readiness brings it along
  }

 private:
  friend class Poller;
  Readiness& of(Direction direction) noexcept {
    return direction == Direction::read ? read_ : write_;
  }

  Poller* poller_ = nullptr;
  SourceChunk* chunk_ = nullptr;
  int fd_ = -1;  // -1: free
  base::Atomic<bool> last_edge_came_{false};
  Readiness read_;
  Readiness write_;
};

class Poller {
 public:
  static constexpr int somebody_else = -1;

  Poller();   // Throws std::system_error when the system has no descriptor left.
  ~Poller();  // Requires: nobody is inside. Sources that are left stay until they are removed.
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Registers a non-blocking descriptor. Fails with what epoll_ctl says: EPERM for a plain file,
  // EEXIST for one that is registered, ENOSPC beyond the user's limit. Any thread.
  std::expected<Source*, std::error_code> add(int fd);
  // Before the descriptor is closed. Who still waits is called as if it were ready. Also after the
  // poller's end, for descriptors that outlive it, but not during it. Any thread.
  static void remove(Source& source) noexcept;

  // In a child made by fork: its copy of this shares epoll with the parent's, so what is removed
  // here would be removed there. From now on nothing is.
  void orphan() noexcept {
    is_orphaned_.store(true, std::memory_order_relaxed);  // relaxed: nobody else is there
  }

  // As Readiness says. Any thread; no system call.
  [[nodiscard]] static Armed arm(Source& source, Direction direction, Waiter& waiter) noexcept {
    return source.of(direction).arm(waiter);
  }
  [[nodiscard]] static bool disarm(Source& source, Direction direction, Waiter& waiter) noexcept {
    return source.of(direction).disarm(waiter);
  }

  // Calls the Waiters of what has become ready; waits at most timeout_ns for the first of them (0:
  // only looks; negative: for ever) or until interrupt. Answers how many were called, or at once
  // somebody_else when another thread is inside. Any thread.
  int poll(std::int64_t timeout_ns) noexcept;

  // The same in two steps. Who has entered has the poller for itself until it leaves.
  // `awake` is called between the wait and the first Waiter: a thread that has left the runtime to
  // sleep here enters it again by that, since Waiters make tasks runnable.
  using Awake = void (*)(void* argument) noexcept;
  [[nodiscard]] bool enter() noexcept;  // false: another thread is inside
  int wait_and_leave(std::int64_t timeout_ns, Awake awake, void* argument) noexcept;
  void leave() noexcept;

  // Makes the thread inside poll return, or the next one that enters. Any thread; a system call
  // only for the first of several.
  void interrupt() noexcept;

  // How many descriptors are registered; a scheduler need not look here when there is none.
  std::size_t sources() const noexcept {
    return sources_.load(std::memory_order_relaxed);  // relaxed: who adds one tries its call first
  }

 private:
  static constexpr int events_max = 128;

  int wait(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept;
  int dispatch(std::span<const epoll_event> events) noexcept;
  void reclaim_removed() noexcept;
  Source& take_source();
  void give_back(Source& source) noexcept;
  bool is_orphaned() const noexcept {
    return is_orphaned_.load(std::memory_order_relaxed);  // relaxed: see orphan
  }

  // Fixed after construction.
  int epoll_ = -1;
  int wakeup_ = -1;  // an eventfd, edge-triggered: writing to it is enough, nobody reads it

  // Whoever is inside poll.
  bool has_pwait2_ = true;  // the kernel knows epoll_pwait2, whose time-out is in nanoseconds

  // Any thread, atomic.
  base::Atomic<bool> is_polled_{false};       // somebody has entered
  base::Atomic<bool> is_interrupted_{false};  // wakeup_ has been written since the last poll saw it
  base::Atomic<std::size_t> sources_{0};
  base::Atomic<bool> has_removed_{false};  // removed_ may not be empty
  base::Atomic<bool> is_orphaned_{false};

  base::Mutex mutex_{base::LockRank::poller};
  // Under mutex_.
  std::vector<std::unique_ptr<SourceChunk>> chunks_;
  std::vector<Source*> free_;
  std::vector<Source*> removed_;  // become free when the next poll begins (P3)
};

}  // namespace airssys::rt::scheduler
