// runtime_impl.hpp: a runtime from outside: started, visited by plain threads, stopped in order.
//
//   constructor: hooks ▶ inspector ▶ schedulers       stop: processes ▶ inspector ▶ schedulers ▶
//   hooks
//
// A plain thread that waits for a process's end does so through a watcher: a small process that
// monitors the other one and wakes the thread (Ending). The stop runs as a process as well
// (stop.cpp), so all of it is ordinary signals; these few processes are the runtime's own and are
// not asked to end. No thread waits longer than the runtime runs: the stop waits for the watchers,
// and tells who waits for a process that never ends.
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/system.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "base/parker.hpp"
#include "inspector/server.hpp"
#include "runtime/system.hpp"
#include "system/host_hooks.hpp"
#include "system/stop_on_signal.hpp"

namespace airssys::rt::detail {

class RuntimeImpl {
 public:
  // `owns_program`: what HostHook::automatic means (E4).
  RuntimeImpl(const Options& options, bool owns_program);
  RuntimeImpl(const RuntimeImpl&) = delete;
  RuntimeImpl& operator=(const RuntimeImpl&) = delete;
  ~RuntimeImpl();

  runtime::System& system() noexcept { return *system_; }
  const Options& options() const noexcept { return options_; }

  // How a process ended; for a plain thread. `on_end` may be null.
  class Ending {
   public:
    ExitReason wait();
    // Called by the watcher, on a thread of the runtime's, or when these have ended without it:
    // then nobody knows the reason. The first call counts.
    void set(ExitReason reason);

   private:
    base::Parker parker_;
    ExitReason reason_;
    base::Atomic<bool> is_set_{false};
  };

  // Starts a process without a parent, and tells `ending` when it has ended. If this runtime owns
  // the program, that is its main process. Any plain thread.
  Pid start_watched(Program* program, std::shared_ptr<Ending> ending);

  // A process of the runtime's own, which `stop` leaves alone.
  Pid start_own(Program* program);
  bool is_own(Pid pid);
  std::vector<Pid> own();

  // This is the copy of it in a child made by fork, where it can but be left alone.
  bool is_orphaned() const noexcept { return system_->is_orphaned(); }

  // Once; who comes second waits for the first.
  void stop(Duration deadline);

 private:
  void stop_once(Duration deadline);
  void wait_for_last_steps();
  void refuse_processes() const;

  Options options_;
  const bool owns_program_;
  std::optional<system::Containment> containment_;
  std::optional<system::HogSignal> hog_signal_;
  // Never destroyed when a thread of it is stuck in process code for good: it would come back to
  // it.
  std::unique_ptr<runtime::System> system_;
  bool is_left_behind_ = false;
  std::optional<system::ForkedChildren> forked_children_;  // refers to the system
  std::unique_ptr<inspector::Server> inspector_;

  base::Mutex mutex_{base::LockRank::runtime};
  // Under mutex_.
  std::vector<Pid> own_;
  std::vector<std::weak_ptr<Ending>> endings_;  // that somebody may wait for

  std::once_flag stopped_;
  std::optional<system::StopOnSignal> stop_on_signal_;  // uses all others
};

// stop.cpp: ends all processes but the runtime's own, as E3 says, and reports of those that it
// kills if it `tells`: who leaves them no time does not ask why they need some. False: some stay,
// or wait for those who stay. Runs as a process.
bool end_all_processes(RuntimeImpl& runtime, Deadline deadline, bool tells);

}  // namespace airssys::rt::detail
