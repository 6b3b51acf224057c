// event_manager_server.hpp: the process of an event manager: a server that keeps handlers.
//
// A handler's class is known where it is added and where it is asked; the manager knows it as a
// AnyHandler: something that takes messages. Every call into one is guarded: what it throws removes
// it and nobody else. Requests and events come through one mailbox, so an event that was sent
// before a handler was added is not seen by it, by its sender's order.
#pragma once

#include <airssys/rt/detail/type_name.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/server.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace airssys::rt {

struct HandlerInfo;

namespace detail {

template <class H>
inline constexpr char handler_identity = 0;

class AnyHandler {
 public:
  AnyHandler() = default;
  AnyHandler(const AnyHandler&) = delete;
  AnyHandler& operator=(const AnyHandler&) = delete;
  virtual ~AnyHandler() = default;

  virtual void event(const Message& event) = 0;
  virtual void terminate(const ExitReason& reason) = 0;
  // The handler's object, if this is the identity of its class, else null.
  virtual void* object(const void* identity) noexcept = 0;
  virtual bool is_leaving() const noexcept = 0;
  virtual std::string_view type() const noexcept = 0;
};

template <class H, class E>
bool take_event(H& handler, const Message& event) {
  static_assert(
      requires(const E& e) { handler.handle(e); },
      "the handler class has no handle() that takes this event as a const reference");
  const E* value = event.get_if<E>();
  if (value) handler.handle(*value);
  return value;
}

// What is of none of its types.
template <class H>
void take_other_event(H& handler, const Message& event) {
  if constexpr (requires { handler.handle_info(event); }) {
    handler.handle_info(event);
  } else {
    static_assert(
        !requires(Message& all) { handler.handle_info(all); },
        "handle_info() of a handler takes a const rt::Message&: others see it, too");
  }
}

template <class H>
class HandlerOf final : public AnyHandler {
 public:
  template <class... Args>
  explicit HandlerOf(Args&&... args) : object_(std::forward<Args>(args)...) {}

  void event(const Message& event) override { object_.take(object_, event); }
  void terminate(const ExitReason& reason) override {
    if constexpr (requires { object_.terminate(reason); }) object_.terminate(reason);
  }
  void* object(const void* identity) noexcept override {
    return identity == &handler_identity<H> ? &object_ : nullptr;
  }
  bool is_leaving() const noexcept override { return object_.is_leaving_; }
  std::string_view type() const noexcept override { return type_name<H>(); }

 private:
  H object_;
};

// Makes a handler, out of its predecessor if there is one.
using HandlerMaker = std::move_only_function<std::unique_ptr<AnyHandler>(AnyHandler* predecessor)>;

[[noreturn]] void throw_no_predecessor();

template <class H, class R>
struct HandlerCall {
  using Reply = std::expected<typename R::Reply, CallError>;
  std::uint64_t id;
  R request;
};

class EventManagerServer : public Server<EventManagerServer> {
 public:
  struct SyncNotify {
    using Reply = void;
    Message event;
  };
  struct Add {
    using Reply = std::expected<std::uint64_t, StartError>;
    HandlerMaker make;
    Pid owner;
  };
  struct Swap {
    using Reply = std::expected<std::uint64_t, StartError>;
    std::uint64_t id;
    HandlerMaker make;
    Pid owner;  // null: its predecessor's
  };
  struct Remove {
    using Reply = std::expected<void, CallError>;
    std::uint64_t id;
  };
  struct Which {
    using Reply = std::vector<HandlerInfo>;
  };

  EventManagerServer();
  EventManagerServer(const EventManagerServer&) = delete;
  EventManagerServer& operator=(const EventManagerServer&) = delete;
  ~EventManagerServer();

  void init();
  void handle_info(Message& event);
  void terminate(const ExitReason& reason);
  // The classes of its handlers, in the order in which they are called.
  std::string format_state() const;

  void handle(SyncNotify notify);
  Add::Reply handle(Add add);
  Swap::Reply handle(Swap swap);
  Remove::Reply handle(Remove remove);
  Which::Reply handle(Which which) const;

  template <class H, class R>
  HandlerCall<H, R>::Reply handle(HandlerCall<H, R> call) {
    using Reply = typename R::Reply;
    auto* object = static_cast<H*>(find(call.id, &handler_identity<H>));
    if (!object) return std::unexpected(no_handler());
    typename HandlerCall<H, R>::Reply reply = std::unexpected(no_handler());
    auto ask = [&] {
      if constexpr (std::is_void_v<Reply>) {
        call_handler(*object, call.request);
        reply = {};
      } else {
        reply = call_handler(*object, call.request);
      }
    };
    std::optional<ExitReason> failure =
        run(call.id, type_name<R>(), [](void* f) { (*static_cast<decltype(ask)*>(f))(); }, &ask);
    if (failure) return std::unexpected(failed(*std::move(failure)));
    return reply;
  }

  // The object of a handler that is there and of this class, else null.
  void* find(std::uint64_t id, const void* identity) noexcept;
  static CallError no_handler();

 private:
  struct Entry;

  // Calls a function of the handler, about a message of this type, and removes it if that fails or
  // it leaves. Why it failed.
  std::optional<ExitReason> run(std::uint64_t id,
                                std::string_view message,
                                void (*function)(void*),
                                void* argument);
  void dispatch(const Message& event);
  void link_with(Pid owner);
  void end_of_owner(Pid owner, const ExitReason& reason);
  void remove(std::uint64_t id, const ExitReason& reason);
  void forget(Entry entry, const ExitReason& reason, std::uint64_t successor);
  std::expected<std::uint64_t, StartError> make(
      HandlerMaker& make, AnyHandler* predecessor, Pid owner, std::uint64_t id, std::size_t place);

  static CallError failed(ExitReason reason);

  std::vector<Entry> handlers_;            // in the order in which they are called
  std::unordered_set<Pid> linked_owners_;  // for their handlers' sake
  std::uint64_t ids_ = 0;
};

std::expected<std::uint64_t, StartError> add_handler(Pid manager, HandlerMaker make, Pid owner);
std::expected<std::uint64_t, StartError> swap_handler(Pid manager,
                                                      std::uint64_t id,
                                                      HandlerMaker make,
                                                      Pid owner);
std::expected<void, CallError> remove_handler(Pid manager, std::uint64_t id);

}  // namespace detail
}  // namespace airssys::rt
