// receive.hpp: taking mail out, from a given place in the mailbox.
#pragma once

#include <cstdint>

#include "mailbox/mail_queue.hpp"
#include "runtime/envelope.hpp"
#include "runtime/process.hpp"
#include "runtime/timeout.hpp"
#include "runtime/wait_reason.hpp"

namespace airssys::rt::runtime {

using Accepts = bool (*)(void* context, void* payload);

// The first message behind the cursor that `accepts` says yes to, or null at the deadline: what
// comes through this address, or the news that nothing will. Inside, a safe point each time it
// waits; while the process is unwound it looks and does not wait (Z3).
void* take_reply(Process& process,
                 mailbox::Cursor& cursor,
                 std::uint64_t address,
                 Accepts accepts,
                 void* context,
                 const Timeout& timeout);

// The same for any mail from a mark on, wherever in the ordinary mail that is: what has gone ahead
// (S12) may have come after the mark was made, so all of it is looked at first.
void* take_mail_behind(Process& process,
                       mailbox::Cursor& mark,
                       Accepts accepts,
                       void* context,
                       const Timeout& timeout);

// A message with flags has been taken out of the mail: it is nobody's, or its receiver's, now.
void unmark(Process& process, Envelope& message);

}  // namespace airssys::rt::runtime
