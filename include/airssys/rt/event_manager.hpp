// event_manager.hpp: event managers: one process that hands each event to any number of handlers.
//
//   struct Alarm { std::string what; };
//   struct AlarmLog : rt::EventHandler<AlarmLog, Alarm> {      // itself, and the events it takes
//     struct Count { using Reply = int; };
//     void handle(const Alarm&) { ++count_; }
//     int handle(Count) const { return count_; }
//     int count_ = 0;
//   };
//   rt::EventManagerRef alarms = rt::start_event_manager_link({.name = "alarms"});
//   rt::HandlerRef<AlarmLog> log = rt::add_handler<AlarmLog>(alarms);
//   rt::notify(alarms, Alarm{"disk full"});
//   int count = rt::call(log, AlarmLog::Count{});
//
// Handlers are objects that live in the manager's process, called in the order in which they were
// added; each event goes to those that take its type, and all see the same one. Whatever is sent to
// the manager is an event, so a timer's message is, and a Down for a handler that takes rt::Down.
// A handler with `handle_info(const rt::Message&)` gets there all that is of none of its types.
// A handler that throws is removed, and the manager goes on; `leave()` removes it, too. In either
// case, and when the manager ends, `terminate(const rt::ExitReason&)` is called if it has one:
// normal when it left or was removed, else why.
//
// A supervised handler is tied to the process that added it: when that ends, the handler is removed
// with its reason; when the handler is gone first, its owner gets a HandlerExit; and the two
// processes are linked meanwhile, so the owner hears of a manager that was killed. A link that was
// there before, as of who has started the manager with one, stays.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/detail/event_manager_server.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/start.hpp>
#include <airssys/rt/time.hpp>
#include <airssys/rt/via.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace airssys::rt {

// The base of handler classes: the class itself, and the types of the events that it takes.
template <class H, class... Events>
class EventHandler {
 protected:
  EventHandler() = default;
  ~EventHandler() = default;

  // Removes this handler when the callback that is running has returned.
  void leave() noexcept { is_leaving_ = true; }

 private:
  template <class>
  friend class detail::HandlerOf;

  static void take(H& handler, const Message& event) {
    if ((detail::take_event<H, Events>(handler, event) || ...)) return;
    detail::take_other_event(handler, event);
  }

  bool is_leaving_ = false;
};

// A manager, by pid or by the name that it has now.
class EventManagerRef {
 public:
  EventManagerRef() noexcept = default;
  EventManagerRef(Pid pid) noexcept : pid_(pid) {}  // NOLINT(google-explicit-constructor)
  EventManagerRef(std::string_view name);           // NOLINT(google-explicit-constructor)
  EventManagerRef(const char* name)                 // NOLINT(google-explicit-constructor)
      : EventManagerRef(std::string_view(name)) {}
  EventManagerRef(Registry& registry, std::string_view name)  // in a registry of one's own (N10)
      : pid_(registry.whereis_name(name).value_or(Pid())) {}
  Pid pid() const noexcept { return pid_; }

 private:
  Pid pid_;
};

// One handler in one manager. Its id is never given twice there.
template <class H>
class HandlerRef {
 public:
  HandlerRef() noexcept = default;
  HandlerRef(Pid manager, std::uint64_t id) noexcept : manager_(manager), id_(id) {}
  Pid manager() const noexcept { return manager_; }
  std::uint64_t id() const noexcept { return id_; }
  friend bool operator==(const HandlerRef&, const HandlerRef&) noexcept = default;

 private:
  Pid manager_;
  std::uint64_t id_ = 0;
};

// What start_event_manager_monitor answers.
struct StartedEventManager {
  EventManagerRef manager;
  MonitorRef ref;
};

// To the owner of a supervised handler that is gone: normal when it left or was removed, shutdown
// when its manager ended in order, else why it failed. One that was swapped names its successor.
// As an Exit it is in no mailbox's bounds, so no owner that is full holds the manager up (B1).
struct HandlerExit {
  Pid manager;
  std::uint64_t id;
  ExitReason reason;
  std::uint64_t successor = 0;
};
template <>
inline constexpr bool detail::is_system_message<HandlerExit> = true;

// --- the manager ---

// As the starts of servers (server.hpp); a manager begins without handlers.
[[nodiscard]] std::expected<EventManagerRef, StartError> try_start_event_manager(
    const StartOptions& options);
[[nodiscard]] std::expected<EventManagerRef, StartError> try_start_event_manager_link(
    const StartOptions& options);
[[nodiscard]] std::expected<StartedEventManager, StartError> try_start_event_manager_monitor(
    const StartOptions& options);
EventManagerRef start_event_manager(const StartOptions& options = {});
EventManagerRef start_event_manager_link(const StartOptions& options = {});
StartedEventManager start_event_manager_monitor(const StartOptions& options = {});
// One that a supervisor starts. Its handlers do not come back with it: add them supervised.
ChildSpec child_event_manager(std::string id, const ChildOptions& options = {});

// Hands an event to the handlers. As `send`: does not wait, and does not fail when nobody is there.
template <Sendable E>
void notify(EventManagerRef manager, E&& event) {
  send(manager.pid(), std::forward<E>(event));
}
// The same through the registry's `send`, to whoever has the name there (N10).
template <Sendable E>
void notify(Registry& registry, std::string_view name, E&& event) {
  static_cast<void>(registry.send(name, Message(detail::payload_of(std::forward<E>(event)))));
}
// Hands an event to the handlers, and waits until all have handled it. As `call` otherwise.
template <Sendable E>
[[nodiscard]] std::expected<void, CallError> try_sync_notify(
    EventManagerRef manager, E&& event, Duration timeout = std::chrono::seconds(5)) {
  return try_call(
      ServerRef<detail::EventManagerServer>(manager.pid()),
      detail::EventManagerServer::SyncNotify{Message(detail::payload_of(std::forward<E>(event)))},
      timeout);
}
template <Sendable E>
void sync_notify(EventManagerRef manager, E&& event, Duration timeout = std::chrono::seconds(5)) {
  detail::value_or_throw(try_sync_notify(manager, std::forward<E>(event), timeout));
}

struct HandlerInfo {
  std::uint64_t id;
  std::string_view type;  // the handler class's name
  Pid owner;              // of a supervised one
};
// In the order in which they are called. For processes; suspends. Throws CallError.
std::vector<HandlerInfo> which_handlers(EventManagerRef manager);

// --- handlers ---

namespace detail {

template <class H, class... Args>
HandlerMaker handler_maker(Args&&... args) {
  return
      [args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)](AnyHandler*) mutable {
        return std::apply(
            [](auto&... each) -> std::unique_ptr<AnyHandler> {
              return std::make_unique<HandlerOf<H>>(std::move(each)...);
            },
            args);
      };
}

// One that is made out of its predecessor, if it can be and there is one.
template <class Old, class New, class... Args>
HandlerMaker successor_maker(Args&&... args) {
  return [args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)](
             AnyHandler* old) mutable {
    return std::apply(
        [old](auto&... each) -> std::unique_ptr<AnyHandler> {
          if constexpr (std::is_constructible_v<New, Old&&, decltype(std::move(each))...>) {
            Old* predecessor =
                old ? static_cast<Old*>(old->object(&handler_identity<Old>)) : nullptr;
            if (predecessor) {
              return std::make_unique<HandlerOf<New>>(std::move(*predecessor), std::move(each)...);
            }
          }
          if constexpr (std::is_constructible_v<New, decltype(std::move(each))...>) {
            return std::make_unique<HandlerOf<New>>(std::move(each)...);
          } else {
            throw_no_predecessor();
          }
        },
        args);
  };
}

template <class H>
std::expected<HandlerRef<H>, StartError> handler_ref(Pid manager,
                                                     std::expected<std::uint64_t, StartError> id) {
  if (!id) return std::unexpected(std::move(id).error());
  return HandlerRef<H>(manager, *id);
}

}  // namespace detail

// Makes an H out of these arguments in the manager's process. Fails with a StartError that says why
// H could not be made, or that the manager is gone. For processes; suspends as long as it takes.
template <class H, class... Args>
[[nodiscard]] std::expected<HandlerRef<H>, StartError> try_add_handler(EventManagerRef manager,
                                                                       Args&&... args) {
  return detail::handler_ref<H>(
      manager.pid(),
      detail::add_handler(
          manager.pid(), detail::handler_maker<H>(std::forward<Args>(args)...), Pid()));
}
template <class H, class... Args>
HandlerRef<H> add_handler(EventManagerRef manager, Args&&... args) {
  return detail::value_or_throw(try_add_handler<H>(manager, std::forward<Args>(args)...));
}
// The same, tied to the calling process.
template <class H, class... Args>
[[nodiscard]] std::expected<HandlerRef<H>, StartError> try_add_supervised_handler(
    EventManagerRef manager, Args&&... args) {
  return detail::handler_ref<H>(
      manager.pid(),
      detail::add_handler(
          manager.pid(), detail::handler_maker<H>(std::forward<Args>(args)...), self()));
}
template <class H, class... Args>
HandlerRef<H> add_supervised_handler(EventManagerRef manager, Args&&... args) {
  return detail::value_or_throw(
      try_add_supervised_handler<H>(manager, std::forward<Args>(args)...));
}

// Removes it: its `terminate` gets normal. CallError noproc when it is not there any more.
template <class H>
[[nodiscard]] std::expected<void, CallError> try_remove_handler(HandlerRef<H> handler) {
  return detail::remove_handler(handler.manager(), handler.id());
}
template <class H>
void remove_handler(HandlerRef<H> handler) {
  detail::value_or_throw(try_remove_handler(handler));
}

// Puts a New in the place of an Old, between two events. Old's `terminate` gets normal; then New is
// made out of (Old&&, args...), or, if it has no such constructor or Old is gone, out of (args...).
// When that fails, neither is there. The owner of a supervised Old owns the New.
template <class New, class Old, class... Args>
[[nodiscard]] std::expected<HandlerRef<New>, StartError> try_swap_handler(HandlerRef<Old> old,
                                                                          Args&&... args) {
  return detail::handler_ref<New>(
      old.manager(),
      detail::swap_handler(old.manager(),
                           old.id(),
                           detail::successor_maker<Old, New>(std::forward<Args>(args)...),
                           Pid()));
}
template <class New, class Old, class... Args>
HandlerRef<New> swap_handler(HandlerRef<Old> old, Args&&... args) {
  return detail::value_or_throw(try_swap_handler<New>(old, std::forward<Args>(args)...));
}
// The same, with the New tied to the calling process, whoever owned the Old.
template <class New, class Old, class... Args>
[[nodiscard]] std::expected<HandlerRef<New>, StartError> try_swap_supervised_handler(
    HandlerRef<Old> old, Args&&... args) {
  return detail::handler_ref<New>(
      old.manager(),
      detail::swap_handler(old.manager(),
                           old.id(),
                           detail::successor_maker<Old, New>(std::forward<Args>(args)...),
                           self()));
}
template <class New, class Old, class... Args>
HandlerRef<New> swap_supervised_handler(HandlerRef<Old> old, Args&&... args) {
  return detail::value_or_throw(try_swap_supervised_handler<New>(old, std::forward<Args>(args)...));
}

// Asks one handler. As a call to a server, and besides: noproc when the handler is not there,
// exited, with its reason, when it failed in this request and was removed.
template <class H, class R>
[[nodiscard]] std::expected<typename R::Reply, CallError> try_call(
    HandlerRef<H> handler, R request, Duration timeout = std::chrono::seconds(5)) {
  auto reply = try_call(ServerRef<detail::EventManagerServer>(handler.manager()),
                        detail::HandlerCall<H, R>{handler.id(), std::move(request)},
                        timeout);
  if (!reply) return std::unexpected(std::move(reply).error());
  return *std::move(reply);
}
template <class H, class R>
typename R::Reply call(HandlerRef<H> handler,
                       R request,
                       Duration timeout = std::chrono::seconds(5)) {
  return detail::value_or_throw(try_call(handler, std::move(request), timeout));
}

}  // namespace airssys::rt
