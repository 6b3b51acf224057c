// mail_mark.cpp: a place in one's mail: a cursor that a public header has room for.
//
// A mark that lies in an object of its process's is still there when the stack has been cut off and
// the mail has forgotten its cursors. A destructor that uses it then looks at all mail.
#include <airssys/rt/mail_mark.hpp>

#include <memory>
#include <new>

#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/receive.hpp"

namespace airssys::rt {

using mailbox::Cursor;
using runtime::Call;

namespace {

Cursor& cursor_at(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<Cursor*>(storage));
}

const Cursor& cursor_at(const std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<const Cursor*>(storage));
}

}  // namespace

MailMark::MailMark() {
  static_assert(sizeof(Cursor) <= bytes && alignof(Cursor) <= alignof(void*));
  const Call call;
  call.take_in_mail();  // what was sent before stands before it
  ::new (static_cast<void*>(cursor_)) Cursor(call.process().mail, Cursor::Start::end);
}

MailMark::MailMark(const MailMark& other) {
  const Call call(Call::Kind::plain);
  const Cursor& mark = cursor_at(other.cursor_);
  ::new (static_cast<void*>(cursor_))
      Cursor(mark.is_lost() ? Cursor(call.process().mail, Cursor::Start::oldest) : mark);
}

MailMark::~MailMark() {
  const Call call(Call::Kind::plain);
  std::destroy_at(&cursor_at(cursor_));
}

void* MailMark::take(bool (*accepts)(void*, void*), void* context, Deadline deadline) {
  runtime::Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  Cursor& mark = cursor_at(cursor_);
  mark.find_place();
  return runtime::take_mail_behind(process, mark, accepts, context, timeout);
}

}  // namespace airssys::rt
