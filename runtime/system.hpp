// system.hpp: one runtime's inside: a pool of schedulers with processes on it.
//
// What all processes of a runtime share: the table, the names, the log, the limits. Everything that
// finds a process and pushes into its inbox does so inside the runtime (Call, Visit in call.hpp),
// which keeps the process's block from being used again meanwhile (I6).
//
//   deliver: find ▶ push ▶ first? ▶ wake          the one way in which mail reaches a process
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/disposal.hpp"
#include "runtime/hibernator.hpp"
#include "runtime/name_registry.hpp"
#include "runtime/places.hpp"
#include "runtime/process.hpp"
#include "runtime/process_table.hpp"
#include "scheduler/pool.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

class System final : public scheduler::Pool {
 public:
  struct Config {
    scheduler::Pool::Config pool;
    std::uint32_t processes_max = 1U << 24;
    std::int64_t send_timeout_ns = 5'000'000'000;
    std::int64_t hibernate_after_ns = 1'000'000'000;  // 0: never
    std::function<void(const Report& report)> log;    // null: stderr
    Severity log_from = Severity::notice;
  };

  explicit System(const Config& config);
  System(const System&) = delete;
  System& operator=(const System&) = delete;
  ~System();  // Requires: stopped. Takes back what timers there are.

  // --- Inside the runtime, any thread: scheduler's or foreign.

  // A process with everything set but its relations, found by its pid and not yet runnable. Throws
  // NameError, SpawnError; the program is destroyed then. The limit is about processes that are
  // alive: slots that rest on other schedulers do not count. The runtime's own work (without
  // parent or options) may go beyond it, and begin while the runtime stops.
  enum class Whose : bool { users, own };
  Process& create(detail::Program* program,
                  const SpawnOptions* options,
                  Pid parent,
                  Whose whose = Whose::users);
  Process& create_own(detail::Program* program) { return create(program, nullptr, {}, Whose::own); }
  // Its first turn. The caller has set its relations.
  void launch(Process& process) {
    if (scheduler::Thread* thread = scheduler::Thread::driving(*this))
      return thread->make_runnable(process);
    inject(process);
  }

  Process* find(Pid pid) noexcept { return table.find(pid); }

  // Whether its receiver acts on a signal before its mail is used up: on all but plain messages and
  // ordinary downs, which become messages.
  enum class Urgent : bool { no, yes };
  // Pushes, and wakes the process if that is owed. Closed: the signal is still the caller's.
  [[nodiscard]] mailbox::Pushed push(Process& to, mailbox::Signal& signal) {
    const mailbox::Pushed pushed = to.inbox.push(signal);
    if (pushed == mailbox::Pushed::first) wake_with(to, signal);
    return pushed;
  }
  // The same for what a process sends, or a plain thread, who pays for it. False: closed.
  [[nodiscard]] bool deliver(Process& to, mailbox::Signal& signal, Urgent urgent = Urgent::no) {
    const mailbox::Pushed pushed = push(to, signal);
    if (pushed == mailbox::Pushed::queued) {
      if (urgent == Urgent::yes) to.urgency.raise();
      pay_toll(to);
    }
    return pushed != mailbox::Pushed::closed;
  }
  // Whoever has turned an inbox from idle by pushing this signal owes this, once.
  void wake_with(Process& process, mailbox::Signal& signal);

  // Takes a slot back when a process is gone. On the thread that ran it, which is this one.
  void retire(Process& process, scheduler::Thread& thread) noexcept {
    table.retire(table.local(thread.scheduler().id()), process);
  }

  // To the host's log, or stderr.
  void log(const Report& report);
  bool is_logged(Severity severity) const noexcept { return severity >= log_from_; }

  // No spawn from outside from now on (E3).
  void refuse_spawns() noexcept {
    refuses_spawns_.store(true, std::memory_order_seq_cst);  // seq_cst: seldom, and plain to read
  }
  bool refuses_spawns() const noexcept {
    // seq_cst: as above. Whoever obeys a signal of the stop sees that the stop has begun.
    return refuses_spawns_.load(std::memory_order_seq_cst);
  }

  // How long a plain thread waits for room in a bounded mailbox (B2).
  const std::int64_t send_timeout_ns;

  ProcessTable table;
  Places places;
  NameRegistry names;
  DeadLetters dead_letters{*this};
  Disposal disposal{blocking, this};
  Hibernator hibernator;

  // Processes that could not be unwound and were cut off (Z4): a figure.
  base::Atomic<std::uint64_t> abandoned{0};

 private:
  // Who sends to one that is behind gives way soon, so that a flood is worked off however many it
  // comes from (S11), and a server's mail does not outgrow the caches, let alone memory.
  void pay_toll(const Process& to) noexcept {
    // relaxed: a figure that steers.
    const Behind behind = to.behind.load(std::memory_order_relaxed);
    if (behind != Behind::with_nothing) [[unlikely]]
      charge_sender(to, behind);
  }
  void charge_sender(const Process& to, Behind behind) noexcept;
  void take_place(Whose whose);
  Process* take_slot();
  Process* take_slot_from_outside();
  void give_name(Process& process, std::string_view name);
  void take_back(Process& process);

  const std::function<void(const Report&)> log_;
  const Severity log_from_;
  base::Atomic<bool> refuses_spawns_{false};

  // Held by a foreign thread while it uses the table's last Local.
  base::Mutex mutex_{base::LockRank::runtime};
};

// The runtime on whose thread the caller runs. Requires: Thread::current().
inline System& current_system() noexcept {
  return static_cast<System&>(scheduler::Thread::current()->pool());
}

}  // namespace airssys::rt::runtime
