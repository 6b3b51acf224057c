// machine_core.hpp: what a state machine keeps besides its state: events in waiting, and timers.
//
// While a handler runs, what it asks for is only noted down. When it has returned, and the enter
// handler of a new state as well, `finish` does it, in this order (H5):
//
//   1 the event itself is kept, if it was postponed
//   2 on a state change, all that was postponed goes to the front of the queue, oldest first, and
//     the state's time-out ends
//   3 what was inserted goes in front of that, in the order of insertion
//   4 timers start and stop, in the order asked for; those of zero join a queue of their own
//
// `next` then answers the queue's front, or else the first time-out of zero; only when there is
// neither is the next message of the mailbox an event. So the queue only ever grows at its front
// and is kept back to front. Nothing of this takes memory until it is used for the first time.
#pragma once

#include <airssys/rt/detail/crash_context.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace airssys::rt::detail {

class Observed;

// One event time-out (H8), one state time-out (H9), and others by name (H10).
struct TimerKey {
  enum class Kind : std::uint8_t { event, state, named };

  Kind kind;
  std::string name = {};

  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};

// What a machine's timer sends it. The number tells a timer from one that it has replaced (H12).
struct TimerFired {
  TimerKey key;
  std::uint64_t number;
};

// Something a handler wants done with a timer.
struct TimerOrder {
  enum class What : std::uint8_t { start_after, start_at, update, cancel };

  TimerKey key;
  What what;
  Duration after = {};
  Deadline at = {};
  Message content = {};
};

class MachineCore {
 public:
  MachineCore();
  MachineCore(const MachineCore&) = delete;
  MachineCore& operator=(const MachineCore&) = delete;
  ~MachineCore();

  // What handlers ask for. What cannot be asked for at this place throws BadAction (H6).
  void check_may_change_state() const;
  void repeat_state();
  void postpone();
  void insert(Message event);
  void order(TimerOrder order);

  // The process's side: `begin` before a handler of an event, `enter` before one of a state,
  // `finish` after both. A negative number of events cannot be: all that is in is seen by `next`.
  void begin_start() noexcept { phase_ = Phase::starting; }
  void begin_event();
  void begin_enter() noexcept;
  void finish(Message& event, bool is_state_changed);
  // The event that comes before any message of the mailbox, or nothing.
  Message next();
  // The event of a timer, or nothing if it was cancelled or replaced meanwhile.
  Message event_of(const TimerFired& fired);

  // What was in hand when a handler failed, which need not be what the mailbox gave last.
  void failed_on(const MessageType& event, Pid client);
  void describe(CrashContext& context) const;

  bool is_repeated() const noexcept { return is_repeated_; }
  bool is_postponed() const noexcept { return is_postponed_; }
  // ", postponed: " and their types, oldest first; empty when there is none (H15).
  std::string postponed_text() const;

  // Who is told of replies, if anybody.
  void observe(Observed* observer);
  bool is_observed() const noexcept { return is_observed_; }
  void replied(const MessageType& type, Pid caller);

 private:
  enum class Phase : std::uint8_t { outside, starting, handling, entering };
  struct Waiting;

  Waiting& waiting();
  void carry_out(TimerOrder& order);
  void cancel(const TimerKey& key);

  Phase phase_ = Phase::outside;
  bool is_postponed_ = false;
  bool is_repeated_ = false;
  bool is_observed_ = false;
  std::unique_ptr<Waiting> waiting_;
};

// How the machine ends that has no handler for an event it made itself, or misuses a verb.
[[noreturn]] void throw_bad_action(std::string_view what);
[[noreturn]] void throw_unhandled(std::string_view event, std::string_view state);

}  // namespace airssys::rt::detail
