// send.hpp: messages on their way.
//
// A message is any value that can be moved. It is built in place in the block that travels, and it
// arrives in the order sent, behind every earlier signal from the same sender to the same process
// (S1). Sending to a process that is dead is not an error: the message is dropped (S5).
//
// A message's destructor may send, spawn and cancel timers wherever the runtime destroys it: in a
// process, on the blocking pool, on the host's thread whose Runtime::send was refused, at the end
// of the runtime. Where no process runs it does so from nobody, as Runtime's verbs do (P11). Only a
// message that the host's own code destroys on its own thread belongs to no runtime: there a verb
// throws BadArgument, unless the thread is a Runtime::Guest.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

enum class SendResult : std::uint8_t {
  sent,
  full,        // a bounded mailbox that rejects, or drops the newest, had no room
  no_process,  // nobody has that pid
};

// What can be sent: an object type that moves. Not a pointer to somebody's stack: text goes as
// std::string.
template <class T>
concept Sendable =
    std::move_constructible<std::remove_cvref_t<T>> && !std::is_pointer_v<std::decay_t<T>>;

struct SendOptions {
  bool priority = false;  // ahead of ordinary mail, through an alias that was made with it (S12)
};

namespace detail {
enum class WhenFull : std::uint8_t { follow_policy, answer };
SendResult send(Pid to, void* payload, WhenFull when_full);
// By the policy, but waits for room no longer than this: then full. For processes.
SendResult send_by(Pid to, void* payload, Deadline deadline);
void send_named(std::string_view name, void* payload);
SendResult try_send_named(std::string_view name, void* payload);
void send_alias(const Ref& alias, void* payload, SendOptions options);

template <class T>
void* payload_of(T&& message) {
  if constexpr (std::is_same_v<std::remove_cvref_t<T>, Message>) {
    return message.release();
  } else {
    return make_payload(std::forward<T>(message));
  }
}
}  // namespace detail

// Sends. Never blocks and never fails for an unbounded mailbox (S5); a full bounded one does what
// its policy says: `block` suspends this process, its thread never (B2). Charges one reduction.
template <Sendable T>
void send(Pid to, T&& message) {
  detail::send(to, detail::payload_of(std::forward<T>(message)), detail::WhenFull::follow_policy);
}

// Sends and says what became of it. Never suspends: a mailbox whose policy is `block` answers full.
template <Sendable T>
SendResult try_send(Pid to, T&& message) {
  return detail::send(to, detail::payload_of(std::forward<T>(message)), detail::WhenFull::answer);
}

// Sends to whoever has this name now. Throws NameError when nobody has it (N6).
template <Sendable T>
void send(std::string_view name, T&& message) {
  detail::send_named(name, detail::payload_of(std::forward<T>(message)));
}

// The same, and says what became of it: no_process when nobody has the name. Never suspends.
template <Sendable T>
SendResult try_send(std::string_view name, T&& message) {
  return detail::try_send_named(name, detail::payload_of(std::forward<T>(message)));
}

// Sends through an alias, or a monitor made with one; dropped when it is not active any more (A2).
template <Sendable T>
void send(const Alias& alias, T&& message, SendOptions options = {}) {
  detail::send_alias(alias, detail::payload_of(std::forward<T>(message)), options);
}
// To a pid: who has not opted in by an alias gets it as ordinary mail.
template <Sendable T>
void send(Pid to, T&& message, SendOptions) {
  send(to, std::forward<T>(message));
}

// Sends an exit signal: X3 says what it does. Never waits, never fails (X10).
void send_exit(Pid to, ExitReason reason);
// Through an alias: does nothing when it is not active any more, and uses up none. Where it becomes
// a message, the options count.
void send_exit(const Alias& to, ExitReason reason, SendOptions options = {});

}  // namespace airssys::rt
