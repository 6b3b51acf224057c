// poller.hpp: who waits for which file descriptor, and the bed in which one idle thread sleeps.
//
// A descriptor is registered once, edge-triggered, for both directions. Whoever wants to read or
// write tries the system call first and arms the poller only after EAGAIN; an edge that came in
// between is kept, so nothing is missed and nothing is asked twice. Linux epoll stands behind this
// door (poller.cpp); io_uring's poll requests fit behind it as well.
//
// States      of one direction: idle | ready (an edge nobody has used) | waiting (the Waiter's
// address)
//
//             arm: idle ─▶ waiting, or uses up ready ─▶ idle and answers so
//             disarm: waiting ─▶ idle
//             edge: idle ─▶ ready, or waiting ─▶ idle and calls Waiter::ready; ready stays
//
// Roles       edge: the thread inside poll. arm, disarm: whoever waits, one at a time per
// direction. Invariants  P1 a Waiter that was armed is either disarmed or called, never both, never
// twice.
//             P2 an edge after a failed try is seen by the arm that follows it or calls its Waiter.
//             P3 a source that was removed is not given out again before the batch of events that
//             was in flight at that time is through: a late event never touches a new owner.
// Orders      each move is one read-modify-write of the direction's word; arm releases the Waiter,
//             the edge acquires it
// Progress    arm, disarm and edges are lock-free; add and remove take a mutex; poll blocks
// Not here    waking a process: Waiter::ready is the caller's. Deadlines: a timer disarms.
// Proof       tests/model/poller_model.cpp, tests/scheduler/poller_test.cpp
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

struct epoll_event;

namespace airssys::rt::scheduler {

enum class Direction : std::uint8_t { read, write };

// Somebody who waits. Lies where its owner waits, until it was disarmed or called.
struct alignas(8) Waiter {
  // Called by the thread inside poll, holding no lock; the Waiter may be gone as soon as it has
  // told its owner. Hang-ups and errors are readiness too: the next try of the system call tells
  // them.
  void (*ready)(Waiter&) noexcept = nullptr;
};

enum class Armed : std::uint8_t {
  waiting,  // ready will be called, unless disarm comes first
  ready,    // an edge had come already and is used up now: try the system call again
  taken,    // another Waiter waits in this direction; only one can
};

// One direction of one descriptor: the word drawn above.
class Readiness {
 public:
  Armed arm(Waiter& waiter) noexcept;
  // True: the waiter will not be called. False: it has been called, or is being called right now,
  // and its owner must wait for what `ready` sends.
  bool disarm(Waiter& waiter) noexcept;
  // An edge came. True: it called a Waiter.
  bool edge() noexcept;
  // Forgets an edge nobody used. Requires: nobody waits.
  void reset() noexcept;

 private:
  static constexpr std::uintptr_t idle = 0;
  static constexpr std::uintptr_t edge_kept = 1;

  base::Atomic<std::uintptr_t> word_{idle};
};

class Poller;

// One registered descriptor. Its memory stays while the poller lives.
class Source {
 public:
  int fd() const noexcept { return fd_; }
  Poller& poller() const noexcept { return *poller_; }

 private:
  friend class Poller;
  Readiness& of(Direction direction) noexcept {
    return direction == Direction::read ? read_ : write_;
  }

  Poller* poller_ = nullptr;
  int fd_ = -1;
  Readiness read_;
  Readiness write_;
};

class Poller {
 public:
  static constexpr int somebody_else = -1;

  Poller();   // Throws std::system_error when the system has no descriptor left.
  ~Poller();  // Requires: nobody is inside.
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Registers a non-blocking descriptor. Fails with what epoll_ctl says: EPERM for a plain file,
  // EEXIST for one that is registered, ENOSPC beyond the user's limit. Any thread.
  std::expected<Source*, std::error_code> add(int fd);
  // Before the descriptor is closed. Who still waits is called as if it were ready. Any thread.
  void remove(Source& source) noexcept;

  // Any thread, one at a time for each direction of a source. No system call.
  Armed arm(Source& source, Direction direction, Waiter& waiter) noexcept;
  bool disarm(Source& source, Direction direction, Waiter& waiter) noexcept;

  // Calls the Waiters of what has become ready; waits at most timeout_ns for the first of them (0:
  // only looks; negative: for ever) or until interrupt. Answers how many were called, or at once
  // somebody_else when another thread is inside. Any thread.
  int poll(std::int64_t timeout_ns) noexcept;

  // Makes the thread inside poll return, or the next one that enters. Any thread; a system call
  // only for the first of several.
  void interrupt() noexcept;

  // How many descriptors are registered; a scheduler need not look here when there is none.
  std::size_t sources() const noexcept {
    return sources_.load(std::memory_order_relaxed);  // relaxed: who adds one tries its call first
  }

 private:
  static constexpr std::size_t sources_per_chunk = 64;
  static constexpr int events_max = 128;

  int wait(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept;
  int dispatch(std::span<const epoll_event> events) noexcept;
  void reclaim_removed() noexcept;
  Source& take_source();

  // Fixed after construction.
  int epoll_ = -1;
  int wakeup_ = -1;  // an eventfd, edge-triggered: writing to it is enough, nobody reads it

  // Whoever is inside poll.
  bool has_pwait2_ = true;  // the kernel knows epoll_pwait2, whose time-out is in nanoseconds

  // Any thread, atomic.
  base::Atomic<bool> is_polled_{false};       // somebody is inside poll
  base::Atomic<bool> is_interrupted_{false};  // wakeup_ has been written since the last poll saw it
  base::Atomic<std::size_t> sources_{0};
  base::Atomic<bool> has_removed_{false};  // removed_ may not be empty

  base::Mutex mutex_{base::LockRank::poller};
  // Under mutex_.
  std::vector<std::unique_ptr<Source[]>> chunks_;
  std::vector<Source*> free_;
  std::vector<Source*> removed_;  // become free when the next poll begins (P3)
};

}  // namespace airssys::rt::scheduler
