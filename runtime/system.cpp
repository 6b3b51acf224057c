// system.cpp: making processes, and getting mail to them.
#include "runtime/system.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/link.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "fiber/stack.hpp"
#include "runtime/bounds.hpp"
#include "runtime/control_signal.hpp"
#include "runtime/envelope.hpp"
#include "runtime/extras.hpp"
#include "runtime/run.hpp"
#include "runtime/signals.hpp"
#include "runtime/timers.hpp"

namespace airssys::rt::runtime {

using scheduler::Thread;

namespace {

scheduler::Pool::Config with_doors(scheduler::Pool::Config config) {
  config.doors = {&run_process, &process_was_cut, &process_may_rest, &fetch_stack};
  return config;
}

scheduler::Level level_of(Priority priority) noexcept {
  return static_cast<scheduler::Level>(priority);
}

// That somebody has ended in order is no news to hurry for: who has started many hears of them
// together, when its turn comes. A crash goes before all others.
bool tells_of_orderly_end(mailbox::Signal& signal) noexcept {
  const ExitReason* reason = nullptr;
  if (signal.kind == mailbox::SignalKind::down)
    reason = &static_cast<Down*>(Envelope::of_signal(signal).payload())->reason;
  if (signal.kind == mailbox::SignalKind::exit) reason = &ControlSignal::of(signal).reason;
  return reason && reason->kind() == ExitReason::Kind::normal;
}

[[noreturn, gnu::noinline]] void refuse_late_spawn() {
  throw SpawnError(SpawnError::stopping,
                   ExitReason::shutdown(),
                   "the runtime is stopping: nothing is spawned any more");
}

[[noreturn, gnu::noinline]] void refuse_for_lack_of_room(const char* why) {
  throw SpawnError(SpawnError::limit_reached,
                   ExitReason::error("the process table is full"),
                   std::string("the process table is full: ") + why);
}

// Throws BadArgument.
[[gnu::noinline]] fiber::SizeClass checked_stack_class(const SpawnOptions& options,
                                                       unsigned schedulers) {
  const auto fitting = fiber::class_for(std::max(options.stack_bytes, fiber::smallest_stack_bytes));
  if (!fitting) throw BadArgument("SpawnOptions::stack_bytes is more than 8 MiB");
  if (options.scheduler > schedulers)
    throw BadArgument("SpawnOptions::scheduler: there is no such scheduler");
  if (options.priority > Priority::max)
    throw BadArgument("SpawnOptions::priority: there is no such priority");
  return *fitting;
}

[[gnu::noinline]] void set_options(Process& process, const SpawnOptions& options) {
  process.level = level_of(options.priority);
  process.pinned_to = static_cast<std::uint8_t>(options.scheduler);
  if (BoundsShare bounds = make_bounds(options.mailbox)) give_bounds(process, std::move(bounds));
  if (options.limit.messages == 0 && options.limit.bytes == 0) return;
  extras_of(process).mail_limit = MailLimit(options.limit);
  process.urgency.keep_up();
}

// By the owner.
bool is_behind_with_mail(const Process& process) noexcept {
  return process.behind.load(std::memory_order_relaxed) == Behind::with_mail &&  // relaxed: its own
         !process.mail.is_empty();
}

}  // namespace

System::System(const Config& config)
    : Pool(with_doors(config.pool)),
      send_timeout_ns(config.send_timeout_ns),
      table(quiescence, config.pool.schedulers + 1),
      places(config.processes_max, ProcessTable::slots_max),
      hibernator(*this, config.hibernate_after_ns),
      log_(config.log),
      log_from_(config.log_from) {}

System::~System() {
  cancel_all_timers(*this);
  disposal.empty();  // while there is a log
}

inline Process* System::take_slot() {
  Thread* thread = Thread::driving(*this);
  if (!thread) [[unlikely]]
    return take_slot_from_outside();
  return table.take(table.local(thread->scheduler().id()), thread->looked_at_ns());
}

[[gnu::noinline]] Process* System::take_slot_from_outside() {
  const std::lock_guard lock(mutex_);
  return table.take(table.local(count()), clock.now_ns());
}

void System::take_place(Whose whose) {
  if (whose == Whose::own) return places.take_beyond();
  if (!places.take()) refuse_for_lack_of_room("raise Options::max_processes");
}

Process& System::create(detail::Program* program,
                        const SpawnOptions* options,
                        Pid parent,
                        Whose whose) {
  std::unique_ptr<detail::Program> owned(program);
  if (whose == Whose::users && !parent && refuses_spawns()) refuse_late_spawn();
  const fiber::SizeClass stack_class = options ? checked_stack_class(*options, count()) : 0;
  take_place(whose);
  Process* process = take_slot();
  if (!process) {
    places.give_back();
    refuse_for_lack_of_room("it has no slot left");
  }
  process->parent = parent;
  process->code = owned->name();
  process->stack_class = stack_class;
  if (options) set_options(*process, *options);
  table.publish(*process);
  if (options && !options->name.empty()) give_name(*process, options->name);
  process->program = owned.release();
  if (options && options->hibernates) hibernator.is_up(*process);
  return *process;
}

// Throws NameError, and then there is no process.
void System::give_name(Process& process, std::string_view name) {
  if (auto named = names.give(name, process.pid(), &process); !named) {
    take_back(process);
    throw std::move(named).error();
  }
}

// A process that never was. Whoever has found it in a list may have asked it something, given it a
// name, or aimed a timer at it.
void System::take_back(Process& process) {
  const Pid pid = process.pid();
  names.release(process);
  if (is_aimed_at(process)) [[unlikely]]
    dispose_of_timers_of(*this, process);
  mailbox::Signal* signal = unpacked(process, process.inbox.close());
  if (bounds_of(process)) wake_all_senders(process);
  while (signal) {
    mailbox::Signal& request = *std::exchange(signal, signal->next);
    request_is_answered(*this, process, request);
    refuse(*this, pid, request);
  }
  places.give_back();
  if (Thread* thread = Thread::driving(*this)) return retire(process, *thread);
  const std::lock_guard lock(mutex_);
  table.retire(table.local(count()), process);
}

void System::wake_with(Process& process, mailbox::Signal& signal) {
  if (!process.pending) [[likely]] {
    signal.next = nullptr;
    process.pending = &signal;
  } else {
    // It rests in the middle of its end, with what it has not obeyed (Wait::finish).
    const mailbox::Pushed pushed = process.inbox.push(signal);
    RT_CHECK(pushed == mailbox::Pushed::queued, "M3: in hand, and yet idle or closed");
  }
  Thread* thread = Thread::driving(*this);
  if (!thread) return inject(process);
  if (tells_of_orderly_end(signal)) return thread->make_runnable(process);
  thread->make_runnable_next(process);
}

void System::charge_sender(const Process& to, Behind behind) noexcept {
  Thread* thread = Thread::driving(*this);
  const auto* sender = thread ? static_cast<const Process*>(thread->task()) : nullptr;
  if (sender == &to) return;  // it is to work that off
  const std::int32_t left = sender ? std::max(thread->scheduler().reductions, 0) : 0;
  if (behind == Behind::with_signals) {
    if (sender) thread->charge(left);
    // If nobody else wants to run here, that costs nothing; but the flooded may want this core.
    std::this_thread::yield();
    return;
  }
  if (!sender || is_behind_with_mail(*sender)) return;  // as above
  constexpr std::int32_t messages_of_a_slice = 16;
  thread->charge(std::min(left, scheduler::slice_reductions / messages_of_a_slice));
}

void System::log(const Report& report) {
  if (!is_logged(report.severity())) return;
  if (log_) {
    log_(report);
  } else {
    std::fprintf(stderr, "airssys-rt: %s\n", report.line().c_str());
  }
}

}  // namespace airssys::rt::runtime
