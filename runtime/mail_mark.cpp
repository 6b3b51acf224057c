// mail_mark.cpp: a place in one's mail: a cursor that a public header has room for.
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
  ::new (static_cast<void*>(cursor_)) Cursor(call.process().mail, Cursor::Start::end);
}

MailMark::MailMark(const MailMark& other) {
  const Call call(Call::Kind::plain);
  ::new (static_cast<void*>(cursor_)) Cursor(cursor_at(other.cursor_));
}

MailMark::~MailMark() {
  const Call call(Call::Kind::plain);
  std::destroy_at(&cursor_at(cursor_));
}

void* MailMark::take(bool (*accepts)(void*, void*), void* context, Deadline deadline) {
  runtime::Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  return runtime::take_mail_behind(process, cursor_at(cursor_), accepts, context, timeout);
}

}  // namespace airssys::rt
