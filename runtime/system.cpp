// system.cpp: making processes, and getting mail to them.
#include "runtime/system.hpp"

#include <airssys/rt/error.hpp>
#include <airssys/rt/link.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
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

void set_limit(Process& process, const MailboxLimit& limit) {
  if (limit.messages == 0 && limit.bytes == 0) return;
  extras_of(process).mail_limit = MailLimit(limit);
  process.urgency.keep_up();
}

}  // namespace

System::System(const Config& config)
    : Pool(with_doors(config.pool)),
      send_timeout_ns(config.send_timeout_ns),
      table(quiescence, config.pool.schedulers + 1),
      hibernator(*this, config.hibernate_after_ns),
      processes_max_(config.processes_max),
      log_(config.log),
      log_from_(config.log_from),
      births_(config.pool.schedulers) {}

System::~System() {
  cancel_all_timers(*this);
  disposal.empty();  // while there is a log
}

Process* System::take_slot() {
  if (Thread* thread = Thread::driving(*this))
    return table.take(table.local(thread->scheduler().id()));
  const std::lock_guard lock(mutex_);
  return table.take(table.local(count()));
}

// Exact among the births on one scheduler, and right to a fraction of a millisecond between two: no
// line of memory is shared for it.
std::uint64_t System::next_birth() {
  Thread* thread = Thread::driving(*this);
  const auto now = static_cast<std::uint64_t>(thread ? thread->looked_at_ns() : clock.now_ns());
  if (!thread) return now;
  std::uint64_t& last = births_[thread->scheduler().id()].last;
  return last = std::max(last + 1, now);
}

Process& System::create(detail::Program* program, const SpawnOptions* options, Pid parent) {
  std::unique_ptr<detail::Program> owned(program);
  // seq_cst: seldom written, and plain to read.
  if (!parent && refuses_spawns())
    throw SpawnError(ExitReason::shutdown(),
                     "the runtime is stopping: nothing is spawned any more");
  if (processes_max_ < ProcessTable::slots_max && table.alive() >= processes_max_)
    throw SpawnError(ExitReason::error("the process table is full"),
                     "the process table is full: raise Options::max_processes");
  return create_unasked(owned.release(), options, parent);
}

Process& System::create_unasked(detail::Program* program, const SpawnOptions* options, Pid parent) {
  std::unique_ptr<detail::Program> owned(program);
  fiber::SizeClass stack_class = 0;
  if (options && options->stack_bytes > fiber::smallest_stack_bytes) {
    const auto fitting = fiber::class_for(options->stack_bytes);
    if (!fitting) throw BadArgument("SpawnOptions::stack_bytes is more than 8 MiB");
    stack_class = *fitting;
  }
  if (options && options->scheduler > count())
    throw BadArgument("SpawnOptions::scheduler: there is no such scheduler");
  if (options && options->priority > Priority::max)
    throw BadArgument("SpawnOptions::priority: there is no such priority");
  Process* process = take_slot();
  if (!process)
    throw SpawnError(ExitReason::error("the process table is full"),
                     "the process table is full: it has no slot left");
  process->parent = parent;
  process->born = next_birth();
  process->code = owned->name();
  process->stack_class = stack_class;
  if (options) {
    process->level = level_of(options->priority);
    process->pinned_to = static_cast<std::uint8_t>(options->scheduler);
    process->bounds = make_bounds(options->mailbox);
    set_limit(*process, options->limit);
  }
  const Pid pid = table.publish(*process);
  if (options && !options->name.empty()) {
    if (auto named = names.give(options->name, pid, process); !named) {
      take_back(*process);
      throw std::move(named).error();
    }
  }
  process->program = owned.release();
  if (options && options->hibernates) hibernator.is_up(*process);
  return *process;
}

// A process that never was. Whoever has found it in a list may have asked it something.
void System::take_back(Process& process) {
  const Pid pid = process.pid();
  for (mailbox::Signal* signal = unpacked(process, process.inbox.close()); signal;) {
    mailbox::Signal& request = *std::exchange(signal, signal->next);
    request_is_answered(*this, process, request);
    refuse(*this, pid, request);
  }
  retire(process);
}

void System::launch(Process& process) {
  if (Thread* thread = Thread::driving(*this)) {
    thread->make_runnable(process);
  } else {
    inject(process);
  }
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

void System::end_slice_of_sender() noexcept {
  if (Thread* sender = Thread::driving(*this))
    sender->charge(std::max(sender->scheduler().reductions, 0));
}

void System::retire(Process& process) {
  if (Thread* thread = Thread::driving(*this))
    return table.retire(table.local(thread->scheduler().id()), process);
  const std::lock_guard lock(mutex_);
  table.retire(table.local(count()), process);
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
