// host_hooks.hpp: what is process-wide, all of it: the terminate handler, SIGSEGV and SIGBUS,
// SIGTERM and SIGINT, SIGURG, and what a child made by fork shall do first.
//
// A runtime that wants a hook holds one of these objects. Each kind is counted over all runtimes of
// the program: the first holder installs, chaining to what was there; the last one restores it,
// unless somebody has installed something else meanwhile, which then stays. Any thread may make and
// end them; one mutex guards the counts.
#pragma once

#include <cstdint>

#include "base/futex.hpp"
#include "base/intrusive_list.hpp"

namespace airssys::rt::system {

// noexcept violations and stack overflows end one process (Z4, Z10): fiber/containment.hpp.
class Containment {
 public:
  Containment();
  Containment(const Containment&) = delete;
  Containment& operator=(const Containment&) = delete;
  ~Containment();
};

// SIGTERM and SIGINT are counted (stop_on_signal.hpp acts on them); a second one ends the program
// at once, as if nobody had caught it (E4).
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  // Counts the stop signals since the first holder came, and in units of one_nudge whatever else
  // its sleepers have to hear of; futex-woken at each.
  static base::FutexWord& word() noexcept;
  static constexpr std::uint32_t one_nudge = 1U << 16;

  // This thread takes stop signals, whatever mask it was born with.
  static void let_in() noexcept;
};

// Holds threads of processes that compute for long until their turn comes: scheduler/rotation.hpp.
// A SIGURG that is no runtime's own goes to the handler that was there before.
class HogSignal {
 public:
  HogSignal();
  HogSignal(const HogSignal&) = delete;
  HogSignal& operator=(const HogSignal&) = delete;
  ~HogSignal();
};

// A child made by fork has one thread, and none of a runtime's. This one hears of it there, before
// fork returns, and all hooks of this file are gone in the child, as if no runtime had ever been.
// pthread_atfork cannot be undone: after the last holder it stays, and does nothing.
class ForkedChildren : public base::ListHook {
 public:
  // `in_child` is called with `holder`, on the child's only thread; locks may look held there.
  ForkedChildren(void (*in_child)(void*) noexcept, void* holder);
  ForkedChildren(const ForkedChildren&) = delete;
  ForkedChildren& operator=(const ForkedChildren&) = delete;
  ~ForkedChildren();

 private:
  friend struct ForkHook;

  void (*in_child_)(void*) noexcept;
  void* holder_;
};

}  // namespace airssys::rt::system
