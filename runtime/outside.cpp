// outside.cpp: what plain threads do to a runtime.
#include "runtime/outside.hpp"

#include <airssys/rt/error.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/this_thread.hpp"
#include "runtime/bounds.hpp"
#include "runtime/call.hpp"
#include "runtime/signals.hpp"
#include "runtime/timers.hpp"

namespace airssys::rt::runtime {

using base::this_thread::Slot;

Guest::Guest(System* system) noexcept
    : outer_(base::this_thread::get(Slot::guest)),
      is_set_(system != nullptr && calling_process() == nullptr) {
  if (is_set_) base::this_thread::set(Slot::guest, system);
}

Guest::~Guest() {
  if (is_set_) base::this_thread::set(Slot::guest, outer_);
}

System& guest_system() {
  auto* system = static_cast<System*>(base::this_thread::get(Slot::guest));
  if (!system)
    throw BadArgument("a plain thread uses the verbs of rt::Runtime, or is a Runtime::Guest");
  return *system;
}

Pid spawn_from_outside(System& system, detail::Program* program, const SpawnOptions* options) {
  const Guest guest(system);  // a program that is refused is destroyed here
  std::unique_ptr<detail::Program> owned(program);
  if (options && options->link)
    throw BadArgument("SpawnOptions::link: a plain thread is no process that could be linked");
  const Visit visit(system);
  Process& process = system.create(owned.release(), options, {});
  const Pid pid = process.pid();
  system.launch(process);
  return pid;
}

SendResult send_from_outside(System& system, Pid to, Message& message, detail::WhenFull when_full) {
  {
    const Visit visit(system);
    Process* target = system.find(to);
    detail::header_of(message.payload()).tag = 0;
    if (target && !bounds_of(*target) &&
        system.deliver(*target, Envelope::of_payload(message.payload()))) {
      static_cast<void>(message.release());
      return SendResult::sent;
    }
    if (!target || !bounds_of(*target)) {
      system.dead_letters.drop({to, Pid(), DropReason::no_process}, message);
      return SendResult::no_process;
    }
  }
  return send_bounded_from_outside(system, to, message, when_full);
}

void send_named_from_outside(System& system, std::string_view name, Message& message) {
  const auto to = [&] {
    const Visit visit(system);
    return system.names.find(name);
  }();
  if (!to) throw NameError(NameError::not_registered, std::string(name));
  send_from_outside(system, *to, message, detail::WhenFull::follow_policy);
}

void send_alias_from_outside(System& system,
                             const Ref& alias,
                             Message& message,
                             SendOptions options) {
  const Visit visit(system);
  if (options.priority) Envelope::of_payload(message.payload()).flags |= with_priority;
  send_through_alias(system, Pid(), alias, message.release());
}

void send_exit_from_outside(System& system, Pid to, ExitReason reason) {
  const Visit visit(system);
  send_signal(system, to, make_signal(mailbox::SignalKind::exit, Pid(), 0, 0, std::move(reason)));
}

void send_exit_from_outside(System& system,
                            const Alias& to,
                            ExitReason reason,
                            SendOptions options) {
  const Visit visit(system);
  send_exit_through_alias(system, Pid(), to, std::move(reason), options);
}

std::optional<Duration> cancel_timer_from_outside(System& system, TimerRef timer) {
  const Guest guest(system);
  Message message;  // destroyed outside
  const Visit visit(system);
  return cancel_timer_in(system, timer, message);
}

std::optional<Duration> read_timer_from_outside(System& system, TimerRef timer) {
  const Visit visit(system);
  return read_timer_in(system, timer);
}

}  // namespace airssys::rt::runtime
