// disposal.hpp: messages that nobody is to have, where no code of the user's may run just now.
//
// A message's destructor may do anything, also use a timer or wait for a lock; a timer that finds
// its target gone holds the wheel's mutex. So the message is laid aside, and a thread of the
// blocking pool destroys it: on a stack of its own, so that a destructor that fails ends nothing
// else (Z13). If it has no thread now, it is asked again by the next who lays something aside; what
// it could not take because the runtime stops is destroyed with the System.
// So is what is dropped by such a destructor, as one that sends to a full mailbox: destructors do
// not nest, however many each of them drops.
//
// States      laid_aside_ is: null | the newest message, linked to older ones
// Roles       dispose: any thread, under any lock above LockRank::queue. destroy, empty: any thread
//             under no lock.
// Orders      dispose releases, empty acquires: what was in the message when it was laid aside
// Progress    dispose is lock-free but for the submit, which only the first of several does, and
//             those who come after a refusal
#pragma once

#include <airssys/rt/message.hpp>

#include "base/atomic.hpp"
#include "mailbox/signal.hpp"
#include "scheduler/blocking_pool.hpp"

namespace airssys::rt::runtime {

class System;

class Disposal : private scheduler::Job {
 public:
  // Destructors run as a guest of that runtime (outside.hpp), if there is one, and are contained.
  explicit Disposal(scheduler::BlockingPool& pool, System* runtime = nullptr) noexcept;
  Disposal(const Disposal&) = delete;
  Disposal& operator=(const Disposal&) = delete;
  ~Disposal() { empty(); }

  void dispose(void* payload) noexcept;
  // Destroys what was dropped, if something is left of it; or lays it aside, in the destructor of
  // another that was dropped.
  void destroy(Message& dropped) noexcept;
  // Destroys what has been laid aside, here and now.
  void empty() noexcept;

 private:
  scheduler::BlockingPool& pool_;
  System* const runtime_;
  base::Atomic<mailbox::Signal*> laid_aside_{nullptr};
  base::Atomic<bool> is_refused_{false};  // the pool has refused what is laid aside
};

}  // namespace airssys::rt::runtime
