// send_bounded.cpp: the sender's side of a bounded mailbox: in, refused, or in line (B2–B5).
#include <airssys/rt/error.hpp>
#include <optional>

#include "base/parker.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/system.hpp"
#include "runtime/wait.hpp"
#include "runtime/waiting_for.hpp"

namespace airssys::rt::runtime {

namespace {

Envelope& envelope_of(const Message& message) noexcept {
  return Envelope::of_payload(message.payload());
}

// What was counted is pushed. Inside.
SendResult push(System& system, Process& to, Message& message) {
  Envelope& envelope = envelope_of(message);
  if (!system.deliver(to, envelope)) {
    Bounds::uncount(envelope);
    return SendResult::no_process;
  }
  static_cast<void>(message.release());
  return SendResult::sent;
}

SendResult refuse(Bounds& bounds, Bounds::Drop reason) noexcept {
  bounds.note_drop(reason);
  return SendResult::full;
}

enum class MayWait : bool { no, yes };

// All that needs no waiting; empty: the sender is to stand in line.
std::optional<SendResult> send_at_once(System& system,
                                       Process& to,
                                       Message& message,
                                       MayWait may_wait) {
  Bounds& bounds = *to.bounds;
  Envelope& envelope = envelope_of(message);
  if (bounds.try_count(envelope)) return push(system, to, message);
  switch (bounds.overflow()) {
    case Overflow::drop_oldest:
      if (bounds.count_beyond(envelope)) return push(system, to, message);
      return refuse(bounds, Bounds::Drop::beyond);
    case Overflow::block:
      if (may_wait == MayWait::yes) return std::nullopt;
      break;
    case Overflow::reject:
    case Overflow::drop_newest:
      break;
  }
  return refuse(bounds, Bounds::Drop::refused);
}

SendResult result_of(const Sender& sender) noexcept {
  return sender.outcome == Sender::Outcome::sent ? SendResult::sent : SendResult::no_process;
}

// A process in line. However its stack goes, the message is the mailbox's or still its sender's.
class SendWait final : public Wait, private Sender {
 public:
  SendWait(Process& process, Bounds& bounds, Message& message) noexcept
      : Wait(process), bounds_(bounds.share()), message_(message) {
    envelope = &envelope_of(message);
    settled = [](Sender& sender) noexcept { static_cast<SendWait&>(sender).waker.wake(); };
  }
  SendWait(const SendWait&) = delete;
  SendWait& operator=(const SendWait&) = delete;
  ~SendWait() {
    finish();
    if (outcome == Outcome::sent) static_cast<void>(message_.release());
    bounds_.release();
  }

  Bounds::Joined join() noexcept {
    const Bounds::Joined joined = bounds_.join(*this);
    is_armed_ = joined == Bounds::Joined::waits;
    return joined;
  }
  SendResult result() const noexcept { return result_of(*this); }

 private:
  bool disarm() noexcept override { return bounds_.step_out(*this); }

  Bounds& bounds_;
  Message& message_;
};

SendResult wait_in_line(Call& call, Process& to, Message& message) {
  const Pid pid = to.pid();
  SendWait wait(call.process(), *to.bounds, message);
  switch (wait.join()) {
    case Bounds::Joined::counted:
      return push(call.system(), to, message);
    case Bounds::Joined::closed:
      return SendResult::no_process;
    case Bounds::Joined::waits:
      break;
  }
  const WaitingFor edge(call.process(), pid);
  // From here on `to` may be gone.
  wait_for(call.process(), wait.waker, WaitReason::mailbox_room);
  return wait.result();
}

// A plain thread in line, which sleeps.
struct ThreadInLine : Sender {
  base::Parker parker;

  explicit ThreadInLine(const Message& message) noexcept {
    envelope = &envelope_of(message);
    settled = [](Sender& sender) noexcept { static_cast<ThreadInLine&>(sender).parker.unpark(); };
  }
};

SendResult sleep_in_line(Bounds& bounds,
                         ThreadInLine& thread,
                         Message& message,
                         std::int64_t timeout_ns) {
  thread.parker.park_for(timeout_ns);
  if (bounds.step_out(thread)) return refuse(bounds, Bounds::Drop::late);
  if (thread.outcome == Sender::Outcome::sent) static_cast<void>(message.release());
  return result_of(thread);
}

}  // namespace

SendResult send_bounded(Call& call, Process& to, Message& message, detail::WhenFull when_full) {
  const bool may_wait =
      when_full == detail::WhenFull::follow_policy && !is_unwinding(call.process());
  if (const auto result =
          send_at_once(call.system(), to, message, may_wait ? MayWait::yes : MayWait::no))
    return *result;
  if (&to == &call.process())
    throw BadArgument("a process sent to its own full mailbox, and would wait for itself");
  return wait_in_line(call, to, message);
}

SendResult send_bounded_from_outside(System& system,
                                     Pid to,
                                     Message& message,
                                     detail::WhenFull when_full) {
  // A thread that runs processes must not sleep, whatever it is asked for.
  const bool may_wait =
      when_full == detail::WhenFull::follow_policy && scheduler::Thread::current() == nullptr;
  ThreadInLine thread(message);
  Bounds* bounds = nullptr;
  {
    const Visit visit(system);
    Process* target = system.find(to);
    if (!target) return SendResult::no_process;
    if (const auto result =
            send_at_once(system, *target, message, may_wait ? MayWait::yes : MayWait::no))
      return *result;
    switch (target->bounds->join(thread)) {
      case Bounds::Joined::counted:
        return push(system, *target, message);
      case Bounds::Joined::closed:
        return SendResult::no_process;
      case Bounds::Joined::waits:
        bounds = &target->bounds->share();
    }
  }
  const SendResult result = sleep_in_line(*bounds, thread, message, system.send_timeout_ns);
  bounds->release();
  return result;
}

}  // namespace airssys::rt::runtime
