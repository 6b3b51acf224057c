// request.hpp: calls whose reply is fetched later, and one request to many servers.
//
//   rt::PendingReply<long> value = rt::send_request(counter, Counter::Value{});
//   ...                                      // does something else meanwhile
//   long now = value.get();
//
// A pending reply watches its server from the moment it was made, so it always comes to an end: a
// reply, or why there will be none (G5). One that is destroyed is given up, and a late reply to it
// is dropped (G6). For processes; it belongs to the process that made it.
#pragma once

#include <airssys/rt/server.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace airssys::rt {

template <class T>
class PendingReply {
 public:
  // Waits for so long; nothing if there is no reply yet, and then it may be asked again (G9).
  // With zero it only looks. Suspends.
  std::optional<std::expected<T, CallError>> wait(Duration timeout) {
    std::expected<T, CallError> result = result_by(Deadline::after(timeout));
    if (!result && result.error().kind() == CallError::timeout) return std::nullopt;
    return result;
  }

  // As `call`: waits, and throws the CallError; after a time-out the reply is given up.
  T get(Duration timeout = std::chrono::seconds(5)) {
    return detail::value_or_throw(try_get(timeout));
  }
  std::expected<T, CallError> try_get(Duration timeout = std::chrono::seconds(5)) {
    return try_get_by(Deadline::after(timeout));
  }
  std::expected<T, CallError> try_get_by(Deadline deadline) {
    std::expected<T, CallError> result = result_by(deadline);
    exchange_.reset();
    return result;
  }

  // For the library.
  explicit PendingReply(std::unique_ptr<detail::Exchange> exchange)
      : exchange_(std::move(exchange)) {}

 private:
  std::expected<T, CallError> result_by(Deadline deadline) {
    if (!exchange_) throw BadArgument("this reply has been fetched, or given up");
    return detail::reply_as<T>(exchange_->wait(deadline));
  }

  std::unique_ptr<detail::Exchange> exchange_;
};

// Sends a request and does not wait. A server that is not there shows when the reply is fetched.
template <class S, class R>
PendingReply<typename R::Reply> send_request(ServerRef<S> server, R request) {
  detail::CallOnItsWay<R> call = detail::make_call<S>(std::move(request));
  return PendingReply<typename R::Reply>(std::make_unique<detail::Exchange>(
      server.pid(), detail::type_name<S>(), std::move(call.message), *call.caller));
}

// The same request to many servers at once; answers their replies in the servers' order when all
// have come, or at the one time-out that they share (G21). A failure of one is its own.
template <class S, class R>
std::vector<std::expected<typename R::Reply, CallError>> multi_call(
    const std::vector<ServerRef<S>>& servers,
    const R& request,
    Duration timeout = std::chrono::seconds(5)) {
  Deadline deadline = Deadline::after(timeout);
  std::vector<PendingReply<typename R::Reply>> pending;
  pending.reserve(servers.size());
  for (ServerRef<S> server : servers) pending.push_back(send_request(server, request));
  std::vector<std::expected<typename R::Reply, CallError>> replies;
  replies.reserve(servers.size());
  for (auto& reply : pending) replies.push_back(reply.try_get_by(deadline));
  return replies;
}

}  // namespace airssys::rt
