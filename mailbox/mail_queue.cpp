// mail_queue.cpp: appending, taking from anywhere, and keeping cursors right meanwhile.
#include "mailbox/mail_queue.hpp"

#include "base/assert.hpp"

namespace airssys::rt::mailbox {

void MailQueue::append(Signal& signal) noexcept {
  signal.next = nullptr;
  (newest_ != nullptr ? newest_->next : oldest_) = &signal;
  newest_ = &signal;
  add_to_figures(signal);
}

Signal* MailQueue::take_oldest() noexcept {
  return oldest_ != nullptr ? &take_after(nullptr) : nullptr;
}

Signal* MailQueue::take_everything() noexcept {
  Signal* all = oldest_;
  oldest_ = newest_ = nullptr;
  forget_cursors();
  // relaxed: figures for show.
  count_.store(0, std::memory_order_relaxed);
  granules_.store(0, std::memory_order_relaxed);
  return all;
}

Signal& MailQueue::take_after(Signal* before) noexcept {
  Signal*& link = before != nullptr ? before->next : oldest_;
  RT_CHECK(link != nullptr, "Q2: nothing to take behind this cursor");
  Signal& taken = *link;
  link = taken.next;
  if (newest_ == &taken) newest_ = before;
  for (Cursor* cursor = cursors_; cursor != nullptr; cursor = cursor->next_) {
    if (cursor->behind_ == &taken) cursor->behind_ = before;
  }
  taken.next = nullptr;
  subtract_from_figures(taken);
  return taken;
}

std::uint32_t MailQueue::granules_of(const Signal& signal) noexcept {
  return static_cast<std::uint32_t>((std::uint64_t{signal.bytes} + granule_bytes - 1) /
                                    granule_bytes);
}

void MailQueue::add_to_figures(const Signal& signal) noexcept {
  // relaxed loads and stores: one writer, and figures for show.
  count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  granules_.store(granules_.load(std::memory_order_relaxed) + granules_of(signal),
                  std::memory_order_relaxed);
}

void MailQueue::subtract_from_figures(const Signal& signal) noexcept {
  // relaxed loads and stores: one writer, and figures for show.
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  granules_.store(granules_.load(std::memory_order_relaxed) - granules_of(signal),
                  std::memory_order_relaxed);
}

Cursor::Cursor(MailQueue& queue, Start start) noexcept
    : queue_(queue), behind_(start == Start::end ? queue.newest_ : nullptr), next_(queue.cursors_) {
  queue_.cursors_ = this;
}

Cursor::Cursor(const Cursor& mark) noexcept
    : queue_(mark.queue_), behind_(mark.behind_), next_(mark.queue_.cursors_) {
  queue_.cursors_ = this;
}

Cursor::~Cursor() {
  // A queue that has given everything away no longer knows its cursors.
  for (Cursor** link = &queue_.cursors_; *link != nullptr; link = &(*link)->next_) {
    if (*link == this) {
      *link = next_;
      return;
    }
  }
}

void Cursor::skip() noexcept {
  Signal* next = peek();
  RT_CHECK(next != nullptr, "Q2: nothing to skip behind this cursor");
  behind_ = next;
}

Signal& Cursor::take() noexcept {
  return queue_.take_after(behind_);
}

void Cursor::insert(Signal& signal) noexcept {
  signal.next = peek();
  (behind_ != nullptr ? behind_->next : queue_.oldest_) = &signal;
  if (signal.next == nullptr) queue_.newest_ = &signal;
  behind_ = &signal;
  queue_.add_to_figures(signal);
}

}  // namespace airssys::rt::mailbox
