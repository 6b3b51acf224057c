// circuit_breaker.hpp: calls to something outside that is left alone while it is broken.
//
//   rt::CircuitBreaker database({.name = "database", .failures = 5});
//   Row row = database.call([&] { return query(key); });  // throws CircuitOpen, or as query does
//   Row row = database.call([&] { return query(key); }, [&] { return cached(key); });
//
// A breaker is an object, not a process: its copies share one state, any process may hold one, and
// calls through it do not wait for each other. While it is closed, a call costs one look at a word.
//
//            so many failures                  its time is up, and somebody calls
//   closed ───────────────────▶ open ─────────────────────────────────────────▶ half open
//      ▲                          ▲                                               │   │
//      │                          └─── a probe fails, or does not come back ──────┘   │
//      └────────────────────────────── all probes have succeeded ─────────────────────┘
//
// A call fails when it throws, or answers a std::expected without a value. One that ends with its
// process is no failure: if it was a probe, the next call takes its place. A probe that does not
// come back within probe_time is one, so no end of a caller leaves a breaker half open.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace airssys::rt {

struct CircuitBreakerOptions {
  std::string name = {};  // in reports and errors
  unsigned failures = 5;  // so many open it; at least one
  // They count when they lie within so long of each other; zero: when they come in a row.
  Duration window = {};
  // How long it stays open, longer after each probe that fails; once it has been closed for
  // stable_after, that begins anew. `first` is more than zero, `longest` is not less.
  RestartBackoff open = {.first = std::chrono::seconds(1)};
  unsigned probes = 1;  // calls that are let through half open; all of them must succeed
  Duration probe_time = std::chrono::seconds(30);  // how long they may take; more than zero
};

enum class CircuitState : std::uint8_t { closed, open, half_open };
const char* to_string(CircuitState state) noexcept;

struct CircuitInfo {
  std::string name;
  CircuitState state = CircuitState::closed;
  unsigned failures = 0;      // that count now, towards opening it
  Duration retry_after = {};  // when it is open: until a call is let through; zero: the next one is
  std::uint64_t opened = 0;   // how often
  std::uint64_t refused = 0;  // calls
  ExitReason last_failure;    // normal: there was none
};

// What a subscriber gets at each change, from the process whose call brought it about.
struct CircuitChange {
  std::string name;
  CircuitState from;
  CircuitState to;
  std::uint64_t number;  // grows with each change: news from two processes may change places
  ExitReason reason;     // of the failure that opened it
};

// The call was not made: the breaker is open, or half open and has all the probes it needs.
class CircuitOpen : public ProcessError {
 public:
  CircuitOpen(const std::string& name, Duration retry_after);
  // Until when trying again is useless, from the refusal on.
  Duration retry_after() const noexcept { return retry_after_; }

 private:
  Duration retry_after_;
};

namespace detail {

class SharedCircuit;

template <class T>
inline constexpr bool is_expected = false;
template <class T, class E>
inline constexpr bool is_expected<std::expected<T, E>> = true;

template <class T>
bool is_failure(const T& result) {
  if constexpr (is_expected<T>) {
    return !result.has_value();
  } else {
    return false;
  }
}

template <class E>
ExitReason reason_of_error(const E& error) {
  if constexpr (std::derived_from<E, ProcessError>) {
    return error.reason();
  } else if constexpr (std::equality_comparable<E> && std::copy_constructible<E>) {
    return ExitReason::of(error);
  } else {
    return ExitReason::error(std::string(type_name<E>()));
  }
}

template <class F>
using CallResult = std::decay_t<std::invoke_result_t<F&>>;

// What f answers or throws, with a word to the permit about it.
template <class Permit, class F>
CallResult<F> judged(Permit& permit, F& f) {
  try {
    if constexpr (std::is_void_v<CallResult<F>>) {
      std::invoke(f);
      permit.succeeded();
    } else {
      CallResult<F> result = std::invoke(f);
      if constexpr (is_expected<CallResult<F>>) {
        if (!result) permit.failed(reason_of_error(result.error()));
      }
      permit.succeeded();
      return result;
    }
  } catch (const ExitException& exit) {
    permit.failed(exit.reason());
    throw;
  } catch (const std::exception&) {
    permit.failed(reason_of_current_exception());
    throw;
  }
}

}  // namespace detail

// The right to make one call, for those that are more than a function. Says once how the call went;
// without a word it has failed if an exception ends the permit, and has not been made otherwise.
// Belongs to the process that got it.
class CircuitPermit {
 public:
  CircuitPermit(CircuitPermit&& other) noexcept
      : circuit_(std::exchange(other.circuit_, nullptr)),
        owner_(std::move(other.owner_)),
        number_(other.number_),
        exceptions_(other.exceptions_) {}
  CircuitPermit& operator=(CircuitPermit&&) = delete;
  ~CircuitPermit();

  void succeeded();
  void failed(const ExitReason& reason);

 private:
  friend class CircuitBreaker;
  CircuitPermit(detail::SharedCircuit& circuit, std::uint64_t number) noexcept
      : circuit_(&circuit), number_(number) {}

  detail::SharedCircuit* circuit_;                // null: it has said its word
  std::shared_ptr<detail::SharedCircuit> owner_;  // null: it ends before the breaker
  std::uint64_t number_;                          // of the change since which it is good
  int exceptions_ = std::uncaught_exceptions();
};

// For processes. Nothing but the calls themselves suspends. Changes are reported to Options::log.
class CircuitBreaker {
 public:
  // Throws BadArgument for options that make no sense. Any thread.
  explicit CircuitBreaker(CircuitBreakerOptions options = {});

  // Makes the call, and answers what f answers; what f throws passes through. When the call is
  // refused, `call` throws CircuitOpen, and `try_call` answers it.
  template <std::invocable F>
  detail::CallResult<F> call(F&& f) const {
    CircuitPermit permit = detail::value_or_throw(permit_here());
    return detail::judged(permit, f);
  }
  template <std::invocable F>
  [[nodiscard]] std::expected<detail::CallResult<F>, CircuitOpen> try_call(F&& f) const {
    std::expected<CircuitPermit, CircuitOpen> permit = permit_here();
    if (!permit) return std::unexpected(std::move(permit).error());
    if constexpr (std::is_void_v<detail::CallResult<F>>) {
      detail::judged(*permit, f);
      return {};
    } else {
      return detail::judged(*permit, f);
    }
  }
  // The same with a fallback, whose answer stands in when the call is refused or fails. What f
  // throws is swallowed then, unless it is rt::exit.
  template <std::invocable F, std::invocable G>
  detail::CallResult<F> call(F&& f, G&& fallback) const {
    if (std::expected<CircuitPermit, CircuitOpen> answer = permit_here()) {
      try {
        CircuitPermit permit = *std::move(answer);  // ends before a handler: it sees what passes
        if constexpr (std::is_void_v<detail::CallResult<F>>) {
          return detail::judged(permit, f);
        } else {
          detail::CallResult<F> result = detail::judged(permit, f);
          if (!detail::is_failure(result)) return result;
        }
      } catch (const ExitException&) {
        throw;
      } catch (...) {  // a forced unwind, too: it goes on at the end of this handler
      }
    }
    return std::invoke(fallback);
  }

  // The right to make one call: throws CircuitOpen, or answers it.
  CircuitPermit permit() const { return detail::value_or_throw(try_permit()); }
  [[nodiscard]] std::expected<CircuitPermit, CircuitOpen> try_permit() const;

  CircuitInfo info() const;
  // Closes it, whatever has been; calls that are on their way count no more.
  void reset() const;

  // From now on this process gets a CircuitChange at each change, until it unsubscribes or ends.
  void subscribe(Pid subscriber = self()) const;
  void unsubscribe(Pid subscriber = self()) const;

 private:
  // One that this breaker outlives, so that calls do not meet at the count of its owners.
  std::expected<CircuitPermit, CircuitOpen> permit_here() const;

  std::shared_ptr<detail::SharedCircuit> circuit_;
};

}  // namespace airssys::rt
