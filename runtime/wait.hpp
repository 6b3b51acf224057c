// wait.hpp: how a process waits for something that is not mail: a time, a descriptor, a job, room.
//
// Whoever will wake it holds a Waker, and every wake is a signal in the inbox, so the inbox's word
// alone decides who sleeps:
//
//   armed ── source: wake() ──▶ on its way (in the inbox) ── owner obeys ──▶ arrived
//     │                              ▲
//     └── owner: the source's disarm answers "too late" ─┘      or "will not come": done
//
// A Wait is the record on the waiter's stack, around a Waker and its source. It must not leave its
// frame while a wake may still come: its end disarms the source, and if it is too late for that, it
// waits for the wake, whatever else happens meanwhile (a wake that is on its way always arrives).
// When the stack is cut off instead of unwound, the end of the process does the same for each Wait
// it finds on the list (Z4).
#pragma once

#include <cstdint>

#include "mailbox/signal.hpp"
#include "runtime/exit.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"
#include "runtime/wait_reason.hpp"
#include "scheduler/thread.hpp"
#include "scheduler/timer_wheel.hpp"

namespace airssys::rt::runtime {

class System;

class Waker : public mailbox::Signal {
 public:
  explicit Waker(Process& owner) noexcept;  // by its owner
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // The source, any thread, once. The Waker may be gone as soon as the owner has obeyed it.
  void wake();
  // Owner.
  bool has_arrived() const noexcept { return has_arrived_; }
  void arrive() noexcept { has_arrived_ = true; }  // signals.cpp, as it obeys it

 private:
  Process& owner_;
  System* system_;
  bool has_arrived_ = false;
};

class Wait {
 public:
  explicit Wait(Process& process) noexcept;
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  Waker waker;

  // At the end of the process, for a stack that was cut off.
  static void abandon_all(Process& process);

 protected:
  ~Wait();

  // The source will not call waker.wake() any more (true), or has, or is about to (false). Called
  // at most once, by `finish`.
  virtual bool disarm() noexcept = 0;
  // Each derived destructor calls it first: afterwards nobody holds the waker.
  void finish() noexcept;
  bool is_armed_ = false;  // somebody holds the waker, and has not been asked to give it back

 private:
  Process& process_;
  Wait* previous_ = nullptr;  // the process's other waits, in no order
  Wait* next_;
};

// A time-out.
class TimedWait final : public Wait, private scheduler::TimerEntry {
 public:
  explicit TimedWait(Process& process) noexcept;
  ~TimedWait();
  void arm(std::int64_t due_ns);
  bool is_armed() const noexcept { return is_armed_; }

 private:
  bool disarm() noexcept override;
};

// Whether this deadline has passed. A clock is not read for one that is far from the last look at
// it, and who makes a deadline has looked (Deadline::after). Inside.
inline bool has_passed(std::int64_t deadline_ns) noexcept {
  constexpr std::int64_t far_ns = 1'000'000'000;
  const scheduler::Thread& thread = *scheduler::Thread::current();
  return deadline_ns - thread.looked_at_ns() < far_ns &&
         deadline_ns <= thread.pool().clock.now_ns();
}

// At rest until something has come, whatever it is; acts on nothing. Inside; returns inside, maybe
// on another thread. Inline, as all that leads to it should be: see fiber/context.hpp.
inline void rest(Process& process, WaitReason reason) {
  process.wait_reason.store(reason, std::memory_order_relaxed);  // relaxed: for show
  scheduler::Thread::park();
}

// Acts on what came while the process waited. A question about it is answered by what it was doing
// when it was asked, so it shows itself running afterwards. Unwinds from here if it must end.
inline void obey_while_waiting(Process& process) {
  const bool must_end = obey(process);
  process.wait_reason.store(WaitReason::none, std::memory_order_relaxed);  // relaxed: for show
  if (must_end) [[unlikely]]
    end_here(process);
}

// Waits until one more signal was obeyed or came; the caller looks at what it waits for again. A
// safe point. Inside; returns inside, maybe on another thread.
inline void wait_for_mail(Process& process, WaitReason reason) {
  rest(process, reason);
  obey_while_waiting(process);
}

// Waits for this wake, or until deadline_ns (Deadline::never_ns: without end); acts on everything
// that comes meanwhile. True: the wake has arrived. While the process is unwound or ended it does
// not wait: false (Z3).
bool wait_for(Process& process, Waker& waker, WaitReason reason, std::int64_t deadline_ns);

}  // namespace airssys::rt::runtime
