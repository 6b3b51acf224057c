// server_process.hpp: the process of a server class S, and the messages that are requests to it.
//
// A request travels as a message type of its own, made for the pair of server class and request. It
// holds the identity of S and a function that calls the right `handle`. The process compares the
// identity before it calls: that is all there is to dispatch, and a foreign request is refused.
//
// The server object and the arguments it is made of share their room inside the behaviour: first
// the arguments, and once the process runs, the object. One allocation holds a server.
#pragma once

#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/start.hpp>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// What `Init init()` answers; one that cannot start throws.
enum class Init : bool {
  ok,
  ignore,  // do not run: `start` fails with StartError::ignore, the process ends with normal (G2)
};

namespace detail {

// --- requests ---

template <class S>
inline constexpr char server_identity = 0;

template <class R>
concept Called = requires { typename R::Reply; };

template <class S, class R>
concept TakesByValue = requires(S& server, R& request) { server.handle(std::move(request)); };
template <class S, class R>
concept TakesByReference = requires(S& server, R& request) { server.handle(request); };
template <class S, class R>
concept Defers = requires(S& server, R& request, From<typename R::Reply> from) {
  server.handle(std::move(request), std::move(from));
};

template <class S, class R>
decltype(auto) call_handler(S& server, R& request) {
  static_assert(TakesByValue<S, R> || TakesByReference<S, R>,
                "the server class has no handle() that takes this request");
  if constexpr (TakesByValue<S, R>) {
    return server.handle(std::move(request));
  } else {
    return server.handle(request);
  }
}

template <class S, class R>
void dispatch_cast(void* server, void* payload) {
  if (!server) return;
  static_cast<void>(call_handler(*static_cast<S*>(server), *static_cast<R*>(payload)));
}

template <class R>
struct CallMessage {
  Alias caller;
  R request;
};

template <class S, class R>
void dispatch_call(void* server, void* payload) {
  using Reply = typename R::Reply;
  auto& [caller, request] = *static_cast<CallMessage<R>*>(payload);
  From<Reply> from(caller);
  if (!server) {
    from.refuse();
  } else if constexpr (Defers<S, R>) {
    static_cast<S*>(server)->handle(std::move(request), std::move(from));
  } else if constexpr (std::is_void_v<Reply>) {
    call_handler(*static_cast<S*>(server), request);
    from.reply();
  } else {
    from.reply(call_handler(*static_cast<S*>(server), request));
  }
}

// Of a server's request types. A process that is not of class S calls dispatch with a null server,
// which tells the caller, if there is one (G5).
template <class S, class R>
inline constexpr MessageType cast_type{
    sizeof(R), destroyer<R>(), type_name<R>(), &server_identity<S>, &dispatch_cast<S, R>};
template <class S, class R>
inline constexpr MessageType call_type{sizeof(CallMessage<R>),
                                       destroyer<CallMessage<R>>(),
                                       type_name<R>(),
                                       &server_identity<S>,
                                       &dispatch_call<S, R>};

// --- the process ---

// Asks a behaviour to end with this reason (G17).
struct StopRequest {
  ExitReason reason;
};

// What every server obeys: throws its reason for a StopRequest, and for the parent's Exit (G14).
void obey_system_message(Message& message);
// Refuses a request to another server class, and reports what has no handler (G5, G10).
void reject_message(Message& message, std::string_view server);

template <class S, class... Args>
class ServerProcess final : public Behaviour {
 public:
  template <class... A>
  explicit ServerProcess(Starter starter, A&&... args)
      : arguments_{starter, std::tuple<Args...>(std::forward<A>(args)...)} {}
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() override {
    if (holds_ == Holds::arguments) std::destroy_at(&arguments_);
    if (holds_ == Holds::server) std::destroy_at(&server_);
  }

  const std::string_view* name() const noexcept override { return &program_name<S>; }

  void start() override {
    Arguments arguments = std::move(arguments_);
    std::destroy_at(&arguments_);
    holds_ = Holds::nothing;
    std::apply([this](Args&... args) { std::construct_at(&server_, std::move(args)...); },
               arguments.values);
    holds_ = Holds::server;
    if (init() == Init::ignore) {
      arguments.starter.ignore();
      exit(ExitReason::normal());
    }
    arguments.starter.acknowledge();
  }

  void ready() override {
    if constexpr (requires { server_.handle_continue(); }) server_.handle_continue();
  }

  void message(Message& message) override {
    const MessageType* type = header_of(message.payload()).type;
    if (type->server == &server_identity<S>) {
      type->dispatch(&server_, message.payload());
    } else if (type->server) {
      reject_message(message, type_name<S>());
    } else {
      obey_system_message(message);
      if constexpr (requires { server_.handle_info(message); }) {
        server_.handle_info(message);
      } else {
        reject_message(message, type_name<S>());
      }
    }
  }

  void idle() override {
    if constexpr (requires { server_.handle_idle(); }) server_.handle_idle();
  }

  void terminate(const ExitReason& reason) override {
    if constexpr (requires { server_.terminate(reason); }) server_.terminate(reason);
  }

 private:
  struct Arguments {
    Starter starter;
    std::tuple<Args...> values;
  };
  enum class Holds : std::uint8_t { arguments, nothing, server };

  Init init() {
    if constexpr (requires {
                    { server_.init() } -> std::same_as<Init>;
                  }) {
      return server_.init();
    } else {
      if constexpr (requires { server_.init(); }) server_.init();
      return Init::ok;
    }
  }

  union {
    Arguments arguments_;
    S server_;
  };
  Holds holds_ = Holds::arguments;
};

template <class S, class... Args>
Program* make_server(const Starter& starter, Args&&... args) {
  static_assert(std::is_constructible_v<S, std::decay_t<Args>...>,
                "the server class has no constructor that takes these arguments, as rvalues");
  return new ServerProcess<S, std::decay_t<Args>...>(starter, std::forward<Args>(args)...);
}

}  // namespace detail
}  // namespace airssys::rt
