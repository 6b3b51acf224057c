// waited.hpp: how long a process waits already, for show.
//
// A fiber knows since when it is off. When a process is woken by something else than what it waits
// for, its wait goes on, and what counts is when it was off first.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstdint>

#include "fiber/context.hpp"
#include "scheduler/coarse_time.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

// One wait of the process that runs, from its first rest to its last. On its stack, inside.
class OneWait {
 public:
  OneWait() noexcept = default;
  OneWait(const OneWait&) = delete;
  OneWait& operator=(const OneWait&) = delete;
  ~OneWait() {
    if (rests_ > 1) scheduler::Thread::current()->fiber().waits_since = 0;
  }

  // It is about to rest, maybe once more.
  void rests() noexcept {
    if (++rests_ != 2) return;
    fiber::Fiber& fiber = scheduler::Thread::current()->fiber();
    fiber.waits_since = fiber.off_since | 1;  // which is not 0
  }

 private:
  std::uint64_t rests_ = 0;
};

// The process that has been off on this fiber, before it goes on or rests again.
inline Duration waited(const fiber::Fiber& fiber, std::int64_t now_ns) noexcept {
  const std::uint32_t since = fiber.waits_since != 0 ? fiber.waits_since : fiber.off_since;
  return Duration(scheduler::ns_since(since, now_ns));
}

}  // namespace airssys::rt::runtime
