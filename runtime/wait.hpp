// wait.hpp: how a process waits for something that is not mail: a time, a descriptor, a job, room.
//
// Whoever will wake it holds a Waker, and every wake is a signal in the inbox, so the inbox's word
// alone decides who sleeps:
//
//   armed ── source: wake() ──▶ on its way (a signal) ── owner obeys ──▶ arrived
//     │                              ▲
//     └── owner: the source's disarm answers "too late" ─┘      or "will not come": done
//
// A Wait is the record on the waiter's stack, around a Waker and its source. It must not leave its
// frame while a wake may still come: its end disarms the source, and if it is too late for that, it
// waits for the wake, whatever else happens meanwhile (a wake that is on its way always arrives).
// So no stack may be cut off with a Wait on it: what code of the user's runs while one stands, as
// the destructor of a message that nobody is to have, is contained (obey_beside_a_wait).
#pragma once

#include <cstdint>

#include "mailbox/signal.hpp"
#include "runtime/call.hpp"
#include "runtime/exit.hpp"
#include "runtime/process.hpp"
#include "runtime/signals.hpp"
#include "runtime/timeout.hpp"
#include "runtime/wait_reason.hpp"
#include "scheduler/scheduler.hpp"
#include "scheduler/thread.hpp"

namespace airssys::rt::runtime {

class Waker : public mailbox::Signal {
 public:
  // By its owner.
  explicit Waker(Process& owner) noexcept : owner_(owner), system_(&current_system()) {
    kind = mailbox::SignalKind::wake;
  }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // The source, any thread, once. The Waker may be gone as soon as the owner has obeyed it.
  void wake();
  // Owner.
  bool has_arrived() const noexcept { return has_arrived_; }
  void arrive() noexcept { has_arrived_ = true; }  // signals.cpp, as it obeys it
  // The wake has arrived and said nothing new: a source may hold the waker again.
  void forget() noexcept { has_arrived_ = false; }

 private:
  Process& owner_;
  System* system_;
  bool has_arrived_ = false;
};

class Wait {
 public:
  explicit Wait(Process& process) noexcept : waker(process), process_(process) {
    cut_if_stack_is_short(scheduler::Thread::current()->fiber());  // once it stands, none is cut
    ++process.waits;
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  Waker waker;

 protected:
  ~Wait() { --process_.waits; }

  // The source will not call waker.wake() any more (true), or has, or is about to (false). Called
  // at most once, by `finish`, inside: it may take a mutex, and a hog is held outside.
  virtual bool disarm() noexcept = 0;
  // Each derived destructor calls it first: afterwards nobody holds the waker.
  void finish() noexcept {
    if (!is_armed_) return;
    is_armed_ = false;
    if (waker.has_arrived()) return;
    const Inside inside(Inside::Room::known);  // an unwind comes here from outside
    if (!disarm()) [[unlikely]]
      await_wake();
  }
  bool is_armed_ = false;  // somebody holds the waker, and has not been asked to give it back
  Process& process_;

 private:
  void await_wake() noexcept;
};

// A time-out, which runs from its making on.
class TimedWait final : public Wait, private scheduler::DeferredEntry {
 public:
  TimedWait(Process& process, const Timeout& timeout) : Wait(process), timeout_(timeout) {
    expire = [](scheduler::TimerEntry& entry) noexcept {
      static_cast<TimedWait&>(entry).waker.wake();
    };
    arm();
  }
  ~TimedWait() { finish(); }

  // The time has passed. When its wake comes before that, for its process has been suspended, it
  // waits for another one.
  bool is_over();

 private:
  void arm() {
    armed_for_ns_ = timeout_.due_ns();
    is_armed_ = true;
    scheduler_ = &scheduler::Thread::current()->scheduler();
    scheduler_->deferred.add(*this, armed_for_ns_);
  }
  bool disarm() noexcept override {
    if (&scheduler::Thread::current()->scheduler() == scheduler_) [[likely]]
      return scheduler_->deferred.take_back(*this);
    return scheduler_->deferred.cancel(*this);
  }

  const Timeout timeout_;
  std::int64_t armed_for_ns_ = 0;
  scheduler::Scheduler* scheduler_ = nullptr;  // on which it is armed
};

// Whether this deadline has passed. A clock is not read for one that is far from the last look at
// it, and who makes a deadline has looked (Deadline::after). Inside.
inline bool has_passed(std::int64_t deadline_ns) noexcept {
  constexpr std::int64_t far_ns = 1'000'000'000;
  const scheduler::Thread& thread = *scheduler::Thread::current();
  const std::int64_t looked_at_ns = thread.looked_at_ns();
  if (deadline_ns <= looked_at_ns) return true;
  return deadline_ns - looked_at_ns < far_ns && deadline_ns <= thread.pool().clock.now_ns();
}

// At rest until something has come, whatever it is; acts on nothing. Inside; returns inside, maybe
// on another thread. Inline, as all that leads to it should be: see fiber/context.hpp.
inline void rest(Process& process, WaitReason reason) {
  process.wait_reason.store(reason, std::memory_order_relaxed);  // relaxed: for show
  scheduler::Thread::park();
}

inline void show_running(Process& process) noexcept {
  process.wait_reason.store(WaitReason::none, std::memory_order_relaxed);  // relaxed: for show
}

// Acts on what came while the process waited. A question about it is answered by what it was doing
// when it was asked, so it shows itself running afterwards. Unwinds from here if it must end.
inline void obey_while_waiting(Process& process) {
  const bool must_end = obey(process);
  show_running(process);
  if (must_end) [[unlikely]]
    end_here();
}

// The same while a Wait stands on the stack. Code of the user's that is cut off here is cut off
// alone; then its process ends by an unwind, as every end by a signal.
void obey_beside_a_wait(Process& process);

// Rests with the pages of its stack that hold nothing given back (P16), and acts on what has come.
// Inside; returns inside, maybe on another thread.
void hibernate_until_something_comes(Process& process);

// Waits for this wake; acts on everything that comes meanwhile. True: the wake has arrived; false:
// not in time. While the process is unwound or ended it does not wait: false (Z3).
bool wait_for(Process& process, Waker& waker, WaitReason reason, const Timeout& timeout);
inline bool wait_for(Process& process, Waker& waker, WaitReason reason) {
  return wait_for(process, waker, reason, Timeout(process, Deadline::never()));
}
// The same for nothing but the time.
void wait_until_over(Process& process, WaitReason reason, const Timeout& timeout);

}  // namespace airssys::rt::runtime
