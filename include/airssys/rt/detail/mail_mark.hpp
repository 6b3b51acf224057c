// mail_mark.hpp: a place in one's mail, to look for what can only come later (R10).
//
// Who asks somebody something knows that the answer is not in the mailbox yet. A mark that is made
// before the question spares the look at everything that is: with it a wait costs the same however
// full the mailbox is. Lives on the stack of the process that made it, which alone may use it.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstddef>

namespace airssys::rt::detail {

class MailMark {
 public:
  MailMark();  // behind all that has come so far
  MailMark(const MailMark&) = delete;
  MailMark& operator=(const MailMark&) = delete;
  ~MailMark();

  // Takes the first message behind the mark that `accepts` says yes to, or null at the deadline.
  // What it has passed over lies before the mark from then on. Suspends; a safe point.
  void* take(bool (*accepts)(void* context, void* payload), void* context, Deadline deadline);

 private:
  static constexpr std::size_t bytes = 3 * sizeof(void*);
  alignas(void*) std::byte cursor_[bytes];
};

}  // namespace airssys::rt::detail
