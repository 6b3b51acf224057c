// mail_mark.cpp: a place in one's mail: a cursor that a public header has room for.
#include <airssys/rt/detail/mail_mark.hpp>

#include <memory>
#include <new>

#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/receive.hpp"

namespace airssys::rt::detail {

using mailbox::Cursor;
using runtime::Call;

namespace {

Cursor& cursor_at(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<Cursor*>(storage));
}

}  // namespace

MailMark::MailMark() {
  static_assert(sizeof(Cursor) <= bytes && alignof(Cursor) <= alignof(void*));
  const Call call;
  ::new (static_cast<void*>(cursor_)) Cursor(call.process().mail, Cursor::Start::end);
}

MailMark::~MailMark() {
  const Call call(Call::Kind::plain);
  std::destroy_at(&cursor_at(cursor_));
}

void* MailMark::take(bool (*accepts)(void*, void*), void* context, Deadline deadline) {
  runtime::Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  return runtime::take_mail_from(
      process, cursor_at(cursor_), accepts, context, timeout, runtime::WaitReason::receive);
}

}  // namespace airssys::rt::detail
