// signal.hpp: the node all mail begins with, and its kinds.
//
// Messages, exits, links, downs, questions and wakes are all signals in one queue per process, so
// that they arrive in the order their sender sent them (S1, S9). A signal is the first member, or
// the base, of what it announces; the kind says what that is and who frees it:
//
//   what others sent   allocated by the sender; the receiver, or whoever was told `closed`, frees
//   it wake               embedded in the record of somebody who waits; the mailbox never frees it
//
// A signal is in at most one queue. Its fields are plain: until it is pushed it belongs to the
// pusher, afterwards to the owner of the inbox.
#pragma once

#include <cstddef>
#include <cstdint>

namespace airssys::rt::mailbox {

enum class SignalKind : std::uint8_t {
  message,        // user data; the only kind that Erlang would call a message
  exit,           // somebody's end, or a request to end (X2)
  link,           // becomes one half of a link (L3)
  unlink,         // takes the link back; answered by unlink_ack (L8)
  unlink_ack,     // its sender may take links from the other end again
  monitor,        // asks for a down (M1)
  demonitor,      // takes that back (M7)
  down,           // a monitored process has ended (M2)
  alive_request,  // answered by whether the receiver lives (P9)
  info_request,   // answered by what only the receiver knows about itself (P13)
  suspend,        // stop running code (P15)
  resume,         // and go on
  wake,           // a time-out, readiness, a finished job: what a waiting process waits for
  system,         // a question to a behaviour (C1)
  batch,          // stands in an inbox for what a sender has taken out and sorted (B5)
};

struct Signal {
  Signal* next = nullptr;  // newer-to-older in an inbox, older-to-newer in a mail queue
  SignalKind kind = SignalKind::message;
  std::uint8_t flags = 0;      // what it means is the kind's business
  std::uint16_t granules = 0;  // what it counts in its mailbox's size, header and payload
  std::int32_t ahead = 0;      // cache lines from here to what will be needed soon: trail.hpp

  static constexpr std::uint32_t granule_bytes = 16;
  // How many there are in so many bytes: less than a mebibyte.
  static constexpr std::uint16_t granules_in(std::size_t bytes) noexcept {
    return static_cast<std::uint16_t>((bytes + granule_bytes - 1) / granule_bytes);
  }
};
static_assert(sizeof(Signal) == 16, "the header in front of every message");

}  // namespace airssys::rt::mailbox
