// sys.hpp: looking into a server, a state machine, an event manager or a supervisor, while it runs,
// and into hand-written processes that take part (responder.hpp).
//
//   long value = rt::sys::get_state(counter, [](const Counter& counter) { return counter.value; });
//   rt::sys::suspend(counter.pid());     // handles nothing until it is resumed
//   rt::sys::trace(counter.pid(), true); // a line to the log for each message
//
// All of these are requests that the behaviour takes in its turn, also while it is suspended. They
// throw CallError as `call` does: noproc, exited, timeout; wrong_type for a plain process, or one
// of another class; callback_failed when the given function threw (C3). For processes; suspend the
// caller. What is not switched on costs nothing. Functions run on the other process: they own what
// they use, and must not call it.
#pragma once

#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/event_manager.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace airssys::rt::sys {

inline constexpr Duration default_timeout = std::chrono::seconds(5);

// --- suspended and not ---

// After it returns the behaviour hears only system requests, `stop` and its parent's end; all else
// stays queued, in order. One resume is enough, however often it was suspended (C2).
void suspend(Pid behaviour, Duration timeout = default_timeout);
void resume(Pid behaviour, Duration timeout = default_timeout);

// --- what it is like ---

struct Status {
  Pid pid;
  Pid parent;
  std::string type;  // the class's name
  bool is_suspended = false;
  bool is_traced = false;
  bool is_counted = false;
  std::size_t log_size = 0;
  std::vector<std::string> hooks;     // their names
  std::vector<LocalInfo> dictionary;  // its own values: rt::Local
  std::string state;  // format_state() of its class; a state machine's state; else the class's name
};
Status get_status(Pid behaviour, Duration timeout = default_timeout);

// --- what it does ---

// A message is taken; its handler returns, with a reply or without.
struct Event {
  enum class Kind : std::uint8_t { call, cast, message, reply, no_reply };
  Kind kind;
  std::string_view type;  // the request's or message's type
  Pid caller;             // of a call, and of its reply
};

// A line to Options::log for each event.
void trace(Pid behaviour, bool on, Duration timeout = default_timeout);

// Keeps the last so many events; none: off, and forgotten (C5).
void log(Pid behaviour, std::size_t events = 10, Duration timeout = default_timeout);
// Oldest first.
std::vector<std::string> get_log(Pid behaviour, Duration timeout = default_timeout);
// The same, as lines to Options::log.
void print_log(Pid behaviour, Duration timeout = default_timeout);

struct Statistics {
  std::chrono::system_clock::time_point since;
  std::chrono::system_clock::time_point now;
  std::uint64_t reductions = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;  // replies that its handlers have returned
};
// Counts from now on, or stops and forgets.
void statistics(Pid behaviour, bool on, Duration timeout = default_timeout);
// Empty when it does not count.
std::optional<Statistics> get_statistics(Pid behaviour, Duration timeout = default_timeout);

enum class HookResult : bool { again, done };
using Hook = std::move_only_function<HookResult(const Event& event)>;
// Calls the hook for each event, until it is done, throws, or is removed. The same name again
// replaces it.
void install(Pid behaviour, std::string name, Hook hook, Duration timeout = default_timeout);
void remove(Pid behaviour, std::string_view name, Duration timeout = default_timeout);

// --- its state ---

// For the library.
namespace detail {
using rt::detail::Exchange;
using rt::detail::Observed;

Message ask(Pid behaviour,
            std::string_view type,
            std::move_only_function<void(Observed& behaviour, Alias caller)> work,
            Duration timeout);
[[noreturn]] void throw_callback_failed(const ExitReason& reason);

template <class T>
using Answer = std::expected<rt::detail::ReplyValue<T>, ExitReason>;

template <class T, class F>
Answer<T> answer_of(F& f) {
  try {
    if constexpr (std::is_void_v<T>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (...) {
    return std::unexpected(reason_of_current_exception());
  }
}

// Runs f(target) on the process of an S; answers what f answers.
template <class S, class F>
auto with_object(ServerRef<S> server, F f, Duration timeout) {
  using T = std::invoke_result_t<F&, void*>;
  Message reply = ask(
      server.pid(),
      rt::detail::type_name<S>(),
      [f = std::move(f)](Observed& behaviour, Alias caller) mutable {
        From<Answer<T>> from(caller);
        void* object = behaviour.object(&rt::detail::server_identity<S>);
        if (!object) return from.refuse();
        auto work = [&] { return f(object); };
        from.reply(answer_of<T>(work));
      },
      timeout);
  auto answer = reply.take<Answer<T>>();
  if (!answer) throw_callback_failed(answer.error());
  if constexpr (!std::is_void_v<T>) return *std::move(answer);
}

// Runs f(handler) on the process of its manager; answers what f answers.
template <class H, class F>
auto with_handler(HandlerRef<H> handler, F f, Duration timeout) {
  using Manager = rt::detail::EventManagerServer;
  using T = std::invoke_result_t<F&, H&>;
  using Found = std::optional<rt::detail::ReplyValue<T>>;
  Found answer = with_object(
      ServerRef<Manager>(handler.manager()),
      [id = handler.id(), f = std::move(f)](void* manager) mutable -> Found {
        void* object = static_cast<Manager*>(manager)->find(id, &rt::detail::handler_identity<H>);
        if (!object) return std::nullopt;
        if constexpr (std::is_void_v<T>) {
          f(*static_cast<H*>(object));
          return Found(std::in_place);
        } else {
          return Found(std::in_place, f(*static_cast<H*>(object)));
        }
      },
      timeout);
  if (!answer) throw Manager::no_handler();
  if constexpr (!std::is_void_v<T>) return *std::move(answer);
}
}  // namespace detail

// Calls f(const S&), of a state machine f(const State&, const M&) or f(const M&), and answers what
// it answers.
template <class S, class F>
auto get_state(ServerRef<S> server, F f, Duration timeout = default_timeout) {
  return detail::with_object(
      server,
      [f = std::move(f)](void* object) mutable { return rt::detail::Requests<S>::look(object, f); },
      timeout);
}

// Calls f(S&), or f(State&, M&) or f(M&), on a copy, which becomes the state unless f throws. Of a
// class that cannot be copied f changes the object itself, and what it has changed stays.
template <class S, class F>
void replace_state(ServerRef<S> server, F f, Duration timeout = default_timeout) {
  detail::with_object(
      server,
      [f = std::move(f)](void* object) mutable { rt::detail::Requests<S>::change(object, f); },
      timeout);
}

// The same for a handler of an event manager: f(const H&), and f(H&) on a copy. noproc when it is
// not there. What f throws does not remove it.
template <class H, class F>
auto get_state(HandlerRef<H> handler, F f, Duration timeout = default_timeout) {
  return detail::with_handler(
      handler, [f = std::move(f)](H& object) mutable { return f(std::as_const(object)); }, timeout);
}
template <class H, class F>
void replace_state(HandlerRef<H> handler, F f, Duration timeout = default_timeout) {
  detail::with_handler(
      handler,
      [f = std::move(f)](H& object) mutable { rt::detail::change_copy(object, f); },
      timeout);
}

}  // namespace airssys::rt::sys
