// control_signal.hpp: the signals that are not messages: exits, links, monitors and their answers.
//
// One block for all of them; which fields mean something is the kind's business:
//
//   kind            from       mine                theirs               reason
//   exit            sender     link: sender's id   link: the peer's id  why; flags (X2)
//                              -                   or: the alias's id
//   link            sender     the sender's id     -                    -
//   unlink          sender     the unlink's id     -                    -
//   unlink_ack      sender     -                   the unlink's id      -
//   monitor         watcher    the watcher's ref   -                    -
//   demonitor       watcher    the watcher's ref   -                    -
//   alive_request   asker      the asker's alias   -                    -
//   info_request    asker      the asker's alias   -                    -
//   suspend         suspender  the asker's alias   -                    -
//   resume          suspender  -                   -                    -
//
// Its sender allocates it; who obeys it, or is told that the inbox is closed, frees it. A down is
// none of these: it is the message already that it becomes (make_down in monitor.hpp).
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <cstdint>

#include "base/block_cache.hpp"
#include "mailbox/signal.hpp"

namespace airssys::rt::runtime {

struct ControlSignal : mailbox::Signal {
  Pid from;
  std::uint64_t mine = 0;
  std::uint64_t theirs = 0;
  ExitReason reason;

  static void* operator new(std::size_t bytes) { return base::allocate_small(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept {
    base::free_small(block, bytes);
  }

  static ControlSignal& of(mailbox::Signal& signal) noexcept {
    return static_cast<ControlSignal&>(signal);
  }
};

// Signal::flags of an exit.
inline constexpr std::uint8_t exit_of_link = 1;
inline constexpr std::uint8_t exit_by_alias = 2;
inline constexpr std::uint8_t exit_with_priority = 4;  // by an alias: if that lets it (S12)
inline constexpr std::uint8_t exit_refuses_link = 8;   // nobody was there to be linked to (L4)

// Of a monitor: its down is to go ahead of other mail (S12).
inline constexpr std::uint8_t wants_priority = 1;

// Signal::flags of a request: its target runs at the asker's level until it has answered
// (scheduler/asked.hpp).
inline constexpr std::uint8_t raises_level = 1;
// Of an info_request: what is to be answered besides (rt::InfoOptions).
inline constexpr std::uint8_t wants_messages = 2;
inline constexpr std::uint8_t wants_dictionary = 4;
inline constexpr std::uint8_t wants_stack = 8;

// Whether it may have a value of the user's, whose destructor is process code.
inline bool holds_value(const ExitReason& reason) noexcept {
  return reason.kind() == ExitReason::Kind::value ||
         reason.kind() == ExitReason::Kind::shutdown_with;
}

inline ControlSignal* make_signal(mailbox::SignalKind kind,
                                  Pid from,
                                  std::uint64_t mine = 0,
                                  std::uint64_t theirs = 0,
                                  ExitReason reason = {}) {
  auto* signal = new ControlSignal;
  signal->kind = kind;
  signal->from = from;
  signal->mine = mine;
  signal->theirs = theirs;
  signal->reason = std::move(reason);
  return signal;
}

}  // namespace airssys::rt::runtime
