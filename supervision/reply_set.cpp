// reply_set.cpp: waiting for whichever of several requests is answered first.
#include <airssys/rt/detail/reply_set.hpp>
#include <airssys/rt/link.hpp>
#include <utility>

namespace airssys::rt::detail {

namespace {

// A reply carries the number as its tag, a Down as the id of its ref; 0 is nobody's.
std::uint64_t number_of(void* payload) noexcept {
  if (const Down* down = payload_if<Down>(payload)) return down->ref.id;
  return header_of(payload).tag;
}

}  // namespace

std::uint64_t answered_number(const Message& message) noexcept {
  return message ? number_of(message.payload()) : 0;
}

void ReplySet::add(std::size_t key, std::unique_ptr<Exchange> exchange) {
  const std::uint64_t number = exchange->id();
  if (number == 0) {
    refused_.push_back({key, std::move(exchange)});
  } else {
    asked_.emplace(number, Request{key, std::move(exchange)});
  }
}

std::optional<ReplySet::Arrived> ReplySet::wait(Deadline deadline) {
  if (!refused_.empty()) {
    const Request request = std::move(refused_.front());
    refused_.pop_front();
    return Arrived{request.key, request.exchange->wait(deadline)};
  }
  return arrived(Message(mark_.take(&is_answer, this, deadline)));
}

std::optional<ReplySet::Arrived> ReplySet::check(Message& message) {
  if (!message || !is_answer(this, message.payload())) return std::nullopt;
  return arrived(std::move(message));
}

std::optional<ReplySet::Arrived> ReplySet::arrived(Message message) {
  if (!message) return std::nullopt;
  const auto found = asked_.find(number_of(message.payload()));
  const Request request = std::move(found->second);
  asked_.erase(found);
  return Arrived{request.key, request.exchange->result_of(std::move(message))};
}

bool ReplySet::is_answer(void* set, void* payload) {
  return static_cast<ReplySet*>(set)->asked_.contains(number_of(payload));
}

}  // namespace airssys::rt::detail
