// timers.cpp: messages that are sent later: made, read, taken back, fired (T1–T13).
#include "runtime/timers.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/interval.hpp>
#include <airssys/rt/timer.hpp>
#include <memory>
#include <string>
#include <utility>

#include "runtime/call.hpp"
#include "runtime/envelope.hpp"
#include "runtime/outside.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/timer_target.hpp"
#include "scheduler/timer_table.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

using scheduler::Thread;
using scheduler::TimerEntry;
using scheduler::TimerId;
using scheduler::TimerOrder;
using scheduler::TimerTable;

// The payload of an order that is aimed at a name.
struct NamedTarget {
  std::string name;
  Message message;
};

// Timers fire under the wheel's mutex, in anyone's turn: a push and a wake may happen there, but no
// destructor, and nobody has to pay.
void send_from_nobody(System& system, Pid to, void* payload) noexcept {
  Process* target = system.find(to);
  if (target && system.push(*target, Envelope::of_payload(payload)) != mailbox::Pushed::closed)
    return;
  system.disposal.dispose(payload);
}

// What start_timer sends names its timer; that has no name before it is made.
void name_timer(void* payload, TimerId id) noexcept {
  if (auto* timeout = detail::payload_if<rt::Timeout>(payload); timeout && !timeout->ref)
    timeout->ref = {id.bits()};
}

// On the thread that drives the scheduler with this timer.
TimerTable& timers_here() noexcept {
  return Thread::current()->scheduler().timers;
}

void fire_at_pid(TimerEntry& timer) noexcept {
  const auto [order, id] = timers_here().take_expired(timer);
  name_timer(order.payload, id);
  send_from_nobody(current_system(), Pid::from_bits(order.target), order.payload);
}

void fire_at_name(TimerEntry& timer) noexcept {
  const auto [order, id] = timers_here().take_expired(timer);
  const std::unique_ptr<NamedTarget> target(static_cast<NamedTarget*>(order.payload));
  void* payload = target->message.release();
  name_timer(payload, id);
  System& system = current_system();
  send_from_nobody(system, system.names.find(target->name).value_or(Pid()), payload);
}

// The message of an order that was taken back.
Message message_of(const TimerOrder& order) {
  if (order.fire != &fire_at_name) return Message(order.payload);
  const std::unique_ptr<NamedTarget> target(static_cast<NamedTarget*>(order.payload));
  return std::move(target->message);
}

// On the scheduler that runs the caller; its own thread looks at its timers before it sleeps.
TimerId make_timer(Deadline due, const TimerOrder& order) {
  const auto created = timers_here().create(due.ns(), order);
  if (!created) throw BadArgument("too many timers are pending: 16 million on one scheduler");
  return created->id;
}

// The table that made this id, or null: no such table here.
TimerTable* table_of(System& system, TimerId id) noexcept {
  if (id.table() >= system.count()) return nullptr;
  return &system.scheduler(id.table()).timers;
}

Duration left_until(std::int64_t due_ns, System& system) noexcept {
  const std::int64_t now_ns = system.clock.now_ns();
  return Duration(due_ns <= now_ns ? 0 : due_ns - now_ns);
}

}  // namespace

void take_back_timers_of(System& system, Process& process) {
  const std::uint64_t target = process.pid().bits();
  for (unsigned id = 0; id < system.count(); ++id) {
    while (const auto cancelled = system.scheduler(id).timers.cancel_target(target)) {
      run_code([&cancelled] { message_of(cancelled->order); });
      if (Thread::current()->charge(1)) Thread::yield();
    }
  }
}

void dispose_of_timers_of(System& system, Process& process) {
  const std::uint64_t target = process.pid().bits();
  for (unsigned id = 0; id < system.count(); ++id) {
    while (const auto cancelled = system.scheduler(id).timers.cancel_target(target))
      system.disposal.dispose(message_of(cancelled->order).release());
  }
}

std::optional<Duration> cancel_timer_in(System& system, TimerRef timer, Message& message) {
  const TimerId id = TimerId::from_bits(timer.id);
  TimerTable* table = table_of(system, id);
  if (!timer || !table) return std::nullopt;
  const auto cancelled = table->cancel(id);
  if (!cancelled) return std::nullopt;
  message = message_of(cancelled->order);
  // To be destroyed in a moment, and cold if the timer was made long ago: on its way while the
  // clock is read.
  __builtin_prefetch(&detail::header_of(message.payload()));
  return left_until(cancelled->due_ns, system);
}

std::optional<Duration> read_timer_in(System& system, TimerRef timer) {
  const TimerId id = TimerId::from_bits(timer.id);
  const TimerTable* table = table_of(system, id);
  if (!timer || !table) return std::nullopt;
  const auto due_ns = table->due_ns(id);
  if (!due_ns) return std::nullopt;
  return left_until(*due_ns, system);
}

void cancel_all_timers(System& system) {
  const Guest guest(system);
  for (unsigned id = 0; id < system.count(); ++id) {
    while (const auto cancelled = system.scheduler(id).timers.cancel_any())
      message_of(cancelled->order);
  }
}

}  // namespace runtime

using runtime::Call;
using runtime::Process;
using runtime::System;
using scheduler::TimerId;

namespace detail {

TimerRef send_later(Deadline due, Pid to, void* payload) {
  Message message(payload);
  const Call call(runtime::current_process(), 1);
  System& system = call.system();
  Process* target = system.find(to);
  if (!target) return {};
  header_of(payload).tag = 0;
  const TimerId id = runtime::make_timer(
      due, {.fire = &runtime::fire_at_pid, .payload = payload, .target = to.bits()});
  static_cast<void>(message.release());
  if (runtime::aims_too_late(*target)) {
    if (const auto cancelled = runtime::table_of(system, id)->cancel(id))
      message = runtime::message_of(cancelled->order);
  }
  return {id.bits()};
}

TimerRef send_later(Deadline due, std::string_view name, void* payload) {
  Message message(payload);
  const Call call;
  call.charge(1);
  header_of(payload).tag = 0;
  auto target = std::make_unique<runtime::NamedTarget>(std::string(name), std::move(message));
  const TimerId id =
      runtime::make_timer(due, {.fire = &runtime::fire_at_name, .payload = target.get()});
  static_cast<void>(target.release());
  return {id.bits()};
}

void send_unbounded(Pid to, void* payload) {
  Message message(payload);  // freed if the caller ends in the doorway
  const Call call;
  call.charge(1);
  header_of(payload).tag = 0;
  Process* target = call.system().find(to);
  if (!target || !call.system().deliver(*target, runtime::Envelope::of_payload(payload))) return;
  static_cast<void>(message.release());
}

}  // namespace detail

std::optional<Duration> cancel_timer(TimerRef timer) {
  Process* caller = runtime::calling_process();
  if (!caller) return runtime::cancel_timer_from_outside(runtime::guest_system(), timer);
  Message message;  // destroyed outside
  const Call call(*caller, 1);
  return runtime::cancel_timer_in(call.system(), timer, message);
}

std::optional<Duration> read_timer(TimerRef timer) {
  Process* caller = runtime::calling_process();
  if (!caller) return runtime::read_timer_from_outside(runtime::guest_system(), timer);
  const Call call(*caller);
  call.charge(1);
  return runtime::read_timer_in(call.system(), timer);
}

void cancel_timer_async(TimerRef timer, Answer answer) {
  Message message;  // destroyed outside
  const Call call(runtime::current_process(), 1);
  const std::optional<Duration> left = runtime::cancel_timer_in(call.system(), timer, message);
  if (answer == Answer::no) return;
  call.take_in_mail();  // which stands before the answer
  runtime::keep(call.process(), detail::make_payload(CancelTimer{timer, left}));
}

void read_timer_async(TimerRef timer) {
  const Call call;
  const std::optional<Duration> left = read_timer(timer);
  call.take_in_mail();  // as above
  runtime::keep(call.process(), detail::make_payload(ReadTimer{timer, left}));
}

}  // namespace airssys::rt
