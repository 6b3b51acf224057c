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

#include <airssys/rt/detail/reply_set.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/server.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <type_traits>
#include <unordered_map>
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
    exchange_.reset();
    return result;
  }

  // For a process that takes its messages itself, as a server does in handle_info: what this
  // message says, if it is the reply or the news that there will be none; else nothing.
  std::optional<std::expected<T, CallError>> check(Message& message) {
    check_open();
    const std::uint64_t id = exchange_->id();  // 0: it was never asked, and `wait` says why
    if (!message || id == 0 || detail::answered_number(message) != id) return std::nullopt;
    std::expected<T, CallError> result =
        detail::reply_as<T>(exchange_->result_of(std::move(message)));
    exchange_.reset();
    return result;
  }

  // As `call`: waits, and throws the CallError; after a time-out the reply is given up.
  T get(Duration timeout = std::chrono::seconds(5)) {
    return detail::value_or_throw(try_get(timeout));
  }
  [[nodiscard]] std::expected<T, CallError> try_get(Duration timeout = std::chrono::seconds(5)) {
    std::expected<T, CallError> result = result_by(Deadline::after(timeout));
    exchange_.reset();
    return result;
  }

  // For the library.
  explicit PendingReply(std::unique_ptr<detail::Exchange> exchange)
      : exchange_(std::move(exchange)) {}

 private:
  std::expected<T, CallError> result_by(Deadline deadline) {
    check_open();
    return detail::reply_as<T>(exchange_->wait(deadline));
  }
  void check_open() const {
    if (!exchange_) throw BadArgument("this reply has been fetched, or given up");
  }

  std::unique_ptr<detail::Exchange> exchange_;
};

namespace detail {

// Waits no longer than `deadline` for room in the server's mailbox.
template <class S, class R>
std::unique_ptr<Exchange> ask(ServerRef<S> server,
                              R request,
                              Deadline deadline = Deadline::never()) {
  CallOnItsWay<R> call = make_call<S>(std::move(request));
  return std::make_unique<Exchange>(server.pid(),
                                    type_name<S>(),
                                    std::move(call.message),
                                    *call.caller,
                                    CallUse::request,
                                    deadline);
}

}  // namespace detail

// Sends a request, as `send` does: it waits for nothing but room in a mailbox whose policy is
// `block`, and for that as long as it takes (B2). A server that is not there, or is full, shows
// when the reply is fetched.
template <class S, class R>
PendingReply<typename R::Reply> send_request(ServerRef<S> server, R request) {
  return PendingReply<typename R::Reply>(detail::ask(server, std::move(request)));
}

// Why a collection of requests has nothing to answer.
enum class NoReply : std::uint8_t {
  timeout,     // nothing came in time
  no_request,  // none is left to wait for
};

// Requests whose replies are taken as they come (G9):
//
//   rt::PendingReplies<long, std::string> values;
//   for (auto& [name, counter] : counters) values.send(counter, Counter::Value{}, name);
//   while (!values.empty()) {
//     auto [name, value] = values.wait(1s).value();  // the first one that is over
//   }
//
// Each carries a label of one's own. A failure is a reply, too. Those that are left when it is
// destroyed are given up. For processes; stays where it was made.
template <class T, class Label = std::size_t>
class PendingReplies {
 public:
  struct Arrived {
    Label label;
    std::expected<T, CallError> reply;
  };

  // Sends a request, as send_request does.
  template <class S, class R>
    requires std::same_as<typename R::Reply, T>
  void send(ServerRef<S> server, R request, Label label) {
    const std::size_t key = ++keys_;
    labels_.emplace(key, std::move(label));
    set_.add(key, detail::ask(server, std::move(request)));
  }

  bool empty() const noexcept { return set_.size() == 0; }
  std::size_t size() const noexcept { return set_.size(); }

  // The next one that is over. If none is in time all stay, and may be waited for again. Suspends.
  std::expected<Arrived, NoReply> wait(Duration timeout = infinite) {
    const Deadline deadline = Deadline::after(timeout);
    if (empty()) return std::unexpected(NoReply::no_request);
    std::optional<detail::ReplySet::Arrived> arrived = set_.wait(deadline);
    if (!arrived) return std::unexpected(NoReply::timeout);
    return labelled(*std::move(arrived));
  }

  // As PendingReply::check: which of them this message is about, if any.
  std::optional<Arrived> check(Message& message) {
    std::optional<detail::ReplySet::Arrived> arrived = set_.check(message);
    if (!arrived) return std::nullopt;
    return labelled(*std::move(arrived));
  }

 private:
  Arrived labelled(detail::ReplySet::Arrived arrived) {
    auto label = labels_.extract(arrived.key);
    return Arrived{std::move(label.mapped()), detail::reply_as<T>(std::move(arrived.reply))};
  }

  detail::ReplySet set_;
  std::unordered_map<std::size_t, Label> labels_;
  std::size_t keys_ = 0;
};

// The same request to many servers at once; answers their replies in the servers' order when all
// have come, or at the one time-out that they share (G21). A failure of one is its own: a server
// without room in its mailbox is tried again when all others have been asked.
template <class S, class R>
std::vector<std::expected<typename R::Reply, CallError>> multi_call(
    const std::vector<ServerRef<S>>& servers,
    const R& request,
    Duration timeout = std::chrono::seconds(5)) {
  const Deadline deadline = Deadline::after(timeout);
  std::vector<std::unique_ptr<detail::Exchange>> asked;
  asked.reserve(servers.size());
  for (ServerRef<S> server : servers)
    asked.push_back(detail::ask(server, request, Deadline::now()));
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (asked[i]->is_refused()) asked[i] = detail::ask(servers[i], request, deadline);
  }
  std::vector<std::expected<typename R::Reply, CallError>> replies;
  replies.reserve(servers.size());
  for (auto& each : asked)
    replies.push_back(detail::reply_as<typename R::Reply>(each->wait(deadline)));
  return replies;
}

}  // namespace airssys::rt
