// timer.hpp: messages that are sent later.
//
// Never early; late by one tick of 33 µs and whatever the schedulers are busy with (R9, T7). A
// timer aimed at a pid ends with that process (T9); one aimed at a name looks the name up when it
// fires (T10). The death of the process that set it changes nothing.
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
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
TimerRef send_later(Duration delay, Pid to, void* payload);
TimerRef send_later(Duration delay, std::string_view name, void* payload);
}  // namespace detail

// Sends `message` to `to` after `delay`, counted from now. Throws BadArgument when negative (T2).
// A delay of zero is still asynchronous (T11). Does not suspend.
template <Sendable T>
TimerRef send_after(Duration delay, Pid to, T&& message) {
  return detail::send_later(delay, to, detail::payload_of(std::forward<T>(message)));
}
template <Sendable T>
TimerRef send_after(Duration delay, std::string_view name, T&& message) {
  return detail::send_later(delay, name, detail::payload_of(std::forward<T>(message)));
}

// The time that was left, if the timer was pending: its message will never come. Empty if it has
// fired, was cancelled or never was (T3); exactly one of the two holds under any race (T4).
std::optional<Duration> cancel_timer(TimerRef timer);
// The time that is left, or empty (T5).
std::optional<Duration> read_timer(TimerRef timer);

}  // namespace airssys::rt
