// dead_letter.hpp: messages that nobody took, and hearing of them (B6).
//
// A message that is dropped is counted, by its mailbox (process_info, airs-inspect) and by the
// runtime. Who wants more than the count subscribes, and is sent a DeadLetter for each: an ordinary
// message that holds the one that was dropped.
//
//   rt::subscribe_dead_letters();
//   for (;;) {
//     auto letter = rt::receive<rt::DeadLetter>();
//     log(letter.from, letter.to, letter.type, rt::to_string(letter.reason));
//   }
//
// Dead letters cannot flood: no more than `unread_max` of one subscriber's are alive at a time, and
// how many were left out meanwhile is told in the next. A dead letter that is dropped itself makes
// none. While nobody subscribes, a drop costs its count.
#pragma once

#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace airssys::rt {

// Why a message was dropped.
enum class DropReason : std::uint8_t {
  refused,     // no room: the mailbox rejects or drops the newest, or try_send did not wait
  oldest,      // thrown out for newer ones (drop_oldest)
  late,        // a plain thread's, when its time was up (Options::send_timeout)
  wrong_type,  // a cast to what is no such server, or a message that a server has no handler for
  inactive_alias,  // it came through an alias that was not active any more
  no_process,      // its receiver had ended
};
inline constexpr std::size_t drop_reasons = 6;
const char* to_string(DropReason reason) noexcept;

namespace detail {

struct Subscription;

// One of the places that a subscriber has for dead letters; it is free again when this goes.
class LetterSeat {
 public:
  LetterSeat() noexcept = default;
  explicit LetterSeat(Subscription* taken) noexcept : subscription_(taken) {}
  LetterSeat(LetterSeat&& other) noexcept
      : subscription_(std::exchange(other.subscription_, nullptr)) {}
  LetterSeat& operator=(LetterSeat&& other) noexcept {
    std::swap(subscription_, other.subscription_);
    return *this;
  }
  ~LetterSeat() {
    if (subscription_) leave(*subscription_);
  }

 private:
  static void leave(Subscription& subscription) noexcept;

  Subscription* subscription_ = nullptr;
};

// For behaviours of the library: the calling process does not take this message. Counts it and
// tells whoever listens; what is left in it is still the caller's.
void drop_unwanted(Message& message);

}  // namespace detail

struct DeadLetter {
  Pid to;
  Pid from;  // null: a plain thread, or not known: a mailbox without bounds does not note senders
  DropReason reason = DropReason::no_process;
  std::string_view type;     // of the message, also when that is not here; a constant
  Message message;           // empty when another subscriber has got it
  std::uint64_t missed = 0;  // dead letters that this subscriber was not sent since its last one
  detail::LetterSeat seat = {};  // the library's; freed with the letter
};

struct DeadLetterOptions {
  std::size_t unread_max = 100;  // dead letters alive at a time: in the mailbox, or kept
  // Also of messages that came too late: no_process and inactive_alias. That happens in every
  // program that is well, too.
  bool undeliverable = false;
};

// From now on the caller is sent dead letters, until it ends or unsubscribes; the last options
// count. They are in no mailbox's bounds. For processes; does not suspend.
void subscribe_dead_letters(const DeadLetterOptions& options = {});
// Those that are on their way still come. For processes; does not suspend.
void unsubscribe_dead_letters();

}  // namespace airssys::rt
