// dead_letters.hpp: what becomes of messages that are dropped: counted, and told to who listens.
//
//   drop ──▶ count ──▶ heard? ── no ──▶ the message is still its holder's, who destroys it
//                         └ yes ─▶ a DeadLetter for each who has a free seat, in one the message
//
// Lists are short and drops are seldom heard, so the list is copied under a mutex and letters are
// sent without it. A message whose subscribers are all dead is its holder's again: destructors are
// process code, and when they run is for the holder to say.
//
// Orders   relaxed: heard_ decides only whether the mutex is taken; who subscribes hears of what is
//          dropped after that, in no other order than its own.
// Lifetime a Subscription is shared by the list and by its letters (detail::LetterSeat).
#pragma once

#include <airssys/rt/dead_letter.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <array>
#include <cstdint>
#include <vector>

#include "base/atomic.hpp"
#include "base/memory.hpp"
#include "base/mutex.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

class System;

// What is known of a message that is dropped.
struct Drop {
  Pid to;
  Pid from;  // null: nobody in particular
  DropReason reason;
};

class DeadLetters {
 public:
  explicit DeadLetters(System& system) noexcept : system_(system) {}
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  ~DeadLetters();

  // Inside, any thread, under no mutex. Counts; takes the message over if somebody is to have it.
  void drop(const Drop& drop, Message& message) {
    count(drop.reason, 1);
    if (is_heard(drop.reason)) [[unlikely]]
      tell(drop, message);
  }

  void count(DropReason reason, std::uint64_t messages) noexcept {
    // relaxed: a figure.
    totals_[static_cast<std::size_t>(reason)].fetch_add(messages, std::memory_order_relaxed);
  }
  bool is_heard(DropReason reason) const noexcept {
    // relaxed: see Orders.
    return (heard_.load(std::memory_order_relaxed) >> static_cast<unsigned>(reason) & 1U) != 0;
  }
  // Requires: is_heard was true. As `drop`, without the count.
  void tell(const Drop& drop, Message& message);

  void subscribe(Pid subscriber, const DeadLetterOptions& options);
  void unsubscribe(Pid subscriber);

  // All that this runtime has dropped for this reason.
  std::uint64_t total(DropReason reason) const noexcept {
    // relaxed: a figure.
    return totals_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }

 private:
  struct Listener {
    Pid subscriber;
    std::uint64_t missed;
    detail::LetterSeat seat;
  };

  using Listeners = std::vector<Listener, base::Allocator<Listener>>;
  Listeners listeners(DropReason reason);
  void set_heard() noexcept;  // under mutex_

  System& system_;
  std::array<base::Atomic<std::uint64_t>, drop_reasons> totals_{};
  base::Atomic<std::uint32_t> heard_{0};  // a bit for each reason that somebody listens to

  base::Mutex mutex_{base::LockRank::registry};
  std::vector<detail::Subscription*> subscriptions_;  // under mutex_
};

// Owner: drops a message of its mail, counted by the mailbox as well. Inside.
void drop_message(Process& owner, Pid from, DropReason reason, Message& message);

}  // namespace airssys::rt::runtime
