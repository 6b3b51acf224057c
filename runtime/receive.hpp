// receive.hpp: taking mail out, from a given place in the mailbox.
#pragma once

#include "mailbox/mail_queue.hpp"
#include "runtime/envelope.hpp"
#include "runtime/process.hpp"
#include "runtime/timeout.hpp"
#include "runtime/wait_reason.hpp"

namespace airssys::rt::runtime {

using Accepts = bool (*)(void* context, void* payload);

// The first message behind the cursor that `accepts` says yes to, or null at the deadline. Inside,
// a safe point each time it waits; while the process is unwound it looks and does not wait (Z3).
void* take_mail_from(Process& process,
                     mailbox::Cursor& cursor,
                     Accepts accepts,
                     void* context,
                     const Timeout& timeout,
                     WaitReason reason);

// The same from a mark on, wherever in the ordinary mail that is: what has gone ahead (S12) may
// have come after the mark was made, so all of it is looked at first.
void* take_mail_behind(Process& process,
                       mailbox::Cursor& mark,
                       Accepts accepts,
                       void* context,
                       const Timeout& timeout);

// A message with flags has been taken out of the mail: it is nobody's, or its receiver's, now.
void unmark(Process& process, Envelope& message);

}  // namespace airssys::rt::runtime
