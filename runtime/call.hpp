// call.hpp: the doorway from process code, or from a foreign thread, into the runtime.
//
// Every non-template function that the public face calls opens one of these first:
//   Call   from a process. Enters, and is a safe point unless told otherwise: if there is more than
//          messages, all that has come is obeyed in order, a process that must end is unwound
//          from here, one whose slice is used up gives way (Z1). Throws BadArgument on a thread
//          that runs no process.
//   Visit  from any thread, for verbs that plain threads may use as well: enters, no safe point.
// Between opening and closing the thread is inside the runtime: what it finds stays valid, and its
// scheduler is its own. Process code runs outside, by run_code. What is small runs inside: a
// message's destructor, a predicate, the host's log. When these call a verb, they find the door
// open: a Call in a Call is no safe point and leaves the door as it was, so that the outer one may
// rely on what it holds.
#pragma once

#include <cstddef>
#include <optional>

#include "base/quiescence.hpp"
#include "fiber/unwind.hpp"
#include "runtime/exit.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"
#include "runtime/system.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

// Acts on what has come if it is urgent, and gives way when the slice is used up. Mere messages
// wait for that, or until the process receives: who is sent more than it can read would only ever
// take in (S11). While it is being unwound or ended it does nothing (Z3). Inside; returns inside,
// maybe on another thread.
inline void safe_point(Process& process);
// The same, and all that has come by now has been acted on.
inline void take_in(Process& process);

// Whether the process's own frames are being unwound, or its end is under way: waits do not wait
// and safe points do nothing (Z3).
inline bool is_unwinding(const Process& process) noexcept {
  return process.must_end || process.is_ending;
}

// The process whose code calls, or null on a thread that runs none.
inline Process* calling_process() noexcept {
  scheduler::Thread* thread = scheduler::Thread::current();
  if (!thread) return nullptr;
  if (!thread->task()) [[unlikely]]
    thread->pool().refuse_forked_child();
  return static_cast<Process*>(thread->task());
}

[[noreturn]] void refuse_plain_thread();
// The same. Throws BadArgument on a thread that runs none.
inline Process& current_process() {
  Process* process = calling_process();
  if (!process) [[unlikely]]
    refuse_plain_thread();
  return *process;
}

// Ends what runs here with stack_overflow, at the door, if what is left of its stack may be too
// little for the runtime's own frames: those would meet the guard while they hold locks (Z10).
inline void cut_if_stack_is_short(fiber::Fiber& fiber) noexcept {
  constexpr std::ptrdiff_t needed = fiber::sanitizer::address ? 16 << 10 : 8 << 10;
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  if (here - fiber.low < needed) [[unlikely]]
    fiber::abandon(fiber, fiber::Ended::overflowed);
}

// The thread is inside while this stands; it stays there if it was before. On a thread that runs a
// process.
class Inside {
 public:
  // `known`: for who must not be cut off here, and has looked at the stack before.
  enum class Room : std::uint8_t { looked_at, known };

  explicit Inside(Room room = Room::looked_at) noexcept
      : Inside(*scheduler::Thread::current(), room) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (is_outermost_) scheduler::Thread::current()->leave();
  }

  bool is_outermost() const noexcept { return is_outermost_; }

 private:
  Inside(scheduler::Thread& thread, Room room) noexcept : is_outermost_(!thread.is_inside()) {
    if (!is_outermost_) return;
    if (room == Room::looked_at) cut_if_stack_is_short(thread.fiber());
    scheduler::Thread::enter(thread);
  }

  const bool is_outermost_;
};

class Call {
 public:
  enum class Kind : std::uint8_t { safe_point, plain };

  explicit Call(Kind kind = Kind::safe_point) : Call(current_process(), kind) {}
  // Requires: the caller is this process.
  explicit Call(Process& caller, Kind kind = Kind::safe_point) : process_(caller) {
    if (kind == Kind::safe_point && inside_.is_outermost()) begin(thread().slice_is_over());
  }
  // A safe point that charges for the call first: what each message meets, inline in all that use
  // it.
  [[gnu::always_inline]] Call(Process& caller, std::int32_t reductions) : process_(caller) {
    const bool slice_is_over = thread().charge(reductions);
    if (inside_.is_outermost()) begin(slice_is_over);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Process& process() const noexcept { return process_; }
  System& system() const noexcept { return current_system(); }
  // Read anew at each use: the process may have moved.
  scheduler::Thread& thread() const noexcept { return *scheduler::Thread::current(); }
  void charge(std::int32_t reductions) const noexcept { thread().charge(reductions); }
  // For a verb that looks at the mail: all that has come is there, unless this is a Call in a Call.
  void take_in_mail() const {
    if (has_news(process()) && inside_.is_outermost()) take_in(process());
  }
  // Behind the verb's own work: none in a Call in a Call.
  void safe_point() const {
    if (inside_.is_outermost()) runtime::safe_point(process());
  }
  // Ends the turn of a process that is not being unwound. What has come by the next one is acted
  // on, but for a Call in a Call.
  void give_way() const {
    scheduler::Thread::yield();
    if (inside_.is_outermost()) take_in(process());
  }

 private:
  void begin(bool slice_is_over) const {
    if (slice_is_over || process().urgency.is_raised()) [[unlikely]]
      runtime::safe_point(process());
  }

  Process& process_;
  const Inside inside_;
};

// A foreign thread's, or any thread's, short stay inside a given runtime. A process comes in
// through the door of its own first, also for a stay in another: the locks that it takes there are
// no process code, in which a hog is held (scheduler/hold.hpp).
class Visit {
 public:
  explicit Visit(System& system, Inside::Room room = Inside::Room::looked_at);
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit();

 private:
  System& system_;
  std::optional<Inside> inside_;                // of a process, inside its own runtime
  base::Announcement* announcement_ = nullptr;  // of whoever is not of this runtime
};

// What a safe point does when the slice is used up.
void give_way(Process& process);
// The same where mere messages are not to be taken in.
void pause(Process& process);

inline void safe_point(Process& process) {
  if (process.urgency.is_raised()) return take_in(process);
  if (is_unwinding(process)) return;
  if (scheduler::Thread::current()->slice_is_over()) [[unlikely]]
    give_way(process);
}

inline void take_in(Process& process) {
  if (is_unwinding(process)) return;
  if (obey(process)) [[unlikely]]
    end_here();
  if (scheduler::Thread::current()->slice_is_over()) [[unlikely]]
    give_way(process);
}

}  // namespace airssys::rt::runtime
