// timers.cpp: messages that are sent later: made, read, taken back, fired (T1–T13).
#include "runtime/timers.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/interval.hpp>
#include <airssys/rt/timer.hpp>
#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "runtime/call.hpp"
#include "runtime/envelope.hpp"
#include "runtime/outside.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "scheduler/timer_table.hpp"

namespace airssys::rt {

namespace runtime {

namespace {

using scheduler::Thread;
using scheduler::TimerId;
using scheduler::TimerOrder;
using scheduler::TimerTable;

// What an order's note points to: for a pid the System itself, for a name one of these.
struct NamedTarget {
  System& system;
  std::string name;
};

template <class T>
std::uint64_t as_note(T* pointer) noexcept {
  return std::bit_cast<std::uintptr_t>(pointer);
}
template <class T>
T* from_note(std::uint64_t note) noexcept {
  return std::bit_cast<T*>(static_cast<std::uintptr_t>(note));
}

// Timers fire under the wheel's mutex: a push and a wake may happen there, a destructor may not.
void send_from_nobody(System& system, Pid to, void* payload) noexcept {
  Process* target = system.find(to);
  if (target && system.deliver(*target, Envelope::of_payload(payload))) return;
  system.disposal.dispose(payload);
}

// What start_timer sends names its timer; that has no name before it is made.
void name_timer(void* payload, TimerId id) noexcept {
  if (auto* timeout = detail::payload_if<rt::Timeout>(payload); timeout && !timeout->ref)
    timeout->ref = {id.bits()};
}

void fire_at_pid(const TimerOrder& order, TimerId id) noexcept {
  name_timer(order.payload, id);
  send_from_nobody(*from_note<System>(order.note), Pid::from_bits(order.target), order.payload);
}

void fire_at_name(const TimerOrder& order, TimerId id) noexcept {
  name_timer(order.payload, id);
  const std::unique_ptr<NamedTarget> target(from_note<NamedTarget>(order.note));
  const Pid holder = target->system.names.find(target->name).value_or(Pid());
  send_from_nobody(target->system, holder, order.payload);
}

// The message of an order that was taken back.
Message message_of(const TimerOrder& order) {
  if (order.fire == &fire_at_name) delete from_note<NamedTarget>(order.note);
  return Message(order.payload);
}

// On the scheduler that runs the caller; its own thread looks at its timers before it sleeps.
TimerId make_timer(const Call& call, Deadline due, const TimerOrder& order) {
  const auto created = call.thread().scheduler().timers.create(due.ns(), order);
  if (!created) throw BadArgument("too many timers are pending: 16 million on one scheduler");
  return created->id;
}

// The table that made this id, or null: no such table here.
TimerTable* table_of(System& system, TimerId id) noexcept {
  if (id.table() >= system.count()) return nullptr;
  return &system.scheduler(id.table()).timers;
}

Duration left_until(std::int64_t due_ns, System& system) noexcept {
  return Duration(std::max<std::int64_t>(due_ns - system.clock.now_ns(), 0));
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

std::optional<Duration> cancel_timer_in(System& system, TimerRef timer, Message& message) {
  const TimerId id = TimerId::from_bits(timer.id);
  TimerTable* table = table_of(system, id);
  if (!timer || !table) return std::nullopt;
  const auto cancelled = table->cancel(id);
  if (!cancelled) return std::nullopt;
  message = message_of(cancelled->order);
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
  const Call call;
  call.charge(1);
  System& system = call.system();
  Process* target = system.find(to);
  if (!target) return {};
  header_of(payload).tag = 0;
  const TimerId id = runtime::make_timer(call,
                                         due,
                                         {.fire = &runtime::fire_at_pid,
                                          .payload = payload,
                                          .target = to.bits(),
                                          .note = runtime::as_note(&system)});
  static_cast<void>(message.release());
  // seq_cst, twice: the mark is set before the look whether it is exiting (timers.hpp).
  target->is_timer_target.store(true, std::memory_order_seq_cst);
  if (target->is_exiting.load(std::memory_order_seq_cst)) {
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
  auto target = std::make_unique<runtime::NamedTarget>(call.system(), std::string(name));
  const TimerId id = runtime::make_timer(
      call,
      due,
      {.fire = &runtime::fire_at_name, .payload = payload, .note = runtime::as_note(target.get())});
  static_cast<void>(target.release());
  static_cast<void>(message.release());
  return {id.bits()};
}

void send_unbounded(Pid to, void* payload) {
  Message message(payload);  // freed if the caller ends in the doorway
  const Call call;
  call.charge(1);
  header_of(payload).tag = 0;
  runtime::send_from_nobody(call.system(), to, message.release());
}

}  // namespace detail

std::optional<Duration> cancel_timer(TimerRef timer) {
  Process* caller = runtime::calling_process();
  if (!caller) return runtime::cancel_timer_from_outside(runtime::guest_system(), timer);
  Message message;  // destroyed outside
  const Call call(*caller);
  call.charge(1);
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
  const Call call;
  const std::optional<Duration> left = cancel_timer(timer);
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
