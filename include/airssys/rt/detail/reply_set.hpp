// reply_set.hpp: waiting for whichever of several requests is answered first.
//
// Each request has a number of its own, which its reply carries as a tag and its server's Down as
// the id of its ref; the wait takes the first message that has one of these numbers. Requests are
// made through the set, so whatever answers them comes behind the set's mark in the mail.
#pragma once

#include <airssys/rt/mail_mark.hpp>
#include <airssys/rt/server.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <unordered_map>

namespace airssys::rt::detail {

// The number of the request that this message is about, if it is about any.
std::uint64_t answered_number(const Message& message) noexcept;

class ReplySet {
 public:
  struct Arrived {
    std::size_t key;
    std::expected<Message, CallError> reply;
  };

  void add(std::size_t key, std::unique_ptr<Exchange> exchange);
  // The next one that is over, or nothing by the deadline. Requires: it is not empty.
  std::optional<Arrived> wait(Deadline deadline);
  // The one that this message is about, if it is about any; takes the message over then.
  std::optional<Arrived> check(Message& message);
  std::size_t size() const noexcept { return asked_.size() + refused_.size(); }

 private:
  struct Request {
    std::size_t key;
    std::unique_ptr<Exchange> exchange;
  };

  std::optional<Arrived> arrived(Message message);
  static bool is_answer(void* set, void* payload);

  MailMark mark_;
  std::unordered_map<std::uint64_t, Request> asked_;
  std::deque<Request> refused_;  // could not be sent; over at once
};

}  // namespace airssys::rt::detail
