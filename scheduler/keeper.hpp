// keeper.hpp: which of the sleeping threads sleeps in the poller, and how each is woken.
//
// One of those who sleep keeps the poller, so that I/O wakes it; the others sleep on their parkers.
// A waker does not know where its sleeper is, and need not:
//
//   sleep   keeper: nobody ─▶ me                    unpark   a token for it
//           enter the poller, alone                          fence
//           fence                                            is it the keeper?
//           a token? leave                                   interrupt the poller
//           wait there, leave
//           keeper: me ─▶ nobody
//
// Roles       sleep: a parker's owner. unpark: any thread.
// Invariants  K1 an unpark ends its owner's sleep, the one that it is in or the next one. K2 while
//             all sleep, one of them keeps the poller: who has kept it and does not come back to
//             sleep wakes another one, unless one searches who will come to sleep itself.
// Orders      unpark: the token, fence, then who keeps; sleep: who keeps, fence, then the token.
//             One of the two sees what the other wrote. (Where a read-modify-write is a fence, as
//             on x86-64, it would do without them.) The token is released and acquired
// Proof       tests/model/keeper_model.cpp, but for the fences, which it does not need
//
// Why the look for a token comes behind the entry: whoever looks into the poller in passing takes
// the interrupt that it finds. One who did that before the keeper entered has the waker's token
// behind it, and the keeper sees that; once the keeper is inside, nobody else can.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "base/parker.hpp"
#include "scheduler/poller.hpp"

namespace airssys::rt::scheduler {

template <class AnyPoller, class Parker>
class BasicKeeper {
 public:
  explicit BasicKeeper(AnyPoller& poller) : poller_(poller) {}

  // Sleeps in the poller for at most timeout_ns (negative: for ever), until an unpark, I/O, or
  // without a cause; then the caller looks at all that it may have been unparked for. False, at
  // once: another thread keeps it. `awake` is Poller::wait_and_leave's.
  bool sleep(Parker& mine, std::int64_t timeout_ns, Poller::Awake awake, void* argument) noexcept {
    Parker* nobody = nullptr;
    // relaxed on both: the fence below orders what matters.
    if (!keeper_.compare_exchange_strong(
            nobody, &mine, std::memory_order_relaxed, std::memory_order_relaxed))
      return false;
    if (poller_.enter()) {
      // seq_cst fence: "I keep" before the look for a token; pairs with unpark's.
      base::atomic_fence(std::memory_order_seq_cst);
      if (mine.park_for(0) == base::Woken::unparked) {
        poller_.leave();
      } else {
        poller_.wait_and_leave(timeout_ns, awake, argument);
        static_cast<void>(mine.park_for(0));  // a token that came by now ends no other sleep
      }
    }
    // relaxed: an interrupt that comes too late only makes the next keeper look once more, and who
    // keeps next before this one has been seen to leave only fails to enter.
    keeper_.store(nullptr, std::memory_order_relaxed);
    return true;
  }

  void unpark(Parker& sleeper) noexcept {
    sleeper.unpark();
    // seq_cst fence: the token before the look at who keeps; pairs with sleep's. Weaker: both could
    // miss each other.
    base::atomic_fence(std::memory_order_seq_cst);
    // relaxed: the fence orders it.
    if (keeper_.load(std::memory_order_relaxed) == &sleeper) poller_.interrupt();
  }

 private:
  AnyPoller& poller_;
  // Whose sleeper keeps the poller, or null. Written by that thread; read by who wakes it.
  base::Atomic<Parker*> keeper_{nullptr};
};

using Keeper = BasicKeeper<Poller, base::Parker>;

}  // namespace airssys::rt::scheduler
