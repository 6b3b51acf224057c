// observed.cpp: system requests, being suspended, and telling those who watch.
#include "supervision/observed.hpp"

#include <airssys/rt/detail/request_type.hpp>
#include <airssys/rt/detail/server_process.hpp>
#include <airssys/rt/from.hpp>
#include <airssys/rt/info.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <algorithm>
#include <memory>
#include <utility>

namespace airssys::rt::detail {

namespace {

// What a suspended behaviour still hears: system requests, stop, its parent's end (C2).
bool is_heard_while_suspended(void* /*context*/, void* payload) {
  const MessageType* type = header_of(payload).type;
  if (type->server == &system_identity || payload_if<StopRequest>(payload)) return true;
  const Exit* end = payload_if<Exit>(payload);
  return end && is_order_to_end(*end);
}

sys::Event event_of(const MessageType& type, Pid caller) {
  using Kind = sys::Event::Kind;
  sys::Event event{Kind::message, type.name, caller};
  if (type.server) event.kind = type.is_call ? Kind::call : Kind::cast;
  return event;
}

std::string text_of(const sys::Event& event) {
  constexpr std::string_view kinds[] = {"call", "cast", "message", "reply to", "no reply to"};
  std::string text(kinds[static_cast<std::size_t>(event.kind)]);
  text.append(" ").append(event.type);
  if (event.caller) text.append(" from ").append(event.caller.to_string());
  return text;
}

std::string_view handler_of(const MessageType& type) {
  if (type.server) return "handle";
  return &type == &message_type<StopRequest> ? "stop" : "handle_info";
}

// C5: a hook that is done, or fails, is taken away.
bool is_over(sys::Hook& hook, const sys::Event& event) {
  try {
    return hook(event) == sys::HookResult::done;
  } catch (...) {
    return true;
  }
}

}  // namespace

Alias asker_of(void* payload) noexcept {
  const MessageType& type = *header_of(payload).type;
  const bool is_question = type.is_call || &type == &system_request_type;
  return is_question ? *static_cast<const Alias*>(payload) : Alias();
}

void refuse_system_request(void* /*nobody*/, void* payload) {
  From<Done>(static_cast<SystemRequest*>(payload)->caller).refuse();
}

bool Observed::obey_system_request(Message& message) {
  if (header_of(message.payload()).type->server != &system_identity) return false;
  auto& request = *static_cast<SystemRequest*>(message.payload());
  request.work(*this, request.caller);
  return true;
}

// --- suspended ---

bool Observed::is_suspended() noexcept {
  const Watch* watch = word().watch();
  return watch && watch->is_suspended;
}

void Observed::suspend() {
  if (is_suspended()) return;
  watch().is_suspended = true;
  while (is_suspended()) {
    Message message(take_mail(&is_heard_while_suspended, nullptr, Deadline::never()));
    if (!obey_system_request(message)) obey_system_message(message);
  }
}

void Observed::resume() noexcept {
  if (Watch* watch = word().watch()) watch->is_suspended = false;
  drop_watch_if_idle();
}

// --- watched ---

Watch& Observed::watch() {
  if (!word().is_watched()) word().set_watch(new Watch);
  return *word().watch();
}

void Observed::drop_watch_if_idle() noexcept {
  if (const Watch* watch = word().watch(); watch && watch->is_idle()) unwatch();
}

void Observed::unwatch() noexcept {
  const std::unique_ptr<Watch> watch(word().watch());
  word().set_watch(nullptr);
}

void Observed::saw(const MessageType& type, Pid caller) {
  Watch* watch = word().watch();
  if (!watch) return;
  watch->has_replied = false;
  if (watch->counting) ++watch->counting->messages_in;
  happened(*watch, event_of(type, caller));
}

void Observed::replied(const MessageType& type, Pid caller) {
  Watch* watch = word().watch();
  if (!watch) return;
  watch->has_replied = true;
  if (watch->counting) ++watch->counting->messages_out;
  happened(*watch, {sys::Event::Kind::reply, type.name, caller});
}

void Observed::handled(const MessageType& type) {
  Watch* watch = word().watch();
  if (watch && !watch->has_replied) happened(*watch, {sys::Event::Kind::no_reply, type.name, {}});
}

void Observed::happened(Watch& watch, const sys::Event& event) {
  if (watch.is_traced) report(title() + ": " + text_of(event));
  if (watch.log_size > 0) {
    watch.log.push_back(text_of(event));
    if (watch.log.size() > watch.log_size) watch.log.pop_front();
  }
  if (!watch.hooks.empty()) {
    std::erase_if(watch.hooks, [&](auto& hook) { return is_over(hook.second, event); });
    drop_watch_if_idle();
  }
}

// --- failed ---

// A server's author knows the callbacks by other names than a behaviour's.
void Observed::describe(CrashContext& context) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"start", "init"}, {"ready", "handle_continue"}, {"idle", "handle_idle"}};
  for (const auto& [of_behaviour, of_server] : names) {
    if (context.callback == of_behaviour) context.callback = of_server;
  }
  if (context.callback == "message") context.callback = handler_of(*context.message);
}

std::string Observed::title() {
  const std::string_view* type = name();
  std::string text = std::string(type ? *type : "behaviour") + " " + self().to_string();
  const std::string registered = process_info(self())->name;
  if (!registered.empty()) text.append(" \"").append(registered).append("\"");
  return text;
}

}  // namespace airssys::rt::detail
