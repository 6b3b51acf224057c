// receive.hpp: taking messages out of one's mailbox, in order or selectively.
//
// A receive looks at the mail from the oldest on; the first message that any clause takes is the
// one received, the others stay in place and in order (R1). If none fits, the process waits, and
// each message that comes is looked at once (R3). Clauses:
//
//   [](Ping ping) { ... }                   takes every Ping; by value, T& or const T&
//   rt::when(predicate, handler)            takes a T for which predicate(T&) is true
//   [](rt::Message message) { ... }         takes anything
//   rt::after(1s, [] { ... })               last: when nothing has been taken in time
//
// The handlers' common result is what receive answers. Predicates must not call the runtime; one
// that throws leaves the mailbox untouched (R2). All of these are for processes, suspend, and are
// safe points: an exit signal that is acted upon ends the process here (S9, Z1). During an unwind a
// receive with a time-out answers as if it had passed, one without throws Unwinding (Z3).
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/mail_mark.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace airssys::rt {

namespace detail {

// Takes the first message that `accepts` says yes to, or null at the deadline.
void* take_mail(bool (*accepts)(void* context, void* payload), void* context, Deadline deadline);

// Empty for what is not a function of one argument; a generic lambda is not, for it names no type.
template <class F>
struct HandlerTraits {};
template <class F>
  requires requires { &F::operator(); }
struct HandlerTraits<F> : HandlerTraits<decltype(&F::operator())> {};
template <class R, class C, class A>
struct HandlerTraits<R (C::*)(A)> : HandlerTraits<R (*)(A)> {};
template <class R, class C, class A>
struct HandlerTraits<R (C::*)(A) const> : HandlerTraits<R (*)(A)> {};
template <class R, class C, class A>
struct HandlerTraits<R (C::*)(A) noexcept> : HandlerTraits<R (*)(A)> {};
template <class R, class C, class A>
struct HandlerTraits<R (C::*)(A) const noexcept> : HandlerTraits<R (*)(A)> {};
template <class R, class A>
struct HandlerTraits<R (*)(A)> {
  using Result = R;
  using Value = std::remove_cvref_t<A>;
};

template <class F>
concept Handler = requires { typename HandlerTraits<std::remove_cvref_t<F>>::Value; };

template <class P, class H>
struct When {
  P predicate;
  H handler;
};
template <class H>
struct After {
  Duration timeout;
  H handler;
};

template <class T>
inline constexpr bool is_after = false;
template <class H>
inline constexpr bool is_after<After<H>> = true;
template <class T>
inline constexpr bool is_when = false;
template <class P, class H>
inline constexpr bool is_when<When<P, H>> = true;

template <class C>
concept Clause = is_after<std::remove_cvref_t<C>> || is_when<std::remove_cvref_t<C>> || Handler<C>;

// One clause, seen as: does it take this message, and what does it answer.
template <class C>
struct ClauseTraits {
  using Value = typename HandlerTraits<C>::Value;
  using Result = typename HandlerTraits<C>::Result;
  static bool accepts(C&, void* payload) {
    return std::is_same_v<Value, Message> || payload_if<Value>(payload) != nullptr;
  }
  static decltype(auto) handler(C& clause) { return (clause); }
};
template <class P, class H>
struct ClauseTraits<When<P, H>> {
  using Value = typename HandlerTraits<H>::Value;
  using Result = typename HandlerTraits<H>::Result;
  static bool accepts(When<P, H>& clause, void* payload) {
    Value* value = payload_if<Value>(payload);
    return value && clause.predicate(*value);
  }
  static decltype(auto) handler(When<P, H>& clause) { return (clause.handler); }
};
template <class H>
struct ClauseTraits<After<H>> {
  using Result = std::invoke_result_t<H&>;
  static bool accepts(After<H>&, void*) { return false; }
};

// Calls a handler with the value inside the message; the message is destroyed afterwards.
template <class Value, class H>
decltype(auto) call_with(H& handler, Message& message) {
  if constexpr (std::is_same_v<Value, Message>) {
    if constexpr (std::is_invocable_v<H&, Message&&>) {
      return handler(std::move(message));
    } else {
      return handler(message);
    }
  } else {
    Value& value = *message.get_if<Value>();
    if constexpr (std::is_invocable_v<H&, Value&&>) {
      return handler(std::move(value));
    } else {
      return handler(value);
    }
  }
}

template <class... Clauses>
class Receiver {
 public:
  using Result = std::common_type_t<typename ClauseTraits<Clauses>::Result...>;

  explicit Receiver(Clauses&... clauses) : clauses_(clauses...) {}

  Result run() {
    Message message(take_mail(&Receiver::accepts, this, deadline()));
    return run_from<0>(message);
  }
  Result run_behind(MailMark mark) {
    Message message(mark.take(&Receiver::accepts, this, deadline()));
    return run_from<0>(message);
  }

 private:
  static constexpr std::size_t count = sizeof...(Clauses);

  static bool accepts(void* self, void* payload) {
    return static_cast<Receiver*>(self)->choose(payload, std::make_index_sequence<count>{});
  }
  template <std::size_t... I>
  bool choose(void* payload, std::index_sequence<I...>) {
    return (
        (ClauseTraits<Clauses>::accepts(std::get<I>(clauses_), payload) && (chosen_ = I, true)) ||
        ...);
  }

  Deadline deadline() {
    if constexpr ((is_after<Clauses> || ...)) {
      return Deadline::after(std::get<count - 1>(clauses_).timeout);
    } else {
      return Deadline::never();
    }
  }

  template <std::size_t I>
  Result run_from(Message& message) {
    using C = std::tuple_element_t<I, std::tuple<Clauses...>>;
    if constexpr (is_after<C>) {
      return static_cast<Result>(std::get<I>(clauses_).handler());
    } else {
      if constexpr (I + 1 < count) {
        if (chosen_ != I) return run_from<I + 1>(message);
      }
      return static_cast<Result>(call_with<typename ClauseTraits<C>::Value>(
          ClauseTraits<C>::handler(std::get<I>(clauses_)), message));
    }
  }

  std::tuple<Clauses&...> clauses_;
  std::size_t chosen_ = count - 1;
};

template <class... Clauses>
consteval bool only_last_is_after() {
  std::size_t position = 0;
  return ((++position == sizeof...(Clauses) || !is_after<std::remove_cvref_t<Clauses>>) && ...);
}

}  // namespace detail

// Takes a T for which the predicate is true; the handler names the type.
template <class P, detail::Handler H>
detail::When<std::decay_t<P>, std::decay_t<H>> when(P&& predicate, H&& handler) {
  return {std::forward<P>(predicate), std::forward<H>(handler)};
}

// When nothing has been taken within `timeout` of entering the receive (R5). Zero looks at all mail
// that is there and does not wait (R6).
template <std::invocable H>
detail::After<std::decay_t<H>> after(Duration timeout, H&& handler) {
  return {timeout, std::forward<H>(handler)};
}

// Receives by clauses, as the head of this file says.
template <detail::Clause... Clauses>
  requires(sizeof...(Clauses) > 0)
auto receive(Clauses&&... clauses) {
  static_assert(detail::only_last_is_after<Clauses...>(), "rt::after stands last, once");
  return detail::Receiver<std::remove_cvref_t<Clauses>...>(
             const_cast<std::remove_cvref_t<Clauses>&>(clauses)...)
      .run();
}

// The same among the messages that have come since the mark was made, and those of priority (S12);
// all others are not looked at (R10). The mark stays where it is.
template <detail::Clause... Clauses>
  requires(sizeof...(Clauses) > 0)
auto receive(const MailMark& mark, Clauses&&... clauses) {
  static_assert(detail::only_last_is_after<Clauses...>(), "rt::after stands last, once");
  return detail::Receiver<std::remove_cvref_t<Clauses>...>(
             const_cast<std::remove_cvref_t<Clauses>&>(clauses)...)
      .run_behind(mark);
}

// The oldest T; with T = rt::Message, the oldest message of any type (R16).
template <class T>
T receive() {
  return receive([](T&& value) -> T { return std::move(value); });
}

// The same, or nothing when none has come in time.
template <class T>
std::optional<T> receive(Duration timeout) {
  return receive([](T value) -> std::optional<T> { return value; },
                 after(timeout, []() -> std::optional<T> { return std::nullopt; }));
}

}  // namespace airssys::rt
