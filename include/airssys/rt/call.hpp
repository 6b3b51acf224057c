// call.hpp: a request and its reply, below the servers.
//
// A pending call watches the other side and owns a one-shot address for the reply (G5, A3): a reply
// that comes late, or twice, finds that address closed and is dropped (G6, G8). The wait looks only
// at mail that came after the call was made, so a mailbox full of other messages costs nothing
// (R10).
//
//   PendingCall pending(server);                  // monitor, alias, mark
//   send(server, Request{..., pending.alias()});  // or whatever carries the address
//   std::expected<void*, CallError> reply = pending.wait(deadline);
#pragma once

#include <airssys/rt/detail/payload.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/time.hpp>
#include <cstddef>
#include <expected>

namespace airssys::rt::detail {

// What the end of a server, or that there is none, means to who has called it.
CallError error_of(const Down& down);

class PendingCall {
 public:
  static constexpr std::size_t mark_bytes = 3 * sizeof(void*);

  explicit PendingCall(Pid server);
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  // Takes the monitor and the alias back; a Down or reply that is in the mailbox is removed.
  ~PendingCall();

  Alias alias() const noexcept { return {{monitor_.owner, monitor_.id}}; }

  // The first message through the alias, or why none came: exited or noproc with the other side's
  // reason, timeout, unwinding. Suspends. Once, but after a time-out it may be asked again.
  std::expected<Message, CallError> wait(Deadline deadline);

 private:
  Pid server_;
  MonitorRef monitor_;
  alignas(void*) std::byte mark_[mark_bytes];  // where the mail ended when the call was made
  bool is_open_ = true;
};

}  // namespace airssys::rt::detail
