// mail_mark.hpp: a place in one's mail, to look only for what can come later (R10).
//
// Who makes a reference (a monitor, an alias, a number of its own) knows that no message can have
// it yet. A mark made just before spares a receive the look at everything that is there, so that
// it costs the same however full the mailbox is:
//
//   rt::MailMark mark;
//   rt::MonitorRef gone = rt::monitor(pid);
//   rt::receive(mark, rt::when([&](rt::Down& down) { return down.ref == gone; }, …));
//
// Any number may be there at once, and any receive may come in between. `call` and the like need
// none. For processes: a mark lives in the process that made it, which alone may use it.
#pragma once

#include <airssys/rt/time.hpp>
#include <cstddef>

namespace airssys::rt {

namespace detail {
template <class... Clauses>
class Receiver;
class ReplySet;
}  // namespace detail

class MailMark {
 public:
  // Behind all that has come so far. A safe point; throws BadArgument outside a process.
  MailMark();
  MailMark(const MailMark& other);  // at the same place
  MailMark& operator=(const MailMark&) = delete;
  ~MailMark();

 private:
  template <class... Clauses>
  friend class detail::Receiver;
  friend class detail::ReplySet;

  // Takes the first message behind the mark, or of priority (S12), that `accepts` says yes to, or
  // null at the deadline. What it has passed over lies before the mark from then on. Suspends; a
  // safe point.
  void* take(bool (*accepts)(void* context, void* payload), void* context, Deadline deadline);

  static constexpr std::size_t bytes = 3 * sizeof(void*);
  alignas(void*) std::byte cursor_[bytes];
};

}  // namespace airssys::rt
