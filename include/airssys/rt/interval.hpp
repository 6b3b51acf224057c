// interval.hpp: what is done again and again, one period apart (T14).
//
//   rt::IntervalRef beat = rt::send_interval(1s, rt::self(), Beat{});
//   rt::IntervalRef sweep = rt::apply_repeatedly(10s, [] { remove_old_files(); });
//   ...
//   rt::cancel_interval(beat);
//
// The first tick comes one period after the call, never early; the others lie on the same grid, so
// that lateness does not add up. Ticks whose time is over when the interval gets to them are made
// up for by one. An interval is a process that rests without a stack; it ends with its owner: whom
// its messages go to, or who asked for its work. All verbs here are for processes.
#pragma once

#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// A value; anyone may keep it, and cancel by it.
struct IntervalRef {
  Pid process;
  friend constexpr bool operator==(IntervalRef, IntervalRef) noexcept = default;
};

namespace detail {
// One tick; the monitor of a process that must end before the next one comes, if any.
using Tick = std::move_only_function<MonitorRef()>;
// `owner` null: it ends by cancel_interval alone. Throws BadArgument for a period of zero or less.
IntervalRef start_interval(Duration period, Pid owner, Tick tick);
// As a timer's message, which no bound counts (B1).
void send_unbounded(Pid to, void* payload);
}  // namespace detail

// Sends a copy of the message at each tick, whatever bound the receiver's mailbox has. Ends with
// the receiver. Charges as a spawn does.
template <Sendable T>
  requires std::copy_constructible<std::decay_t<T>>
IntervalRef send_interval(Duration period, Pid to, T&& message) {
  return detail::start_interval(period, to, [to, message = std::forward<T>(message)] {
    detail::send_unbounded(to, detail::make_payload(std::decay_t<T>(message)));
    return MonitorRef();
  });
}
// To whoever has the name at each tick, if anybody has. Ends by cancel_interval alone.
template <Sendable T>
  requires std::copy_constructible<std::decay_t<T>>
IntervalRef send_interval(Duration period, std::string_view to, T&& message) {
  return detail::start_interval(
      period, Pid(), [to = std::string(to), message = std::forward<T>(message)] {
        if (const auto holder = whereis(to))
          detail::send_unbounded(*holder, detail::make_payload(std::decay_t<T>(message)));
        return MonitorRef();
      });
}

// Calls a copy of f at each tick, in a process of its own, and does not wait for the last one: a
// slow f runs several times at once. Ends with the caller.
template <std::invocable F>
  requires std::copy_constructible<std::decay_t<F>>
IntervalRef apply_interval(Duration period, F&& f) {
  return detail::start_interval(period, self(), [f = std::forward<F>(f)] {
    spawn(f);
    return MonitorRef();
  });
}

// Calls f at each tick, in a process of its own, one after the other: while it runs, no tick comes,
// and after a run longer than a period the next one begins at once. What it throws ends that run
// alone. Ends with the caller.
template <std::invocable F>
IntervalRef apply_repeatedly(Duration period, F&& f) {
  return detail::start_interval(
      period, self(), [f = std::make_shared<std::decay_t<F>>(std::forward<F>(f))] {
        return spawn_monitor([f] { static_cast<void>(std::invoke(*f)); }).ref;
      });
}

// Ends it: once this has returned no more ticks come; a message that has come before stays, and so
// does a run. Answers whether it had been there. Suspends, but not while its caller is being ended
// (Z3): then it answers true.
bool cancel_interval(IntervalRef interval);

}  // namespace airssys::rt
