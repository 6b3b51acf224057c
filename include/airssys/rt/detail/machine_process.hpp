// machine_process.hpp: the process of a state machine class M, and how its events find handlers.
//
// Each event, a request, a time-out or an inserted one, is a message that carries its own dispatch
// function, as a server's requests do. It is handled in place and destroyed afterwards, unless it
// was postponed: so handlers are offered an lvalue first. What has not been handled yet and comes
// before the mailbox is kept by MachineCore.
#pragma once

#include <airssys/rt/detail/enumerators.hpp>
#include <airssys/rt/detail/machine_core.hpp>
#include <airssys/rt/detail/object_room.hpp>
#include <airssys/rt/detail/observed.hpp>
#include <airssys/rt/detail/on_unwind.hpp>
#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/detail/request_type.hpp>
#include <airssys/rt/detail/server_process.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/time.hpp>
#include <concepts>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace airssys::rt {

template <class M>
class StateMachine;

// A handler's first parameter: it is for this one state.
template <auto S>
struct In {
  static_assert(detail::may_be_state(S), "the values of a State are 0 to 63");
  // NOLINTNEXTLINE(google-explicit-constructor): a handler for all states takes the state itself
  constexpr operator decltype(S)() const noexcept { return S; }
};

// A state machine has used a verb where it must not, or has made an event that it does not handle
// in this state; uncaught, it ends the machine.
class BadAction : public ProcessError {
 public:
  explicit BadAction(const std::string& what);
};

namespace detail {

// --- which handler ---

template <class M, class I, class E>
concept HandlesInPlace = requires(M& m, I in, E& event) { m.handle(in, event); };
template <class M, class I, class E>
concept HandlesOwned = requires(M& m, I in, E& event) { m.handle(in, std::move(event)); };
template <class M, class I, class R>
concept DefersInPlace = requires(M& m, I in, R& request, From<typename R::Reply> from) {
  m.handle(in, request, std::move(from));
};
template <class M, class I, class R>
concept DefersOwned = requires(M& m, I in, R& request, From<typename R::Reply> from) {
  m.handle(in, std::move(request), std::move(from));
};
template <class M, class I, class E>
concept HandlesIn = HandlesInPlace<M, I, E> || HandlesOwned<M, I, E> || DefersInPlace<M, I, E> ||
                    DefersOwned<M, I, E>;

template <class M>
concept HasEnumeratedStates = std::is_scoped_enum_v<typename M::State>;

// Calls f with In<S> for the state S that `state` is, or with the state when it is no enumeration.
template <class M, class F>
void in_state(const typename M::State& state, F f) {
  using State = typename M::State;
  if constexpr (HasEnumeratedStates<M>) {
    constexpr auto& states = enumerators<State>;
    static_assert(!states.empty(), "State has no enumerator whose value is 0 to 63");
    const bool is_known = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((state == states[I] && (f(In<states[I]>()), true)) || ...);
    }(std::make_index_sequence<states.size()>());
    if (!is_known) throw_bad_action("the state is no enumerator of State");
  } else {
    f(state);
  }
}

template <class M, class E, bool in_each>
consteval bool is_handled() {
  if constexpr (HasEnumeratedStates<M>) {
    constexpr auto& states = enumerators<typename M::State>;
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return in_each ? (HandlesIn<M, In<states[I]>, E> && ...)
                     : (HandlesIn<M, In<states[I]>, E> || ...);
    }(std::make_index_sequence<states.size()>());
  } else {
    return HandlesIn<M, const typename M::State&, E>;
  }
}

template <class M>
std::string_view state_name(const typename M::State& state) {
  if constexpr (HasEnumeratedStates<M>) {
    const auto value = static_cast<std::size_t>(state);
    return value < enumerators_max ? enumerator_names<typename M::State>[value] : "?";
  } else {
    return type_name<typename M::State>();
  }
}

// --- the machine ---

// The state beside the object, and one event after the other.
template <class M>
class Machine : public MachineCore {
 public:
  using State = typename M::State;

  explicit Machine(M& data) noexcept : object_(data) {}

  // From `init`: the first state. Its enter handler runs and what init asked for is done.
  void begin() {
    enter(state);
    Message no_event;
    finish(no_event, false);
    run(next_event());
  }

  // Handles the event, and then all that comes before the next message.
  void run(Message event) {
    while (event) {
      handle_one(event);
      event = next_event();
      if (event) reductions(1);  // a safe point: a machine may go on by itself for ever
    }
  }

  template <class E>
  void handle_event(E& event) {
    in_state<M>(state, [&](auto in) {
      using I = decltype(in);
      if constexpr (HandlesInPlace<M, I, E>) {
        static_cast<void>(object_.handle(in, event));
      } else if constexpr (HandlesOwned<M, I, E>) {
        static_cast<void>(object_.handle(in, std::move(event)));
        check_not_postponed();
      } else {
        throw_unhandled(type_name<E>(), state_name<M>(state));
      }
    });
  }

  template <class R>
  void handle_call(R& request, From<typename R::Reply> from) {
    in_state<M>(state, [&](auto in) {
      using I = decltype(in);
      if constexpr (DefersInPlace<M, I, R>) {
        let_others_answer(from.address());
        object_.handle(in, request, std::move(from));
      } else if constexpr (DefersOwned<M, I, R>) {
        let_others_answer(from.address());
        object_.handle(in, std::move(request), std::move(from));
        check_not_postponed();
      } else if constexpr (HandlesInPlace<M, I, R>) {
        answer<R>(from, [&]() -> decltype(auto) { return object_.handle(in, request); });
      } else if constexpr (HandlesOwned<M, I, R>) {
        answer<R>(from, [&]() -> decltype(auto) { return object_.handle(in, std::move(request)); });
        check_not_postponed();
      } else {
        throw_unhandled(type_name<R>(), state_name<M>(state));
      }
    });
  }

  M& object() noexcept { return object_; }

  State state = {};
  std::optional<State> next;

 private:
  Message next_event() { return MachineCore::next(); }

  void handle_one(Message& event) {
    begin_event();
    next.reset();
    const MessageType* type = header_of(event.payload()).type;
    OnUnwind note([&] { failed_on(*type, caller_of(event)); });
    if (type->server == &server_identity<M>) {
      type->dispatch(this, event.payload());
    } else {
      handle_info(event);
      if (!event) check_not_postponed();
    }
    const bool is_changed = next && !(*next == state);  // H4
    if (is_changed) {
      const State old = std::exchange(state, *std::move(next));
      enter(old);
    } else if (is_repeated()) {
      enter(state);
    }
    finish(event, is_changed);
    note.disarm();
  }

  void enter(const State& old) {
    do {
      begin_enter();
      in_state<M>(state, [&](auto in) {
        if constexpr (requires { object_.enter(in, old); }) {
          object_.enter(in, old);
        } else if constexpr (requires { object_.enter(in); }) {
          object_.enter(in);
        }
      });
    } while (is_repeated());
  }

  void handle_info(Message& event) {
    in_state<M>(state, [&](auto in) {
      if constexpr (requires { object_.handle_info(in, event); }) {
        object_.handle_info(in, event);
      } else {
        reject_message(event, type_name<M>());
      }
    });
  }

  template <class R, class F>
  void answer(From<typename R::Reply>& from, F handle) {
    using Result = decltype(handle());
    const Pid caller = from.caller();
    if constexpr (!std::is_void_v<Result>) {
      Result reply = handle();
      if (is_postponed()) return;
      from.reply(std::forward<Result>(reply));
    } else {
      handle();
      if (is_postponed()) return;
      if constexpr (std::is_void_v<typename R::Reply>) {
        from.reply();
      } else {
        throw_bad_action("a handler has neither answered a request nor postponed it");
      }
    }
    if (is_observed() && caller) replied(call_type<M, R>, caller);
  }

  void check_not_postponed() const {
    if (is_postponed()) throw_bad_action("a handler has postponed an event that it took over");
  }

  M& object_;
};

// --- events of its own making ---

template <class M, class R>
Message make_call_event(R request, Alias caller) {
  static_assert(is_handled<M, R, false>(), "the machine has no handle() for this event");
  return Message(make_payload_as<CallMessage<R>>(call_type<M, R>, caller, std::move(request)));
}

template <class M, class E>
Message make_event(E event) {
  if constexpr (std::is_same_v<E, Message>) {
    if (!event) throw_bad_action("an event of its own is an empty message");
    return event;
  } else if constexpr (Called<E>) {
    return make_call_event<M>(std::move(event), Alias());
  } else {
    static_assert(is_handled<M, E, false>(), "the machine has no handle() for this event");
    return Message(make_payload_as<E>(cast_type<M, E>, std::move(event)));
  }
}

// --- the process ---

template <class M, class... Args>
class MachineProcess;

template <class M>
  requires std::derived_from<M, StateMachine<M>>
struct Requests<M> {
  static constexpr Duration call_timeout = infinite;  // H2
  template <class... Args>
  using Process = MachineProcess<M, Args...>;

  template <class R>
  static constexpr bool takes = is_handled<M, R, true>();
  template <class R>
  static constexpr bool answers = false;  // that is up to the state

  template <class R>
  static void cast(void* machine, void* payload) {
    if (machine) static_cast<Machine<M>*>(machine)->handle_event(*static_cast<R*>(payload));
  }

  template <class R>
  static void call(void* machine, void* payload) {
    auto& [caller, request] = *static_cast<CallMessage<R>*>(payload);
    From<typename R::Reply> from(caller);
    if (machine) {
      static_cast<Machine<M>*>(machine)->handle_call(request, std::move(from));
    } else {
      from.refuse();
    }
  }

  template <class F>
  static decltype(auto) look(void* target, F& f) {
    auto& machine = *static_cast<Machine<M>*>(target);
    if constexpr (std::invocable<F&, const typename M::State&, const M&>) {
      return f(std::as_const(machine.state), std::as_const(machine.object()));
    } else {
      return f(std::as_const(machine.object()));
    }
  }
  template <class F>
  static void change(void* target, F& f) {
    auto& machine = *static_cast<Machine<M>*>(target);
    auto change_both = [&](M& object) {
      if constexpr (std::invocable<F&, typename M::State&, M&>) {
        typename M::State state = machine.state;
        f(state, object);
        machine.state = std::move(state);
      } else {
        f(object);
      }
    };
    change_copy(machine.object(), change_both);
  }
};

template <class M, class... Args>
class MachineProcess final : public Observed {
 public:
  template <class... A>
  explicit MachineProcess(Starter starter, A&&... args)
      : room_(starter, std::forward<A>(args)...), machine_(room_.object()) {}
  MachineProcess(const MachineProcess&) = delete;
  MachineProcess& operator=(const MachineProcess&) = delete;
  ~MachineProcess() override { unwatch(); }

  const std::string_view* name() const noexcept override { return &program_name<M>; }

  void start() override {
    const Starter starter = room_.make();
    static_cast<StateMachine<M>&>(room_.object()).core_ = &machine_;
    machine_.begin_start();
    init(starter);
    starter.acknowledge();
  }

  bool takes_idle() const noexcept override { return false; }

  void ready() override { machine_.begin(); }

  void message(Message& message) override {
    if (obey_system_request(message)) return;
    const MessageType& type = *header_of(message.payload()).type;
    machine_.observe(room_.is_watched() ? this : nullptr);
    if (room_.is_watched()) saw(type, caller_of(message));
    handle(message, type);
    if (room_.is_watched()) handled(type);
  }

  void* object(const void* identity) noexcept override {
    return identity == &server_identity<M> ? &machine_ : nullptr;
  }
  RoomWord& word() noexcept override { return room_.word(); }

  void terminate(const ExitReason& reason) override {
    if constexpr (requires { room_.object().terminate(reason); }) {
      room_.object().terminate(reason);
    }
  }

  // "open, postponed: Door::Walk Door::Walk; " and what format_state() says.
  std::string format_state() override {
    std::string text(state_name<M>(machine_.state));
    text.append(machine_.postponed_text());
    if constexpr (requires { std::string(room_.object().format_state()); }) {
      text.append(": ").append(room_.object().format_state());
    }
    return text;
  }

  void describe(CrashContext& context) override {
    machine_.describe(context);
    Observed::describe(context);
  }

 private:
  void handle(Message& message, const MessageType& type) {
    if (type.server == &server_identity<M>) {
      machine_.run(std::move(message));
    } else if (auto* fired = message.get_if<TimerFired>()) {
      machine_.run(machine_.event_of(*fired));
    } else if (type.server) {
      reject_message(message, type_name<M>());
    } else {
      obey_system_message(message);
      machine_.run(std::move(message));
    }
  }

  // The first state, or why there is none (H17).
  void init(const Starter& starter) {
    using State = M::State;
    M& object = room_.object();
    if constexpr (requires {
                    { object.init() } -> std::same_as<std::optional<State>>;
                  }) {
      std::optional<State> first = object.init();
      if (!first) starter.ignore();
      machine_.state = *std::move(first);
    } else if constexpr (requires {
                           { object.init() } -> std::same_as<std::expected<State, ExitReason>>;
                         }) {
      std::expected<State, ExitReason> first = object.init();
      if (!first) starter.fail(first.error());
      machine_.state = *std::move(first);
    } else if constexpr (requires {
                           { object.init() } -> std::convertible_to<State>;
                         }) {
      machine_.state = object.init();
    } else {
      call_init(object, starter);
    }
  }

  ObjectRoom<M, Args...> room_;
  Machine<M> machine_;
};

}  // namespace detail
}  // namespace airssys::rt
