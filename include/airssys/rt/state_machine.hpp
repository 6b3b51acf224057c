// state_machine.hpp: state machines: servers whose handlers depend on a state.
//
//   class Door : public rt::StateMachine<Door> {
//    public:
//     enum class State { locked, open };
//     using enum State;
//     struct Press { char digit; };                       // cast: it names no Reply
//     struct Walk { using Reply = bool; };                // called
//
//     void handle(In<locked>, Press press) {
//       if (press.digit == '7') next_state(open);
//     }
//     void handle(In<locked>, const Walk&) { postpone(); }  // keeps it until the state changes
//     void enter(In<open>) { state_timeout(5s); }
//     void handle(In<open>, rt::StateTimeout) { next_state(locked); }
//     void handle(In<open>, Press) {}
//     bool handle(In<open>, Walk) { return true; }
//   };
//   rt::ServerRef<Door> door = rt::start_link<Door>();
//   rt::cast(door, Door::Press{'7'});
//   rt::call(door, Door::Walk{});                         // waits as long as it takes (H2)
//
// A machine is started, called, stopped and supervised like a server (server.hpp), and like one it
// rests without a stack. It differs in this:
//
// - Handlers take the state first. `handle(In<locked>, Event)` is for one state of an enumeration;
//   `handle(State, Event)` is for all states that have none of their own, and the only style when
//   State is no enumeration but any value that can be copied and compared (H1). A request must be
//   handled in each state, or it does not compile. An enumeration's values are 0 to 63: an In<> of
//   another does not compile, and a state of another ends the machine with BadAction.
// - The machine begins in the state that `State init()` answers, else in State{}. An empty
//   std::optional<State> is Init::ignore, the error of a std::expected<State, ExitReason> fails the
//   start without a crash; an init that names no state may answer what a server's does (H17).
// - A handler says what comes next by verbs of the base. They act when it has returned, in the
//   order that machine_core.hpp gives (H5). Without any, the state is kept.
// - `enter(In<open>)`, `enter(In<open>, State old)` and the same with a State are called when the
//   state has changed, at the start with the first state as the old one, and by repeat_state (H6).
//   They may set time-outs and reply; next_state, postpone and next_event throw BadAction there.
// - An event that is postponed is handled again, so events are handed over by reference where the
//   handler takes a reference, and copied where it takes a value. A handler that takes a value
//   which cannot be copied, or an rvalue reference, owns the event and cannot postpone it.
// - A handler that answers nothing to a request with a Reply has to postpone it, or to take a From.
// - `handle_info(In<open> or State, rt::Message&)`: all that is neither request nor time-out.
// - `rt::exit(reason)` ends the machine, normally or not; replies before it are on their way (H14).
#pragma once

#include <airssys/rt/detail/machine_process.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/time.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt {

// What time-outs are, as events, when they are started without a content of one's own.
struct StateTimeout {};
struct EventTimeout {};
struct NamedTimeout {
  std::string name;
};

// The base of state machine classes. Its verbs are for the machine's own handlers, and for init()
// where that makes sense; elsewhere they throw BadAction. None suspends.
template <class M>
class StateMachine {
 protected:
  template <auto S>
  using In = rt::In<S>;

  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility): a class may stand in between
  StateMachine() = default;
  // A copy is a look at the object (sys.hpp); it drives no machine.
  StateMachine(const StateMachine&) noexcept {}
  StateMachine& operator=(const StateMachine&) noexcept { return *this; }
  ~StateMachine() = default;

  // The state the machine is in; in a handler, the one that the event was handled in.
  const auto& state() const { return core().state; }

  // The next state. The same as now is no change (H4). The last call counts.
  template <class S>
  void next_state(S state) {
    core().check_may_change_state();
    core().next = std::move(state);
  }
  // Calls the enter handler of this state again; no state change otherwise.
  void repeat_state() { core().repeat_state(); }
  // Keeps this event until the state has changed, then handles it before all younger ones.
  void postpone() { core().postpone(); }

  // Inserts an event before all others, also those of the mailbox: one of the machine's own, or a
  // request, with the From it is to be answered to (H13). An rt::Message goes to handle_info.
  template <class E>
  void next_event(E event) {
    core().insert(detail::make_event<M>(std::move(event)));
  }
  template <class R>
  void next_event(R request, From<typename R::Reply> from) {
    core().insert(detail::make_call_event<M>(std::move(request), from.release()));
  }

  // Ends with a state change; starting it again replaces it; keeping the state keeps it (H9). After
  // a time or at one; zero comes before any message, `infinite` cancels.
  template <class E = StateTimeout>
  void state_timeout(Duration after, E event = {}) {
    start_after({detail::TimerKey::Kind::state}, after, std::move(event));
  }
  template <class E = StateTimeout>
  void state_timeout(Deadline at, E event = {}) {
    start_at({detail::TimerKey::Kind::state}, at, std::move(event));
  }
  // New content for it; if it does not run, it comes at once (H11).
  template <class E>
  void update_state_timeout(E event) {
    update({detail::TimerKey::Kind::state}, std::move(event));
  }
  void cancel_state_timeout() { cancel({detail::TimerKey::Kind::state}); }

  // Ends with any event that is handled (H8).
  template <class E = EventTimeout>
  void event_timeout(Duration after, E event = {}) {
    start_after({detail::TimerKey::Kind::event}, after, std::move(event));
  }
  template <class E = EventTimeout>
  void event_timeout(Deadline at, E event = {}) {
    start_at({detail::TimerKey::Kind::event}, at, std::move(event));
  }

  // By name, any number of them; only the machine ends them (H10).
  template <class E>
  void named_timeout(std::string_view name, Duration after, E event) {
    start_after(named(name), after, std::move(event));
  }
  void named_timeout(std::string_view name, Duration after) {
    start_after(named(name), after, NamedTimeout{std::string(name)});
  }
  template <class E>
  void named_timeout(std::string_view name, Deadline at, E event) {
    start_at(named(name), at, std::move(event));
  }
  void named_timeout(std::string_view name, Deadline at) {
    start_at(named(name), at, NamedTimeout{std::string(name)});
  }
  template <class E>
  void update_named_timeout(std::string_view name, E event) {
    update(named(name), std::move(event));
  }
  void cancel_named_timeout(std::string_view name) { cancel(named(name)); }

 private:
  template <class, class...>
  friend class detail::MachineProcess;

  auto& core() const {
    if (!core_) detail::throw_bad_action("a machine's verb was called before init()");
    return *static_cast<detail::Machine<M>*>(core_);
  }

  static detail::TimerKey named(std::string_view name) {
    return {detail::TimerKey::Kind::named, std::string(name)};
  }
  template <class E>
  void start_after(detail::TimerKey key, Duration after, E event) {
    core().order({.key = std::move(key),
                  .what = detail::TimerOrder::What::start_after,
                  .after = after,
                  .content = detail::make_event<M>(std::move(event))});
  }
  template <class E>
  void start_at(detail::TimerKey key, Deadline at, E event) {
    core().order({.key = std::move(key),
                  .what = detail::TimerOrder::What::start_at,
                  .at = at,
                  .content = detail::make_event<M>(std::move(event))});
  }
  template <class E>
  void update(detail::TimerKey key, E event) {
    core().order({.key = std::move(key),
                  .what = detail::TimerOrder::What::update,
                  .content = detail::make_event<M>(std::move(event))});
  }
  void cancel(detail::TimerKey key) {
    core().order({.key = std::move(key), .what = detail::TimerOrder::What::cancel});
  }

  detail::MachineCore* core_ = nullptr;
};

}  // namespace airssys::rt
