// waiting_for.hpp: for as long as it stands, its process shows whom it waits for.
//
// A wait edge: the inspector draws these, and finds the circles among them.
#pragma once

#include <airssys/rt/pid.hpp>
#include <cstdint>

#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// By the owner; nested ones show the innermost.
class WaitingFor {
 public:
  WaitingFor(Process& process, Pid whom) noexcept
      : process_(process),
        // relaxed, here and below: for show; one writer.
        outer_(process.waits_for.load(std::memory_order_relaxed)) {
    process_.waits_for.store(whom.bits(), std::memory_order_relaxed);
  }
  WaitingFor(const WaitingFor&) = delete;
  WaitingFor& operator=(const WaitingFor&) = delete;
  // relaxed: as above.
  ~WaitingFor() { process_.waits_for.store(outer_, std::memory_order_relaxed); }

 private:
  Process& process_;
  const std::uint64_t outer_;
};

}  // namespace airssys::rt::runtime
