// server.cpp: what servers and their callers do that needs no types.
#include <airssys/rt/dead_letter.hpp>
#include <airssys/rt/enter_loop.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/server.hpp>
#include <string>

namespace airssys::rt {

namespace {

CallError call_error(CallError::Kind kind, const std::string& what) {
  return {kind, ExitReason::error("airssys::rt::CallError", what), what};
}

CallError waits_for_itself() {
  return call_error(CallError::calling_self, "a process called itself, and would wait for ever");
}

// It waited for room until the deadline, or was not to wait.
CallError full(Pid server, Deadline deadline) {
  const std::string what = "request to " + server.to_string() + ": its mailbox is full";
  if (deadline.remaining() == Duration::zero())
    return {CallError::timeout, ExitReason::timeout(), what};
  return call_error(CallError::overloaded, what);
}

}  // namespace

namespace detail {

Exchange::Exchange(Pid server,
                   std::string_view server_class,
                   Message request,
                   Alias& caller,
                   CallUse use,
                   Deadline deadline)
    : server_(server), server_class_(server_class) {
  if (server == self()) return;
  pending_.emplace(server, use, request, caller, deadline);
  if (pending_->is_refused()) refusal_ = full(server, deadline);
}

std::expected<Message, CallError> Exchange::wait(Deadline deadline) {
  if (!pending_) return std::unexpected(waits_for_itself());
  if (refusal_) return std::unexpected(*refusal_);
  std::expected<Message, CallError> reply = pending_->wait(deadline);
  if (!reply) return reply;
  return result_of(*std::move(reply));
}

std::expected<Message, CallError> Exchange::result_of(Message message) const {
  if (const Down* down = message.get_if<Down>()) return std::unexpected(error_of(*down));
  if (const Refusal* refusal = message.get_if<Refusal>()) {
    const std::string server = server_.to_string();
    if (refusal->awaits_caller) {
      return std::unexpected(call_error(CallError::circle,
                                        "call to " + server + " would wait in a circle: " + server +
                                            " waits for " + self().to_string()));
    }
    return std::unexpected(call_error(
        CallError::wrong_type, server + " is no server of class " + std::string(server_class_)));
  }
  return message;
}

std::expected<void, CallError> cast_by(Pid server, Message request, Deadline deadline) {
  if (send_by(server, request.release(), deadline) != SendResult::full) return {};
  return std::unexpected(full(server, deadline));
}

void check_own_name(const LoopOptions& options) {
  const auto& [name, registry] = options;
  const std::optional<Pid> holder = registry ? registry->whereis_name(name) : whereis(name);
  if (holder != self()) {
    throw NameError(NameError::not_registered, name, holder.value_or(Pid()));
  }
}

void obey_system_message(Message& message) {
  if (auto* stop = message.get_if<StopRequest>()) exit(std::move(stop->reason));
  if (auto* end = message.get_if<Exit>(); end && is_order_to_end(*end)) {
    exit(std::move(end->reason));
  }
}

void reject_message(Message& message, std::string_view server) {
  const MessageType* type = header_of(message.payload()).type;
  if (type->dispatch) type->dispatch(nullptr, message.payload());
  std::string line("server ");
  line.append(server).append(" ").append(self().to_string());
  line.append(type->dispatch ? " refused a request to another class: "
                             : " dropped a message that it has no handle_info for: ");
  report(line.append(type->name));
  if (!type->is_call) drop_unwanted(message);
}

}  // namespace detail

std::expected<void, CallError> try_stop(Pid server, const ExitReason& reason, Duration timeout) {
  const Deadline deadline = Deadline::after(timeout);
  if (server == self()) return std::unexpected(waits_for_itself());
  detail::PendingCall pending(server, detail::CallUse::call);
  pending.make_sure();
  if (!pending.is_in_circle()) send(server, detail::StopRequest{reason});
  std::expected<Message, CallError> end = pending.wait(deadline);
  // Nobody has the address for a reply, so what comes is the server's end, or nothing.
  if (end || (end.error().kind() == CallError::exited && end.error().reason() == reason)) {
    return {};
  }
  return std::unexpected(std::move(end).error());
}

void stop(Pid server, const ExitReason& reason, Duration timeout) {
  detail::value_or_throw(try_stop(server, reason, timeout));
}

}  // namespace airssys::rt
