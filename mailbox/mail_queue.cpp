// mail_queue.cpp: the seldom steps: giving everything away, and keeping cursors right.
#include "mailbox/mail_queue.hpp"

namespace airssys::rt::mailbox {

Signal* MailQueue::take_everything() noexcept {
  Signal* all = oldest_;
  oldest_ = newest_ = nullptr;
  forget_cursors();
  set_figures(0);
  return all;
}

void MailQueue::move_cursors(Signal& taken, Signal* before) noexcept {
  for (Cursor** link = &cursors_; *link != nullptr;) {
    Cursor& cursor = **link;
    if (cursor.left_ == &taken) cursor.left_ = before;
    if (cursor.left_ != nullptr) {
      link = &cursor.next_;
    } else {
      *link = cursor.next_;
    }
  }
}

// A queue that has given everything away no longer knows its cursors.
void Cursor::leave() noexcept {
  for (Cursor** link = &queue_.cursors_; *link != nullptr; link = &(*link)->next_) {
    if (*link == this) {
      *link = next_;
      return;
    }
  }
}

bool Cursor::is_known() const noexcept {
  const Cursor* known = queue_.cursors_;
  while (known != nullptr && known != this) known = known->next_;
  return known != nullptr;
}

void Cursor::insert(Signal& signal) noexcept {
  signal.next = peek();
  (left_ != nullptr ? left_->next : queue_.oldest_) = &signal;
  if (signal.next == nullptr) queue_.newest_ = &signal;
  stand_on(&signal);
  queue_.set_figures(queue_.figures() + MailQueue::figures_of(signal));
}

}  // namespace airssys::rt::mailbox
