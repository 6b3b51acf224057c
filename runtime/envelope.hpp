// envelope.hpp: a message as one block: signal, payload header, value.
//
//   | Signal 16 | PayloadHeader 16 | value ... |
//   ▲ Envelope                     ▲ payload
//
// Templates of the public face know the payload's address, the mailbox knows the signal's; these
// are the two ways between them. The block's owner is whoever holds it: sender, inbox, receiver.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <cstddef>
#include <cstdint>

#include "mailbox/signal.hpp"

namespace airssys::rt::runtime {

struct Envelope : mailbox::Signal {
  detail::PayloadHeader header;

  void* payload() noexcept { return this + 1; }
  static Envelope& of_payload(void* payload) noexcept {
    return static_cast<Envelope*>(payload)[-1];
  }
  static Envelope& of_signal(mailbox::Signal& signal) noexcept {
    return static_cast<Envelope&>(signal);
  }

  // The tag names the alias that a message came through, or is 0. One for a mailbox with bounds
  // comes through none, and the tag says who sent it: so a drop can be told of its sender.
  static constexpr std::uint64_t sender_bit = std::uint64_t{1} << 63;
  void set_sender(Pid from) noexcept { header.tag = sender_bit | from.bits(); }
  Pid sender() const noexcept {
    return (header.tag & sender_bit) != 0 ? Pid::from_bits(header.tag & ~sender_bit) : Pid();
  }
  void clear(std::uint8_t flag) noexcept { flags &= static_cast<std::uint8_t>(~flag); }
  // Who waits for the reply. Requires: header.type->is_call.
  const Alias& caller() noexcept { return *static_cast<const Alias*>(payload()); }
  bool has_alias() const noexcept { return static_cast<std::int64_t>(header.tag) > 0; }
};
static_assert(sizeof(Envelope) == 32 && sizeof(Envelope) % detail::payload_align == 0);

// Signal::flags of a message: none once it has been taken out of the mail.
inline constexpr std::uint8_t counted_in_bounds = 1;  // its mailbox reserved room for it (B1)
inline constexpr std::uint8_t with_priority = 2;   // asked for by its sender; in the mail: kept so
inline constexpr std::uint8_t tagged_down = 4;     // the Down of the monitor in its tag (M12)
inline constexpr std::uint8_t brings_monitor = 8;  // on its way: a call's request (call_reply.cpp)
inline constexpr std::uint8_t ends_monitor = 16;   // on its way: the reply to such a request

}  // namespace airssys::rt::runtime
