// timer.hpp: messages that are sent later.
//
// Never early; late by one tick of a microsecond and whatever the schedulers are busy with (R9,
// T7). A timer aimed at a pid ends with that process (T9); one aimed at a name looks the name up
// when it fires (T10). The death of the process that set it changes nothing. Where a timer stood,
// 64 bytes, its scheduler keeps for later ones (T12).
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <concepts>
#include <optional>
#include <string_view>
#include <utility>

namespace airssys::rt {

// What start_timer's message is: the value sits in `message`.
struct Timeout {
  TimerRef ref;
  Message message;
};

namespace detail {
TimerRef send_later(Deadline due, Pid to, void* payload);
TimerRef send_later(Deadline due, std::string_view name, void* payload);
}  // namespace detail

// Sends `message` at a point on the runtime's clock; at once when it has passed (T1). Does not
// suspend. For processes, as all below unless they say otherwise; charges one reduction.
template <class To, Sendable T>
  requires std::convertible_to<const To&, Pid> || std::convertible_to<const To&, std::string_view>
TimerRef send_at(Deadline due, const To& to, T&& message) {
  return detail::send_later(due, to, detail::payload_of(std::forward<T>(message)));
}

// Sends `message` to `to` after `delay`, counted from now. Throws BadArgument when negative (T2).
// A delay of zero is still asynchronous (T11). Does not suspend.
template <Sendable T>
TimerRef send_after(Duration delay, Pid to, T&& message) {
  return send_at(Deadline::after(delay), to, std::forward<T>(message));
}
template <Sendable T>
TimerRef send_after(Duration delay, std::string_view name, T&& message) {
  return send_at(Deadline::after(delay), name, std::forward<T>(message));
}

// The same, and what comes is a Timeout with the message and the timer's ref (T1).
template <class To, Sendable T>
  requires std::convertible_to<const To&, Pid> || std::convertible_to<const To&, std::string_view>
TimerRef start_timer_at(Deadline due, const To& to, T&& message) {
  return send_at(due, to, Timeout{{}, Message(detail::payload_of(std::forward<T>(message)))});
}
template <class To, Sendable T>
  requires std::convertible_to<const To&, Pid> || std::convertible_to<const To&, std::string_view>
TimerRef start_timer(Duration delay, const To& to, T&& message) {
  return start_timer_at(Deadline::after(delay), to, std::forward<T>(message));
}

// The time that was left, if the timer was pending: its message will never come. Empty if it has
// fired, was cancelled or never was (T3); exactly one of the two holds under any race (T4). Any
// process may, whoever made the timer (T6); a plain thread has Runtime::cancel_timer.
std::optional<Duration> cancel_timer(TimerRef timer);
// The time that is left, or empty (T5). Who may: as above.
std::optional<Duration> read_timer(TimerRef timer);

// What the asynchronous forms answer, as messages to the caller (T6).
struct CancelTimer {
  TimerRef ref;
  std::optional<Duration> left;  // as cancel_timer answers
};
struct ReadTimer {
  TimerRef ref;
  std::optional<Duration> left;  // as read_timer answers
};
enum class Answer : bool { no, yes };
// For processes. The message of a timer that was taken back is destroyed before it returns.
void cancel_timer_async(TimerRef timer, Answer answer = Answer::yes);
void read_timer_async(TimerRef timer);

}  // namespace airssys::rt
