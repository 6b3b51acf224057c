// wait_reason.hpp: why a process waits, by name. Do not reuse one for something else; add one.
#pragma once

#include <cstdint>

namespace airssys::rt::runtime {

enum class WaitReason : std::uint8_t {
  none,          // it does not wait
  receive,       // for a message that some clause takes
  hibernation,   // for any message, with as little memory as it can
  reply,         // for the answer to a call or a request, for a start or an end
  sleep,         // for a time
  mailbox_room,  // for room in somebody's bounded mailbox
  readable,      // for a descriptor
  writable,      // likewise
  blocking_job,  // for a job on the blocking pool
  wake_on_way,   // for a wake that can no longer be taken back
};

constexpr const char* to_string(WaitReason reason) noexcept {
  switch (reason) {
    case WaitReason::none:
      return "";
    case WaitReason::receive:
      return "receive";
    case WaitReason::hibernation:
      return "hibernation";
    case WaitReason::reply:
      return "reply";
    case WaitReason::sleep:
      return "sleep";
    case WaitReason::mailbox_room:
      return "mailbox room";
    case WaitReason::readable:
      return "readable";
    case WaitReason::writable:
      return "writable";
    case WaitReason::blocking_job:
      return "blocking job";
    case WaitReason::wake_on_way:
      return "wake on its way";
  }
  return "?";
}

}  // namespace airssys::rt::runtime
