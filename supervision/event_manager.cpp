// event_manager.cpp: the process of an event manager, and the verbs that ask it.
#include <airssys/rt/detail/throw_site.hpp>
#include <airssys/rt/event_manager.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/report.hpp>
#include <algorithm>
#include <string>
#include <utility>

namespace airssys::rt {

namespace {

using detail::EventManagerServer;

// Why f failed, if it did. Only a forced unwind passes: it goes on at the end of the handler.
template <class F>
std::optional<ExitReason> guarded(F f) {
  try {
    f();
    return std::nullopt;
  } catch (...) {
    return reason_of_current_exception();
  }
}

StartError start_error(StartError::Kind kind, const ExitReason& reason, std::string_view what) {
  return {kind, reason, std::string(what) + ": " + reason.to_string()};
}

template <class R>
std::expected<std::uint64_t, StartError> ask_to_make(Pid manager, R request) {
  auto reply = try_call(ServerRef<EventManagerServer>(manager), std::move(request), infinite);
  if (reply) return *std::move(reply);
  return std::unexpected(
      StartError(StartError::error, reply.error().reason(), reply.error().what()));
}

std::expected<EventManagerRef, StartError> manager_ref(
    std::expected<ServerRef<EventManagerServer>, StartError> server) {
  if (!server) return std::unexpected(std::move(server).error());
  return EventManagerRef(server->pid());
}

// Of a handler, which is all that it ends; it is the last thing that failed.
void report_failure(std::string_view handler, std::string_view message, const ExitReason& reason) {
  if (!is_reported(Severity::error)) return;
  const std::string manager = self().to_string();
  std::string line("event manager ");
  line.append(manager).append(" removed handler ").append(handler).append(", which failed on ");
  line.append(message).append(": ").append(reason.to_string());
  detail::ThrowSite site = detail::last_throw_site();
  if (!site.place.empty()) line.append(", thrown at ").append(site.place);
  Report failure(Severity::error, "handler_crash", std::move(line));
  failure.add("pid", manager).add("handler", std::string(handler));
  failure.add("reason", reason.to_string()).add("message", std::string(message));
  if (!site.stack.empty()) failure.add("stack", std::move(site.stack));
  report(failure);
}

}  // namespace

namespace detail {

struct EventManagerServer::Entry {
  std::uint64_t id;
  std::unique_ptr<AnyHandler> handler;
  Pid owner;  // of a supervised one
};

void throw_no_predecessor() {
  throw BadArgument("the handler can only be made out of a predecessor, and there is none");
}

EventManagerServer::EventManagerServer() = default;
EventManagerServer::~EventManagerServer() = default;

void EventManagerServer::init() {
  trap_exit(true);
}

void EventManagerServer::handle_info(Message& event) {
  if (const Exit* end = event.get_if<Exit>()) end_of_owner(end->from, end->reason);
  dispatch(event);
}

void EventManagerServer::terminate(const ExitReason& reason) {
  for (Entry& entry : handlers_) {
    static_cast<void>(guarded([&] { entry.handler->terminate(reason); }));
    forget(std::move(entry), reason.is_orderly() ? ExitReason::shutdown() : reason, 0);
  }
  handlers_.clear();
}

std::string EventManagerServer::format_state() const {
  std::string text = "handlers:";
  for (const Entry& entry : handlers_) text.append(" ").append(entry.handler->type());
  return handlers_.empty() ? "no handlers" : text;
}

// --- events ---

void EventManagerServer::handle(SyncNotify notify) {
  dispatch(notify.event);
}

void EventManagerServer::dispatch(const Message& event) {
  for (std::size_t i = 0; i < handlers_.size();) {
    const std::uint64_t id = handlers_[i].id;
    std::pair<AnyHandler*, const Message*> to{handlers_[i].handler.get(), &event};
    const std::string_view type = event.type_name();
    run(
        id,
        type,
        [](void* argument) {
          auto& [handler, message] = *static_cast<decltype(to)*>(argument);
          handler->event(*message);
        },
        &to);
    if (i < handlers_.size() && handlers_[i].id == id) ++i;
  }
}

std::optional<ExitReason> EventManagerServer::run(std::uint64_t id,
                                                  std::string_view message,
                                                  void (*function)(void*),
                                                  void* argument) {
  std::optional<ExitReason> failure = guarded([&] { detail::call_noting(function, argument); });
  const auto entry = std::ranges::find(handlers_, id, &Entry::id);
  if (failure) {
    report_failure(entry->handler->type(), message, *failure);
    remove(id, *failure);
  } else if (entry->handler->is_leaving()) {
    remove(id, ExitReason::normal());
  }
  return failure;
}

// --- handlers ---

auto EventManagerServer::handle(Add add) -> Add::Reply {
  return make(add.make, nullptr, add.owner, ++ids_, handlers_.size());
}

auto EventManagerServer::handle(Swap swap) -> Swap::Reply {
  const std::uint64_t id = ++ids_;
  const auto old = std::ranges::find(handlers_, swap.id, &Entry::id);
  if (old == handlers_.end()) return make(swap.make, nullptr, swap.owner, id, handlers_.size());
  const auto place = static_cast<std::size_t>(old - handlers_.begin());
  Entry entry = std::move(*old);
  handlers_.erase(old);
  static_cast<void>(guarded([&] { entry.handler->terminate(ExitReason::normal()); }));
  std::expected<std::uint64_t, StartError> made =
      make(swap.make, entry.handler.get(), swap.owner ? swap.owner : entry.owner, id, place);
  const ExitReason reason = made ? ExitReason::normal() : made.error().reason();
  forget(std::move(entry), reason, made.value_or(0));
  return made;
}

std::expected<std::uint64_t, StartError> EventManagerServer::make(
    HandlerMaker& make, AnyHandler* predecessor, Pid owner, std::uint64_t id, std::size_t place) {
  std::unique_ptr<AnyHandler> handler;
  if (auto failure = guarded([&] { handler = make(predecessor); })) {
    return std::unexpected(
        start_error(StartError::error, *failure, "the handler could not be made"));
  }
  handlers_.insert(handlers_.begin() + static_cast<std::ptrdiff_t>(place),
                   Entry{id, std::move(handler), owner});
  if (owner) link_with(owner);
  return id;
}

// Unless it is linked already: to whoever started it, or by a link of the owner's own.
void EventManagerServer::link_with(Pid owner) {
  const std::vector<Pid> links = process_info(self())->links;
  if (std::ranges::find(links, owner) != links.end()) return;
  link(owner);
  linked_owners_.insert(owner);
}

auto EventManagerServer::handle(Remove request) -> Remove::Reply {
  if (std::ranges::find(handlers_, request.id, &Entry::id) == handlers_.end()) {
    return std::unexpected(no_handler());
  }
  remove(request.id, ExitReason::normal());
  return {};
}

auto EventManagerServer::handle(Which /*which*/) const -> Which::Reply {
  std::vector<HandlerInfo> info;
  info.reserve(handlers_.size());
  for (const Entry& entry : handlers_) {
    info.push_back({entry.id, entry.handler->type(), entry.owner});
  }
  return info;
}

void* EventManagerServer::find(std::uint64_t id, const void* identity) noexcept {
  const auto entry = std::ranges::find(handlers_, id, &Entry::id);
  return entry == handlers_.end() ? nullptr : entry->handler->object(identity);
}

void EventManagerServer::remove(std::uint64_t id, const ExitReason& reason) {
  const auto found = std::ranges::find(handlers_, id, &Entry::id);
  Entry entry = std::move(*found);
  handlers_.erase(found);
  static_cast<void>(guarded([&] { entry.handler->terminate(reason); }));
  forget(std::move(entry), reason, 0);
}

void EventManagerServer::end_of_owner(Pid owner, const ExitReason& reason) {
  for (;;) {
    const auto entry = std::ranges::find(handlers_, owner, &Entry::owner);
    if (entry == handlers_.end()) return;
    remove(entry->id, reason);
  }
}

// Its owner hears of it, and with its last handler goes the link that was made for them.
void EventManagerServer::forget(Entry entry, const ExitReason& reason, std::uint64_t successor) {
  if (!entry.owner) return;
  send(entry.owner, HandlerExit{self(), entry.id, reason, successor});
  const bool owns_others = std::ranges::any_of(
      handlers_, [&](const Entry& other) { return other.handler && other.owner == entry.owner; });
  if (!owns_others && linked_owners_.erase(entry.owner) > 0) unlink(entry.owner);
}

CallError EventManagerServer::no_handler() {
  return {CallError::noproc, ExitReason::noproc(), "the event manager has no such handler"};
}

CallError EventManagerServer::failed(ExitReason reason) {
  std::string what = "the handler failed: " + reason.to_string();
  return {CallError::exited, std::move(reason), std::move(what)};
}

std::expected<std::uint64_t, StartError> add_handler(Pid manager, HandlerMaker make, Pid owner) {
  return ask_to_make(manager, EventManagerServer::Add{std::move(make), owner});
}

std::expected<std::uint64_t, StartError> swap_handler(Pid manager,
                                                      std::uint64_t id,
                                                      HandlerMaker make,
                                                      Pid owner) {
  return ask_to_make(manager, EventManagerServer::Swap{id, std::move(make), owner});
}

std::expected<void, CallError> remove_handler(Pid manager, std::uint64_t id) {
  auto reply =
      try_call(ServerRef<EventManagerServer>(manager), EventManagerServer::Remove{id}, infinite);
  if (!reply) return std::unexpected(std::move(reply).error());
  return *std::move(reply);
}

}  // namespace detail

EventManagerRef::EventManagerRef(std::string_view name) : pid_(whereis(name).value_or(Pid())) {}

std::expected<EventManagerRef, StartError> try_start_event_manager(const StartOptions& options) {
  return manager_ref(try_start<EventManagerServer>(options));
}
std::expected<EventManagerRef, StartError> try_start_event_manager_link(
    const StartOptions& options) {
  return manager_ref(try_start_link<EventManagerServer>(options));
}
std::expected<StartedEventManager, StartError> try_start_event_manager_monitor(
    const StartOptions& options) {
  auto started = try_start_monitor<EventManagerServer>(options);
  if (!started) return std::unexpected(std::move(started).error());
  return StartedEventManager{started->server.pid(), started->ref};
}
EventManagerRef start_event_manager(const StartOptions& options) {
  return detail::value_or_throw(try_start_event_manager(options));
}
EventManagerRef start_event_manager_link(const StartOptions& options) {
  return detail::value_or_throw(try_start_event_manager_link(options));
}
StartedEventManager start_event_manager_monitor(const StartOptions& options) {
  return detail::value_or_throw(try_start_event_manager_monitor(options));
}

ChildSpec child_event_manager(std::string id, const ChildOptions& options) {
  return child<EventManagerServer>(std::move(id), options);
}

std::vector<HandlerInfo> which_handlers(EventManagerRef manager) {
  return call(ServerRef<EventManagerServer>(manager.pid()), EventManagerServer::Which());
}

}  // namespace airssys::rt
