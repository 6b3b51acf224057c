// server.cpp: what servers and their callers do that needs no types.
#include <airssys/rt/link.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/server.hpp>
#include <string>

namespace airssys::rt {

namespace {

CallError call_error(CallError::Kind kind, const std::string& what) {
  return {kind, ExitReason::error("airssys::rt::CallError", what), what};
}

// Why `server` cannot be asked at all, if so.
std::expected<void, CallError> check_callable(Pid server) {
  if (!server) {
    return std::unexpected(
        CallError(CallError::noproc, ExitReason::noproc(), "nobody has this name"));
  }
  if (server == self()) {
    return std::unexpected(
        call_error(CallError::calling_self, "a process called itself, and would wait for ever"));
  }
  return {};
}

}  // namespace

namespace detail {

Exchange::Exchange(Pid server, std::string_view server_class, Message request, Alias& caller)
    : server_(server), server_class_(server_class) {
  if (!check_callable(server)) return;
  pending_.emplace(server);
  caller = pending_->alias();
  send(server, std::move(request));
}

std::expected<Message, CallError> Exchange::wait(Deadline deadline) {
  if (!pending_) return std::unexpected(check_callable(server_).error());
  std::expected<Message, CallError> reply = pending_->wait(deadline);
  if (!reply) return reply;
  return result_of(*std::move(reply));
}

std::expected<Message, CallError> Exchange::result_of(Message message) const {
  if (const Down* down = message.get_if<Down>()) {
    const bool was_there = down->reason.kind() != ExitReason::Kind::noproc;
    return std::unexpected(
        CallError(was_there ? CallError::exited : CallError::noproc,
                  down->reason,
                  server_.to_string() + " ended before it answered: " + down->reason.to_string()));
  }
  if (message.is<WrongServer>()) {
    return std::unexpected(
        call_error(CallError::wrong_type,
                   server_.to_string() + " is no server of class " + std::string(server_class_)));
  }
  return message;
}

void obey_system_message(Message& message) {
  if (auto* stop = message.get_if<StopRequest>()) exit(std::move(stop->reason));
  if (auto* end = message.get_if<Exit>(); end && end->from == parent()) {
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
}

}  // namespace detail

std::expected<void, CallError> try_stop(Pid server, const ExitReason& reason, Duration timeout) {
  const Deadline deadline = Deadline::after(timeout);
  if (auto callable = check_callable(server); !callable) return callable;
  detail::PendingCall pending(server);
  send(server, detail::StopRequest{reason});
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
