// call_reply.cpp: pending calls and requests: an address, a mark in the mail, a wait for one
// message.
#include "runtime/call_reply.hpp"

#include <airssys/rt/call.hpp>
#include <airssys/rt/link.hpp>
#include <memory>
#include <utility>

#include "mailbox/mail_queue.hpp"
#include "runtime/call.hpp"
#include "runtime/monitor.hpp"
#include "runtime/receive.hpp"
#include "runtime/relations.hpp"
#include "runtime/signals.hpp"
#include "runtime/waiting_for.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

bool came_through(void* alias_id, void* payload) {
  return detail::header_of(payload).tag == *static_cast<std::uint64_t*>(alias_id);
}

}  // namespace

Message ask(Process& process,
            Pid target,
            mailbox::SignalKind question,
            std::uint8_t flags,
            Deadline deadline) {
  const Timeout timeout(process, deadline);
  std::uint64_t id = process.new_ref();
  process.relations.add(
      {.kind = RelationKind::alias, .mode = AddressMode::until_reply, .mine = id});
  mailbox::Cursor mark(process.mail, mailbox::Cursor::Start::end);
  const WaitingFor edge(process, target);
  ControlSignal* request = make_signal(question, process.pid(), id);
  request->flags = flags;
  send_request(current_system(), target, request, process.level);
  Message reply(take_mail_from(process, mark, &came_through, &id, timeout, WaitReason::reply));
  if (!reply) {
    if (Relation* alias = process.relations.find_alias(id)) process.relations.remove(*alias);
  }
  return reply;
}

}  // namespace runtime

namespace detail {

using runtime::Call;
using runtime::Process;
using runtime::Relation;

namespace {

// The mail up to the making of the call cannot hold its reply: the scan starts behind it (R10).
using Mark = mailbox::Cursor;
static_assert(sizeof(Mark) <= PendingCall::mark_bytes && alignof(Mark) <= alignof(void*));

Mark& mark_at(std::byte* storage) noexcept {
  return *std::launder(reinterpret_cast<Mark*>(storage));
}

struct Wanted {
  std::uint64_t id;
  // The reply, or the news that none will come.
  static bool accepts(void* wanted, void* payload) {
    const std::uint64_t id = static_cast<Wanted*>(wanted)->id;
    if (header_of(payload).tag == id) return true;
    const Down* down = payload_if<Down>(payload);
    return down != nullptr && down->ref.id == id;
  }
};

}  // namespace

CallError error_of(const Down& down) {
  const bool was_dead = down.reason.kind() == ExitReason::Kind::noproc;
  if (!down.pid) return {CallError::noproc, down.reason, "nobody has this name"};
  return {was_dead ? CallError::noproc : CallError::exited,
          down.reason,
          "call to " + down.pid.to_string() +
              (was_dead ? ": no such process"
                        : ": it ended before it answered: " + down.reason.to_string())};
}

PendingCall::PendingCall(Pid server) : server_(server) {
  const Call call;
  call.charge(2);
  ::new (static_cast<void*>(mark_)) Mark(call.process().mail, Mark::Start::end);
  monitor_ = runtime::monitor(call.process(), server, runtime::AddressMode::until_reply);
}

std::expected<Message, CallError> PendingCall::wait(Deadline deadline) {
  Process& process = runtime::current_process();
  const runtime::Timeout timeout(process, deadline);
  const Call call(process);
  Wanted wanted{monitor_.id};
  Message message;
  const bool was_unwinding = runtime::is_unwinding(process);
  if (!was_unwinding || (!deadline.is_never() && !process.is_ending)) {
    const runtime::WaitingFor edge(process, server_);
    message = Message(runtime::take_mail_from(
        process, mark_at(mark_), &Wanted::accepts, &wanted, timeout, runtime::WaitReason::reply));
  }
  if (message) {
    is_open_ = false;
    if (Down* down = message.get_if<Down>()) return std::unexpected(error_of(*down));
    return message;
  }
  if (was_unwinding)
    return std::unexpected(CallError(
        CallError::unwinding, ExitReason::normal(), "a destructor called while its process ended"));
  return std::unexpected(CallError(CallError::timeout,
                                   ExitReason::timeout(),
                                   "call to " + server_.to_string() + ": no answer in time"));
}

PendingCall::~PendingCall() {
  const Call call(Call::Kind::plain);
  Process& process = call.process();
  if (is_open_) {
    if (Relation* monitor = process.relations.find_monitor(monitor_.id))
      runtime::drop_monitor(call.system(), process, *monitor, true);
    // A Down or a reply that had come already is nobody's business any more. At the end of the
    // process all its mail is, and the queue has forgotten its cursors.
    Wanted wanted{monitor_.id};
    Mark& mark = mark_at(mark_);
    while (mailbox::Signal* signal = process.is_ending ? nullptr : mark.peek()) {
      void* payload = runtime::Envelope::of_signal(*signal).payload();
      if (Wanted::accepts(&wanted, payload)) {
        mark.take();
        destroy_payload(payload);
      } else {
        mark.skip();
      }
    }
  }
  std::destroy_at(&mark_at(mark_));
}

}  // namespace detail

}  // namespace airssys::rt
