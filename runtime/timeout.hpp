// timeout.hpp: the deadline of a wait, which stands still while its process is suspended (P15).
//
// It is made before the wait's first safe point, and so counts from there on; later its deadline
// lies as much later as its process has been suspended since. A process that was never suspended
// pays one look at its extras, and a wait without end nothing.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstdint>

#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// How long the process has been suspended in all, up to the last resume. By the owner.
std::int64_t suspended_ns(const Extras& extras) noexcept;  // suspend.cpp
inline std::int64_t suspended_ns(const Process& process) noexcept {
  const Extras* extras = process.own_extras();
  return extras ? suspended_ns(*extras) : 0;
}

// By the owner of the process, all of it.
class Timeout {
 public:
  Timeout(const Process& process, Deadline deadline) noexcept
      : process_(process),
        deadline_ns_(deadline.ns()),
        suspended_before_ns_(deadline.is_never() ? 0 : suspended_ns(process)) {}

  bool is_never() const noexcept { return deadline_ns_ == Deadline::never_ns; }
  // As it stands now, on the runtime's clock.
  std::int64_t due_ns() const noexcept {
    if (is_never()) return deadline_ns_;
    const std::int64_t since_ns = suspended_ns(process_) - suspended_before_ns_;
    return deadline_ns_ < Deadline::never_ns - since_ns ? deadline_ns_ + since_ns
                                                        : Deadline::never_ns;
  }

 private:
  const Process& process_;
  std::int64_t deadline_ns_;
  std::int64_t suspended_before_ns_;
};

}  // namespace airssys::rt::runtime
