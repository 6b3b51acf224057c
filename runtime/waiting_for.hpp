// waiting_for.hpp: for as long as it stands, its process shows whom it waits for.
//
// A wait edge: the inspector draws these, and finds the circles among them. It stands for a wait
// that is no call to be looked at (wait_circle.hpp): one that ends by itself, is answered while the
// other waits, or is for room.
#pragma once

#include <airssys/rt/pid.hpp>
#include <cstdint>

#include "runtime/process.hpp"
#include "runtime/wait_circle.hpp"

namespace airssys::rt::runtime {

// By the owner; nested ones show the innermost.
class WaitingFor {
 public:
  WaitingFor(Process& process, Pid whom) noexcept
      : process_(process),
        outer_(process.waits_for.load(std::memory_order_relaxed)),  // relaxed: its own word
        is_part_of_outer_(outer_ == whom.bits()) {
    if (!is_part_of_outer_) show_call(process_, whom.bits(), 0);
  }
  WaitingFor(const WaitingFor&) = delete;
  WaitingFor& operator=(const WaitingFor&) = delete;
  // A call that waited around this one may have been left to somebody else meanwhile.
  ~WaitingFor() {
    if (!is_part_of_outer_) show_call(process_, outer_, 0);
  }

 private:
  Process& process_;
  const std::uint64_t outer_;
  const bool is_part_of_outer_;  // a call that waits for room at its callee waits for it already
};

}  // namespace airssys::rt::runtime
