// send_bounded.cpp: the sender's side of a bounded mailbox: in, refused, or in line (B2–B5).
#include <airssys/rt/error.hpp>
#include <optional>
#include <utility>

#include "base/parker.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/crash_report.hpp"
#include "runtime/system.hpp"
#include "runtime/timeout.hpp"
#include "runtime/wait.hpp"
#include "runtime/waiting_for.hpp"

namespace airssys::rt::runtime {

namespace {

// What a send has taken out of a full mailbox. It is destroyed when the send is over, and outside
// of the runtime on a plain thread: a destructor may send, and may wait.
class Dropped {
 public:
  explicit Dropped(System& system) noexcept : system_(system) {}
  Dropped(const Dropped&) = delete;
  Dropped& operator=(const Dropped&) = delete;
  ~Dropped() {
    while (oldest_) {
      Message message(Envelope::of_signal(*std::exchange(oldest_, oldest_->next)).payload());
      system_.disposal.destroy(message);
    }
  }

  void add(Message& message) noexcept {
    if (!message) return;
    *end_ = &Envelope::of_payload(message.release());
    end_ = &(*end_)->next;
    *end_ = nullptr;
  }

 private:
  System& system_;
  mailbox::Signal* oldest_ = nullptr;
  mailbox::Signal** end_ = &oldest_;
};

// One send: who sends what to whom. Inside.
struct Delivery {
  System& system;
  Pid from;  // null: a plain thread
  Process& to;
  Pid pid;  // whose that is: it may end meanwhile
  Message& message;
  Dropped& dropped;

  Envelope& envelope() const noexcept { return Envelope::of_payload(message.payload()); }
};

// Somebody has counted a message in.
void note_load(System& system, Pid from, Pid to, Bounds& bounds) {
  if (bounds.has_reached_soft_mark()) [[unlikely]] {
    const Bounds::Counted counted = bounds.counted();
    report_overload(system, from, to, counted.messages, counted.bytes);
  }
}

SendResult lose(const Delivery& lost) {
  lost.system.dead_letters.drop({lost.pid, lost.from, DropReason::no_process}, lost.message);
  return SendResult::no_process;
}

// What was counted, or is not bounded, is pushed.
SendResult push(const Delivery& sent, System::Urgent urgent = System::Urgent::no) {
  Envelope& envelope = sent.envelope();
  if (!sent.system.deliver(sent.to, envelope, urgent)) {
    Bounds::uncount(envelope);
    return lose(sent);
  }
  static_cast<void>(sent.message.release());
  note_load(sent.system, sent.from, sent.pid, *bounds_of(sent.to));
  return SendResult::sent;
}

// There is no room, unless there is nobody any more: who is gone takes its bounds with it only when
// its slot is free.
SendResult refuse(const Delivery& refused) {
  constexpr DropReason reason = DropReason::refused;
  // relaxed: who has heard of its end sees it.
  if (refused.to.is_exiting.load(std::memory_order_relaxed)) return lose(refused);
  bounds_of(refused.to)->drops.note(reason, refused.from);
  refused.system.dead_letters.drop({refused.pid, refused.from, reason}, refused.message);
  return SendResult::full;
}

// The owner has not taken its inbox in for long: what it would drop goes now (B5).
void shorten(const Delivery& sent) {
  Bounds& bounds = *bounds_of(sent.to);
  mailbox::Signal* next = bounds.shorten(sent.to.inbox);
  while (next) {
    Envelope& oldest = Envelope::of_signal(*std::exchange(next, next->next));
    const Pid from = oldest.sender();
    Message dropped(oldest.payload());
    bounds.drops.note(DropReason::oldest, from);
    sent.system.dead_letters.drop({sent.pid, from, DropReason::oldest}, dropped);
    sent.dropped.add(dropped);
  }
}

// Urgent: its receiver has to drop others for it.
SendResult push_beyond(const Delivery& sent) {
  if (bounds_of(sent.to)->is_full(64)) return refuse(sent);
  const bool is_beyond_twice = bounds_of(sent.to)->count_beyond(sent.envelope());
  const SendResult result = push(sent, System::Urgent::yes);
  if (is_beyond_twice) shorten(sent);
  return result;
}

enum class MayWait : bool { no, yes };

// All that needs no waiting; empty: the sender is to stand in line.
std::optional<SendResult> send_at_once(const Delivery& sent, MayWait may_wait) {
  Bounds& bounds = *bounds_of(sent.to);
  Envelope& envelope = sent.envelope();
  envelope.set_sender(sent.from);
  if (envelope.header.type->is_system) return push(sent);
  if (bounds.try_count(envelope)) return push(sent);
  switch (bounds.overflow()) {
    case Overflow::drop_oldest:
      return push_beyond(sent);
    case Overflow::block:
      if (may_wait == MayWait::yes) return std::nullopt;
      break;
    case Overflow::reject:
    case Overflow::drop_newest:
      break;
  }
  return refuse(sent);
}

// A process in line. However its stack goes, the message is the mailbox's or still its sender's.
class SendWait final : public Wait, private Sender {
 public:
  SendWait(Process& process, Bounds& bounds, Message& message) noexcept
      : Wait(process), bounds_(bounds), message_(message) {
    envelope = &Envelope::of_payload(message.payload());
    settled = [](Sender& sender) noexcept { static_cast<SendWait&>(sender).waker.wake(); };
  }
  SendWait(const SendWait&) = delete;
  SendWait& operator=(const SendWait&) = delete;
  ~SendWait() {
    finish();
    if (outcome == Outcome::sent) static_cast<void>(message_.release());
  }

  Bounds::Joined join() noexcept {
    const Bounds::Joined joined = bounds_.join(*this);
    is_armed_ = joined == Bounds::Joined::waits;
    return joined;
  }
  // None: its time has passed, and nothing has come meanwhile.
  Outcome leave() noexcept {
    finish();
    return outcome;
  }

 private:
  bool disarm() noexcept override { return bounds_.step_out(*this); }

  Bounds& bounds_;
  Message& message_;
};

enum class Stood : std::uint8_t { counted, sent, no_process, late };

// The wait is over with this call: what may destroy a message, or call the host, comes behind it.
Stood stand_in_line(Call& call, const Delivery& sent, Bounds& bounds, const Timeout& timeout) {
  SendWait wait(call.process(), bounds, sent.message);
  switch (wait.join()) {
    case Bounds::Joined::counted:
      return Stood::counted;
    case Bounds::Joined::closed:
      return Stood::no_process;
    case Bounds::Joined::waits:
      break;
  }
  const WaitingFor edge(call.process(), sent.pid);
  wait_for(call.process(), wait.waker, WaitReason::mailbox_room, timeout);
  switch (wait.leave()) {
    case Sender::Outcome::sent:
      return Stood::sent;
    case Sender::Outcome::no_process:
      return Stood::no_process;
    case Sender::Outcome::none:
      break;
  }
  return Stood::late;
}

SendResult wait_in_line(Call& call, const Delivery& sent, const Timeout& timeout) {
  const BoundsShare bounds(&bounds_of(sent.to)->share());  // `to` may be gone when it has waited
  switch (stand_in_line(call, sent, *bounds, timeout)) {
    case Stood::counted:
      return push(sent);
    case Stood::sent:
      note_load(sent.system, sent.from, sent.pid, *bounds);
      return SendResult::sent;
    case Stood::no_process:
      return lose(sent);
    case Stood::late:
      break;
  }
  bounds->drops.note(DropReason::late, sent.from);
  sent.system.dead_letters.drop({sent.pid, sent.from, DropReason::late}, sent.message);
  return SendResult::full;
}

// A plain thread in line, which sleeps.
struct ThreadInLine : Sender {
  base::Parker parker;

  explicit ThreadInLine(const Message& message) noexcept {
    envelope = &Envelope::of_payload(message.payload());
    settled = [](Sender& sender) noexcept { static_cast<ThreadInLine&>(sender).parker.unpark(); };
  }
};

// Outside; the sender holds a share of these bounds.
SendResult sleep_in_line(
    System& system, Bounds& bounds, ThreadInLine& thread, Pid to, Message& message) {
  thread.parker.park_for(system.send_timeout_ns);
  const Visit visit(system, Inside::Room::known);  // a cut would leave it in line
  const bool was_late = bounds.step_out(thread);
  if (!was_late && thread.outcome == Sender::Outcome::sent) {
    static_cast<void>(message.release());
    note_load(system, Pid(), to, bounds);
    return SendResult::sent;
  }
  const DropReason reason = was_late ? DropReason::late : DropReason::no_process;
  if (was_late) bounds.drops.note(reason, Pid());
  system.dead_letters.drop({to, Pid(), reason}, message);
  return was_late ? SendResult::full : SendResult::no_process;
}

}  // namespace

SendResult send_bounded(
    Call& call, Process& to, Message& message, detail::WhenFull when_full, Deadline deadline) {
  const Timeout timeout(call.process(), deadline);
  const bool may_wait =
      when_full == detail::WhenFull::follow_policy && !is_unwinding(call.process());
  Dropped dropped(call.system());
  const Delivery sent{call.system(), call.process().pid(), to, to.pid(), message, dropped};
  if (const auto result = send_at_once(sent, may_wait ? MayWait::yes : MayWait::no)) return *result;
  if (&to == &call.process())
    throw BadArgument("a process sent to its own full mailbox, and would wait for itself");
  return wait_in_line(call, sent, timeout);
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
  Dropped dropped(system);
  {
    const Visit visit(system);
    Process* target = system.find(to);
    if (!target) {
      system.dead_letters.drop({to, Pid(), DropReason::no_process}, message);
      return SendResult::no_process;
    }
    const Delivery sent{system, Pid(), *target, to, message, dropped};
    if (const auto result = send_at_once(sent, may_wait ? MayWait::yes : MayWait::no))
      return *result;
    switch (bounds_of(*target)->join(thread)) {
      case Bounds::Joined::counted:
        return push(sent);
      case Bounds::Joined::closed:
        return lose(sent);
      case Bounds::Joined::waits:
        bounds = &bounds_of(*target)->share();
    }
  }
  const SendResult result = sleep_in_line(system, *bounds, thread, to, message);
  bounds->release();
  return result;
}

}  // namespace airssys::rt::runtime
