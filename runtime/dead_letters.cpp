// dead_letters.cpp: subscribing, and telling.
#include "runtime/dead_letters.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/envelope.hpp"
#include "runtime/system.hpp"

namespace airssys::rt {

const char* to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::refused:
      return "refused";
    case DropReason::oldest:
      return "oldest";
    case DropReason::late:
      return "late";
    case DropReason::wrong_type:
      return "wrong_type";
    case DropReason::inactive_alias:
      return "inactive_alias";
    case DropReason::no_process:
      return "no_process";
  }
  return "?";
}

namespace detail {

struct Subscription {
  const Pid subscriber;
  const std::uint32_t heard;      // reasons, as in DeadLetters
  const std::uint64_t seats_max;  // letters alive at a time
  base::Atomic<std::uint64_t> seats{0};
  base::Atomic<std::uint64_t> missed{0};  // letters for which there was no seat, not yet told
  base::Atomic<std::uint64_t> owners{1};  // the list, letters, and who is about to send one

  Subscription(Pid pid, std::uint32_t reasons, std::uint64_t seats_allowed) noexcept
      : subscriber(pid), heard(reasons), seats_max(seats_allowed) {}
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  void share() noexcept {
    // relaxed: whoever shares has a share.
    owners.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    // acq_rel: the last owner must see everything the others did with it before it goes.
    if (owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // A seat for one more letter, or none: then that one is missed.
  bool take_seat() noexcept {
    // relaxed, twice: a number that is kept below a limit, and a figure.
    if (seats.fetch_add(1, std::memory_order_relaxed) < seats_max) {
      share();
      return true;
    }
    seats.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as above
    missed.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

 private:
  ~Subscription() = default;
};

void LetterSeat::leave(Subscription& subscription) noexcept {
  subscription.seats.fetch_sub(1, std::memory_order_relaxed);  // relaxed: as in take_seat
  subscription.release();
}

}  // namespace detail

namespace runtime {

using detail::Subscription;

namespace {

constexpr std::uint32_t bit_of(DropReason reason) noexcept {
  return 1U << static_cast<unsigned>(reason);
}
constexpr std::uint32_t undeliverable =
    bit_of(DropReason::no_process) | bit_of(DropReason::inactive_alias);
constexpr std::uint32_t all_reasons = (1U << drop_reasons) - 1;

// False: the subscriber has ended, and the letter is as it was.
bool deliver(System& system, Pid subscriber, DeadLetter& letter) {
  Process* process = system.find(subscriber);
  if (!process) return false;
  Message mail = Message::of(std::move(letter));
  if (!system.deliver(*process, Envelope::of_payload(mail.payload()))) {
    letter = mail.take<DeadLetter>();
    return false;
  }
  static_cast<void>(mail.release());
  return true;
}

}  // namespace

DeadLetters::~DeadLetters() {
  for (Subscription* each : subscriptions_) each->release();
}

void DeadLetters::set_heard() noexcept {
  std::uint32_t heard = 0;
  for (const Subscription* each : subscriptions_) heard |= each->heard;
  heard_.store(heard, std::memory_order_relaxed);  // relaxed: see Orders
}

void DeadLetters::subscribe(Pid subscriber, const DeadLetterOptions& options) {
  unsubscribe(subscriber);
  const std::uint32_t heard = options.undeliverable ? all_reasons : all_reasons & ~undeliverable;
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back(new Subscription(subscriber, heard, options.unread_max));
  set_heard();
}

void DeadLetters::unsubscribe(Pid subscriber) {
  const std::lock_guard lock(mutex_);
  const auto place = std::ranges::find(subscriptions_, subscriber, &Subscription::subscriber);
  if (place == subscriptions_.end()) return;
  (*place)->release();
  subscriptions_.erase(place);
  set_heard();
}

DeadLetters::Listeners DeadLetters::listeners(DropReason reason) {
  Listeners listeners;
  const std::lock_guard lock(mutex_);
  for (Subscription* each : subscriptions_) {
    if ((each->heard & bit_of(reason)) == 0 || !each->take_seat()) continue;
    // relaxed: a figure.
    const std::uint64_t missed = each->missed.exchange(0, std::memory_order_relaxed);
    listeners.push_back({each->subscriber, missed, detail::LetterSeat(each)});
  }
  return listeners;
}

void DeadLetters::tell(const Drop& drop, Message& message) {
  if (message.is<DeadLetter>()) return;
  const std::string_view type = message.type_name();
  for (Listener& each : listeners(drop.reason)) {
    // The first that lives gets the message itself, and leaves nothing for the others.
    DeadLetter letter{.to = drop.to,
                      .from = drop.from,
                      .reason = drop.reason,
                      .type = type,
                      .message = std::move(message),
                      .missed = each.missed,
                      .seat = std::move(each.seat)};
    if (deliver(system_, each.subscriber, letter)) continue;
    message = std::move(letter.message);
    unsubscribe(each.subscriber);
  }
}

void drop_message(Process& owner, Pid from, DropReason reason, Message& message) {
  note_drop(owner, reason, from);
  current_system().dead_letters.drop({owner.pid(), from, reason}, message);
}

}  // namespace runtime

void detail::drop_unwanted(Message& message) {
  const runtime::Call call(runtime::Call::Kind::plain);
  const Pid from = runtime::Envelope::of_payload(message.payload()).sender();
  runtime::drop_message(call.process(), from, DropReason::wrong_type, message);
}

void subscribe_dead_letters(const DeadLetterOptions& options) {
  const runtime::Call call;
  call.system().dead_letters.subscribe(call.process().pid(), options);
}

void unsubscribe_dead_letters() {
  const runtime::Call call;
  call.system().dead_letters.unsubscribe(call.process().pid());
}

}  // namespace airssys::rt
