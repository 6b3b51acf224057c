// server_process.hpp: the process of a server class S, and how its requests find their handlers.
#pragma once

#include <airssys/rt/detail/object_room.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/request_type.hpp>
#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <concepts>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

// What `Init init()` answers.
enum class Init : bool {
  ok,
  ignore,  // do not run: `start` fails with StartError::ignore, the process ends with normal (G2)
};

namespace detail {

// --- requests ---

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

// C3: what f does to a copy counts once f has returned.
template <class S, class F>
void change_copy(S& object, F& f) {
  if constexpr (std::copyable<S>) {
    S copy(object);
    f(copy);
    object = std::move(copy);
  } else {
    f(object);
  }
}

template <class S, class... Args>
class ServerProcess;

template <class S>
struct Requests {
  static constexpr Duration call_timeout = std::chrono::seconds(5);
  template <class... Args>
  using Process = ServerProcess<S, Args...>;

  template <class R>
  static constexpr bool takes = TakesByValue<S, R> || TakesByReference<S, R> || Defers<S, R>;
  template <class R>
  static constexpr bool answers = !Defers<S, R>;

  template <class R>
  static void cast(void* server, void* payload) {
    if (!server) return;
    static_cast<void>(call_handler(*static_cast<S*>(server), *static_cast<R*>(payload)));
  }

  template <class R>
  static void call(void* server, void* payload) {
    using Reply = typename R::Reply;
    auto& [caller, request] = *static_cast<CallMessage<R>*>(payload);
    From<Reply> from(caller);
    if (!server) {
      from.refuse();
    } else if constexpr (Defers<S, R>) {
      let_others_answer(caller);
      static_cast<S*>(server)->handle(std::move(request), std::move(from));
    } else if constexpr (std::is_void_v<Reply>) {
      call_handler(*static_cast<S*>(server), request);
      from.reply();
    } else {
      from.reply(call_handler(*static_cast<S*>(server), request));
    }
  }

  template <class F>
  static decltype(auto) look(void* server, F& f) {
    return f(*static_cast<const S*>(server));
  }
  template <class F>
  static void change(void* server, F& f) {
    change_copy(*static_cast<S*>(server), f);
  }
};

// --- the process ---

// Asks a behaviour to end with this reason (G17).
struct StopRequest {
  ExitReason reason;
};
template <>
inline constexpr bool is_system_message<StopRequest> = true;

// Calls init(), if there is one; does not return when that answers that the process is not to run.
template <class S>
void call_init(S& object, const Starter& starter) {
  if constexpr (requires { object.init(); }) {
    using Result = decltype(object.init());
    if constexpr (std::is_same_v<Result, Init>) {
      if (object.init() == Init::ignore) starter.ignore();
    } else if constexpr (std::is_same_v<Result, std::expected<void, ExitReason>>) {
      if (Result result = object.init(); !result) starter.fail(result.error());
    } else {
      static_assert(std::is_void_v<Result>,
                    "init() answers nothing, an rt::Init, a std::expected<void, rt::ExitReason>, "
                    "or, of a state machine, its first State in one of its forms");
      object.init();
    }
  }
}

// What every server obeys: throws its reason for a StopRequest, and for the parent's Exit (G14).
void obey_system_message(Message& message);
// Refuses a request to another server class, and reports what has no handler (G5, G10).
void reject_message(Message& message, std::string_view server);

template <class S, class... Args>
class ServerProcess final : public Observed {
 public:
  template <class... A>
  explicit ServerProcess(Starter starter, A&&... args) : room_(starter, std::forward<A>(args)...) {}

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() override { unwatch(); }

  const std::string_view* name() const noexcept override { return &program_name<S>; }

  void start() override {
    const Starter starter = room_.make();
    call_init(server(), starter);
    starter.acknowledge();
  }

  void ready() override {
    if constexpr (requires { server().handle_continue(); }) {
      server().handle_continue();
    }
  }

  void message(Message& message) override {
    const MessageType* type = header_of(message.payload()).type;
    if (type->server == &server_identity<S> && !room_.is_watched()) {
      type->dispatch(&server(), message.payload());
    } else {
      take(message);
    }
  }

  void* object(const void* identity) noexcept override {
    return identity == &server_identity<S> ? &server() : nullptr;
  }
  RoomWord& word() noexcept override { return room_.word(); }

  bool takes_idle() const noexcept override {
    return requires(S& server) { server.handle_idle(); };
  }
  void idle() override {
    if constexpr (requires { server().handle_idle(); }) {
      server().handle_idle();
    }
  }

  void terminate(const ExitReason& reason) override {
    if constexpr (requires { server().terminate(reason); }) server().terminate(reason);
  }

  std::string format_state() override { return state_text_of(server()); }

 private:
  S& server() noexcept { return room_.object(); }

  // Any message, watched or not.
  void take(Message& message) {
    if (obey_system_request(message)) return;
    const MessageType* type = header_of(message.payload()).type;
    const Pid caller = caller_of(message);
    if (room_.is_watched()) saw(*type, caller);
    handle(message, type);
    if (!room_.is_watched()) return;
    if (type->is_answered) replied(*type, caller);
    handled(*type);
  }

  void handle(Message& message, const MessageType* type) {
    if (type->server == &server_identity<S>) {
      type->dispatch(&server(), message.payload());
    } else if (type->server) {
      reject_message(message, type_name<S>());
    } else {
      obey_system_message(message);
      if constexpr (requires { server().handle_info(message); }) {
        server().handle_info(message);
      } else {
        reject_message(message, type_name<S>());
      }
    }
  }

  ObjectRoom<S, Args...> room_;
};

// Of a server or state machine.
template <class S, class... Args>
Program* make_server(const Starter& starter, Args&&... args) {
  static_assert(std::is_constructible_v<S, std::decay_t<Args>...>,
                "the class has no constructor that takes these arguments, as rvalues");
  using Process = typename Requests<S>::template Process<std::decay_t<Args>...>;
  return new Process(starter, std::forward<Args>(args)...);
}

}  // namespace detail
}  // namespace airssys::rt
