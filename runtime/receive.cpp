// receive.cpp: taking mail out: the scan, the cursor, the time-out (R).
#include <airssys/rt/receive.hpp>

#include <airssys/rt/error.hpp>
#include <optional>

#include "mailbox/mail_queue.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/receive.hpp"
#include "runtime/signals.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt::runtime {

using mailbox::Cursor;
using mailbox::Signal;
using scheduler::Thread;

namespace {

// Looks at what the cursor has not seen yet; each message costs one reduction, and a long scan
// gives way in the middle, which is a safe point (R11, R13).
void* scan(Process& process, Cursor& cursor, Accepts accepts, void* context) {
  while (Signal* signal = cursor.peek()) {
    Envelope& envelope = Envelope::of_signal(*signal);
    const bool slice_is_over = Thread::current()->charge(1);
    if (accepts(context, envelope.payload())) {
      cursor.take();
      if (envelope.flags & counted_in_bounds) room_freed(process, envelope);
      return envelope.payload();
    }
    cursor.skip();
    if (slice_is_over) safe_point(process);
  }
  return nullptr;
}

}  // namespace

void* take_mail_from(Process& process,
                     Cursor& cursor,
                     Accepts accepts,
                     void* context,
                     Deadline deadline,
                     WaitReason reason) {
  for (;;) {
    if (void* payload = scan(process, cursor, accepts, context)) return payload;
    if (is_unwinding(process)) {
      if (deadline.is_never()) throw Unwinding();
      return nullptr;
    }
    safe_point(process);
    if (cursor.peek()) continue;
    // Armed only while it rests: a predicate that is cut off leaves no timer behind in its frames.
    std::optional<TimedWait> timeout;
    if (!deadline.is_never()) {
      if (has_passed(deadline.ns())) return nullptr;
      timeout.emplace(process);
      timeout->arm(deadline.ns());
    }
    wait_for_mail(process, reason);
  }
}

}  // namespace airssys::rt::runtime

namespace airssys::rt::detail {

void* take_mail(bool (*accepts)(void*, void*), void* context, Deadline deadline) {
  const runtime::Call call;
  mailbox::Cursor cursor(call.process().mail, mailbox::Cursor::Start::oldest);
  return runtime::take_mail_from(
      call.process(), cursor, accepts, context, deadline, runtime::WaitReason::receive);
}

}  // namespace airssys::rt::detail
