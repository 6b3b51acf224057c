// call_reply.hpp: asking a process something that only it knows, and waiting for the answer.
#pragma once

#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <cstdint>

#include "mailbox/signal.hpp"
#include "runtime/process.hpp"

namespace airssys::rt::runtime {

// Sends a request signal (alive_request, info_request) and waits for the message that comes through
// its alias; empty at the deadline or while the caller is unwound. The dead are answered for, too:
// see refuse. The target runs at the asker's level until it has answered (D9). By the owner,
// inside; suspends.
Message ask(Process& process,
            Pid target,
            mailbox::SignalKind question,
            std::uint8_t flags,
            Deadline deadline);

}  // namespace airssys::rt::runtime
