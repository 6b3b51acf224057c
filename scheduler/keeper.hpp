// keeper.hpp: which of the sleeping threads sleeps in the poller, and how each is woken.
//
// One of those who sleep keeps the poller, so that I/O wakes it; the others sleep on their parkers.
// A waker does not know where its sleeper is, and need not:
//
//   sleep   keeper: nobody ─▶ me                    unpark   a token for it
//           the poller for itself alone                      fence
//           fence                                            is it the keeper?
//           a token? leave                                   interrupt the poller
//           wait there, leave
//           keeper: me ─▶ nobody
//
// Roles    sleep: a parker's owner. unpark: any thread.
// Rules    An unpark ends its owner's sleep, the one that it is in or the next one.
// Orders   The two fences: keeper or token, one of the two sees the other's.
// Why alone, before the look for a token: whoever looks into the poller in passing takes what
//          interrupts it. In front of that look it may: the interrupt has brought the token along.
//          Behind it nobody else is there.
// Proof    tests/model/keeper_model.cpp
#pragma once

#include <cstdint>

#include "base/asymmetric_fence.hpp"
#include "base/atomic.hpp"
#include "base/parker.hpp"
#include "scheduler/poller.hpp"

namespace airssys::rt::scheduler {

template <class AnyPoller, class Parker>
class BasicKeeper {
 public:
  explicit BasicKeeper(AnyPoller& poller) : poller_(poller) {}

  // Sleeps in the poller for at most timeout_ns (negative: for ever), until an unpark, I/O, or
  // without a cause. False, at once: another thread keeps it. `awake` is Poller::wait_and_leave's.
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
      }
    }
    // relaxed: an interrupt that comes too late only makes the next keeper look once more.
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
