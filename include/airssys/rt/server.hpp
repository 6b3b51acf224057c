// server.hpp: servers: state that only its own process touches, behind requests.
//
//   struct Counter : rt::Server<Counter> {
//     struct Add { long by; };                            // names no Reply: it is cast
//     struct Value { using Reply = long; };               // names a Reply: it is called
//     void handle(Add add) { value_ += add.by; }
//     long handle(Value) { return value_; }
//     long value_ = 0;
//   };
//   rt::ServerRef<Counter> counter = rt::start_link<Counter>();
//   rt::cast(counter, Counter::Add{2});
//   long value = rt::call(counter, Counter::Value{});
//
// What a server class may have besides; what it does not have costs nothing:
//   void handle(Request, rt::From<Reply>)  the reply comes later, from whoever has the From (G8)
//   void init()                            the end of the start, before `start` returns; it may
//                                          answer an Init or a std::expected<void, ExitReason> (G2)
//   void handle_continue()                 after the start is acknowledged, before any message
//   void handle_info(rt::Message&)         all that is neither call nor cast (G10)
//   void handle_idle()                     nothing came for as long as rt::idle_after said (G13)
//   void terminate(const rt::ExitReason&)  after stop, a failed callback, the parent's exit (G15)
//   std::string format_state()             its state, for crash reports and sys::get_status (G19)
//
// The object is made on its own process, from the arguments that were given to `start`, and lives
// inside it: at rest a server has no stack. Handlers may block. What a callback throws ends the
// server with that reason, `rt::exit(reason)` included; `rt::exit_with_reply` answers a call last
// of all (G16). A server that traps exits ends with its parent's reason when the parent, who
// started it with a link, has ended (G14).
#pragma once

#include <airssys/rt/call.hpp>
#include <airssys/rt/detail/server_process.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/system.hpp>
#include <airssys/rt/time.hpp>
#include <airssys/rt/via.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// The base of server classes. It holds nothing.
template <class S>
class Server {
 protected:
  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility): a class may stand in between
  Server() = default;
  ~Server() = default;
};

// A pid that is taken for an S. If it is something else, calls fail with wrong_type and casts are
// dropped; handlers never see a foreign object (G5).
template <class S>
class ServerRef {
 public:
  constexpr ServerRef() noexcept = default;
  constexpr explicit ServerRef(Pid pid) noexcept : pid_(pid) {}
  constexpr Pid pid() const noexcept { return pid_; }
  friend constexpr auto operator<=>(const ServerRef&, const ServerRef&) noexcept = default;

 private:
  Pid pid_;
};

template <class S>
ServerRef<S> server_ref(Pid pid) noexcept {
  return ServerRef<S>(pid);
}
// Who has this name now. If nobody has it, calls fail with noproc and casts are dropped (G9).
template <class S>
ServerRef<S> server_ref(std::string_view name) {
  return ServerRef<S>(whereis(name).value_or(Pid()));
}
// The same in a registry of one's own (N10).
template <class S>
ServerRef<S> server_ref(Registry& registry, std::string_view name) {
  return ServerRef<S>(registry.whereis_name(name).value_or(Pid()));
}

// What start_monitor answers.
template <class S>
struct StartedServer {
  ServerRef<S> server;
  MonitorRef ref;
};

namespace detail {

template <class S, class... Args>
std::expected<ServerRef<S>, StartError> start_server(Linked linked,
                                                     const StartOptions& options,
                                                     Args&&... args) {
  PendingStart pending;
  Program* server = make_server<S>(pending.starter(), std::forward<Args>(args)...);
  std::expected<Pid, StartError> pid = start_unmonitored(pending, server, options, linked);
  if (!pid) return std::unexpected(std::move(pid).error());
  return ServerRef<S>(*pid);
}

}  // namespace detail

// Starts an S out of these arguments and waits until it has been made (G1): no link, linked to the
// caller, or monitored by it. Options, if any, stand in front of the arguments:
// `start_link<Counter>({.name = "counter"}, 40L)`. The `try_` verbs answer a StartError, the others
// throw it. For processes; suspends.
template <class S, class... Args>
[[nodiscard]] std::expected<ServerRef<S>, StartError> try_start(const StartOptions& options,
                                                                Args&&... args) {
  return detail::start_server<S>(detail::Linked::no, options, std::forward<Args>(args)...);
}
template <class S, class... Args>
[[nodiscard]] std::expected<ServerRef<S>, StartError> try_start_link(const StartOptions& options,
                                                                     Args&&... args) {
  return detail::start_server<S>(detail::Linked::yes, options, std::forward<Args>(args)...);
}
template <class S, class... Args>
[[nodiscard]] std::expected<StartedServer<S>, StartError> try_start_monitor(
    const StartOptions& options, Args&&... args) {
  detail::PendingStart pending;
  auto* server = detail::make_server<S>(pending.starter(), std::forward<Args>(args)...);
  std::expected<Spawned, StartError> started = pending.run(server, options, detail::Linked::no);
  if (!started) return std::unexpected(std::move(started).error());
  return StartedServer<S>{ServerRef<S>(started->pid), started->ref};
}

template <class S, class... Args>
ServerRef<S> start(const StartOptions& options, Args&&... args) {
  return detail::value_or_throw(try_start<S>(options, std::forward<Args>(args)...));
}
template <class S, class... Args>
ServerRef<S> start_link(const StartOptions& options, Args&&... args) {
  return detail::value_or_throw(try_start_link<S>(options, std::forward<Args>(args)...));
}
template <class S, class... Args>
StartedServer<S> start_monitor(const StartOptions& options, Args&&... args) {
  return detail::value_or_throw(try_start_monitor<S>(options, std::forward<Args>(args)...));
}

template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
[[nodiscard]] std::expected<ServerRef<S>, StartError> try_start(Args&&... args) {
  return try_start<S>(StartOptions(), std::forward<Args>(args)...);
}
template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
[[nodiscard]] std::expected<ServerRef<S>, StartError> try_start_link(Args&&... args) {
  return try_start_link<S>(StartOptions(), std::forward<Args>(args)...);
}
template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
[[nodiscard]] std::expected<StartedServer<S>, StartError> try_start_monitor(Args&&... args) {
  return try_start_monitor<S>(StartOptions(), std::forward<Args>(args)...);
}
template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
ServerRef<S> start(Args&&... args) {
  return start<S>(StartOptions(), std::forward<Args>(args)...);
}
template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
ServerRef<S> start_link(Args&&... args) {
  return start_link<S>(StartOptions(), std::forward<Args>(args)...);
}
template <class S, class... Args>
  requires(!detail::begins_with<StartOptions, Args...>)
StartedServer<S> start_monitor(Args&&... args) {
  return start_monitor<S>(StartOptions(), std::forward<Args>(args)...);
}

namespace detail {

template <class S, class R>
Message cast_message(R&& request) {
  using Request = std::remove_cvref_t<R>;
  static_assert(!Called<Request>, "this request names a Reply: use rt::call");
  static_assert(
      Requests<S>::template takes<Request>,
      "the class has no handle() that takes this request; a state machine, in each state");
  return Message(make_payload_as<Request>(cast_type<S, Request>, std::forward<R>(request)));
}

// A call's message, and the place in it for the address of the reply.
template <class R>
struct CallOnItsWay {
  Message message;
  Alias* caller;
};

template <class S, class R>
CallOnItsWay<R> make_call(R request) {
  static_assert(
      Requests<S>::template takes<R>,
      "the class has no handle() that takes this request; a state machine, in each state");
  void* payload = make_payload_as<CallMessage<R>>(call_type<S, R>, Alias(), std::move(request));
  return {Message(payload), &static_cast<CallMessage<R>*>(payload)->caller};
}

// One call, below the types: sends the request, whose reply goes to `caller`, which is set here. It
// waits no longer than `deadline` for room in the server's mailbox.
class Exchange {
 public:
  Exchange(Pid server,
           std::string_view server_class,
           Message request,
           Alias& caller,
           CallUse use = CallUse::request,
           Deadline deadline = Deadline::never());
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() = default;

  // The reply, or why there is none; after a time-out it may be asked again.
  std::expected<Message, CallError> wait(Deadline deadline);

  // The server's mailbox had no room by the deadline; `wait` answers that.
  bool is_refused() const noexcept { return refusal_.has_value(); }

  // For who waits for several at once: the tag of the reply and the id of the Down's ref; 0 when
  // the server cannot be asked, and `wait` answers why. Then what came is what `wait` would say.
  std::uint64_t id() const noexcept { return pending_ && !refusal_ ? pending_->alias().id : 0; }
  std::expected<Message, CallError> result_of(Message message) const;

 private:
  Pid server_;
  std::string_view server_class_;
  std::optional<PendingCall> pending_;  // empty: the server is the caller
  std::optional<CallError> refusal_;    // its mailbox was full
};

// Sends what has no reply. Fails only when the mailbox has no room by the deadline.
std::expected<void, CallError> cast_by(Pid server, Message request, Deadline deadline);

template <class T>
std::expected<T, CallError> reply_as(std::expected<Message, CallError> reply) {
  if (!reply) return std::unexpected(std::move(reply).error());
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return reply->template take<T>();
  }
}

}  // namespace detail

// Sends a request that has no reply. Never fails, also if nobody is there (G9); as `send`
// otherwise.
template <class S, class R>
void cast(ServerRef<S> server, R&& request) {
  send(server.pid(), detail::cast_message<S>(std::forward<R>(request)));
}
// The same through the registry's `send`, to whoever has the name there (N10).
template <class S, class R>
void cast(Registry& registry, std::string_view name, R&& request) {
  static_cast<void>(registry.send(name, detail::cast_message<S>(std::forward<R>(request))));
}
// The same from any thread of a program that holds a Runtime (P11).
template <class S, class R>
void cast(Runtime& runtime, ServerRef<S> server, R&& request) {
  runtime.send(server.pid(), detail::cast_message<S>(std::forward<R>(request)));
}

// Sends a request and waits for its reply (G5). The failure says which: no such process, it ended
// before it answered, it is no S, the time-out has passed (a late reply is dropped, G6), its
// mailbox is full and makes nobody wait: `overloaded`, the caller called itself, or one who waits
// for it in turn: `circle`, of up to 65 processes, without waiting for the time-out (G7). A mailbox
// that drops the oldest may drop the request unheard; then the time-out passes. `try_call` answers
// the CallError, `call` throws it. For processes; suspends. A negative time-out throws BadArgument;
// `rt::infinite` waits for as long as it takes.
template <class S, class R>
[[nodiscard]] std::expected<typename R::Reply, CallError> try_call(
    ServerRef<S> server, R request, Duration timeout = detail::Requests<S>::call_timeout) {
  const Deadline deadline = Deadline::after(timeout);
  detail::CallOnItsWay<R> call = detail::make_call<S>(std::move(request));
  detail::Exchange exchange(server.pid(),
                            detail::type_name<S>(),
                            std::move(call.message),
                            *call.caller,
                            detail::CallUse::call,
                            deadline);
  return detail::reply_as<typename R::Reply>(exchange.wait(deadline));
}
template <class S, class R>
typename R::Reply call(ServerRef<S> server,
                       R request,
                       Duration timeout = detail::Requests<S>::call_timeout) {
  return detail::value_or_throw(try_call(server, std::move(request), timeout));
}

// Asks a behaviour (a server, a supervisor) to end with this reason and waits until it is gone
// (G17). Ended with another reason, is not there, takes too long, is the caller itself, waits for
// the caller: CallError, `exited`, `noproc`, `timeout`, `calling_self`, `circle` (then it is not
// asked). For processes; suspends.
[[nodiscard]] std::expected<void, CallError> try_stop(
    Pid server, const ExitReason& reason = ExitReason::normal(), Duration timeout = infinite);
void stop(Pid server, const ExitReason& reason = ExitReason::normal(), Duration timeout = infinite);
template <class S>
[[nodiscard]] std::expected<void, CallError> try_stop(
    ServerRef<S> server,
    const ExitReason& reason = ExitReason::normal(),
    Duration timeout = infinite) {
  return try_stop(server.pid(), reason, timeout);
}
template <class S>
void stop(ServerRef<S> server,
          const ExitReason& reason = ExitReason::normal(),
          Duration timeout = infinite) {
  stop(server.pid(), reason, timeout);
}

}  // namespace airssys::rt
