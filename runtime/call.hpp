// call.hpp: the doorway from process code, or from a foreign thread, into the runtime.
//
// Every non-template function that the public face calls opens one of these first:
//   Call   from a process. Enters, and is a safe point unless told otherwise: mail is obeyed in
//          order, a process that must end is unwound from here, one whose slice is used up gives
//          way (Z1). Throws BadArgument on a thread that runs no process.
//   Visit  from any thread, for verbs that plain threads may use as well: enters, no safe point.
// Between opening and closing the thread is inside the runtime: what it finds stays valid, and its
// scheduler is its own. Process code and predicates of the user's run outside, by Outside.
#pragma once

#include "base/quiescence.hpp"
#include "runtime/process.hpp"
#include "runtime/system.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

// Acts on what has come, and gives way when the slice is used up. While the process is being unwound
// or ended it does nothing (Z3). Inside; returns inside, maybe on another thread.
void safe_point(Process& process);

class Call {
 public:
  enum class Kind : std::uint8_t { safe_point, plain };

  explicit Call(Kind kind = Kind::safe_point);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { scheduler::Thread::current()->leave(); }

  Process& process() const noexcept { return process_; }
  System& system() const noexcept { return current_system(); }
  // Read anew at each use: the process may have moved.
  scheduler::Thread& thread() const noexcept { return *scheduler::Thread::current(); }
  void charge(std::int32_t reductions) const noexcept { thread().charge(reductions); }

 private:
  static Process& enter();

  Process& process_;
};

// A foreign thread's, or any thread's, short stay inside a given runtime.
class Visit {
 public:
  explicit Visit(System& system);
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit();

 private:
  System& system_;
  base::Announcement* announcement_;  // null: this is one of the runtime's own threads
};

// Whether the process's own frames are being unwound, or its end is under way: waits do not wait and
// safe points do nothing (Z3).
bool is_unwinding(const Process& process) noexcept;

}  // namespace airssys::rt::runtime
