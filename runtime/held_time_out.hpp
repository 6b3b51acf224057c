// held_time_out.hpp: a time-out meets the end of a hold.
//
// While a process is held (Inbox::claim) nobody finds it at rest, so a time-out that fires in that
// time could wake nobody: it is remembered, and the end of the hold finds it.
//
// Roles       expire: who drives the wheel. end: who holds the process, once.
// Orders      none of its own: both are called under the wheel's mutex, and the inbox's word hands
//             the process over
// Proof       tests/model/hibernation_model.cpp
#pragma once

namespace airssys::rt::runtime {

template <class Inbox>
class HeldTimeOut {
 public:
  // True: the process was at rest and is the caller's to wake.
  [[nodiscard]] bool expire(Inbox& inbox) noexcept {
    if (!is_held_) return inbox.claim();
    has_fired_ = true;
    return false;
  }
  // True: the process is at rest. False: it is the caller's to wake.
  [[nodiscard]] bool end(Inbox& inbox) noexcept {
    is_held_ = false;
    return !has_fired_ && inbox.try_idle();
  }

 private:
  bool is_held_ = true;
  bool has_fired_ = false;
};

}  // namespace airssys::rt::runtime
