// injector.hpp: where work from outside meets: foreign threads' spawns and wakes, and what comes
// home.
//
// One per priority. Order does not matter here, many threads meet, and items are only pointers:
// what moodycamel's queue is made for. Its try_dequeue may find nothing in a queue that is not
// empty, so it cannot say who may sleep; a counter can:
//
// Invariants  J1 waiting() is raised before an item is queued and lowered after it was taken, so
//             it is never less than what is there: whoever reads 0 after announcing its sleep
//             may sleep, because a later producer finds the announcement.
// Roles       put: any thread. They share one token under a mutex, for they are many and come
//             seldom, and without a token the queue would keep a part for every thread that ever
//             came. take: each scheduler through a Port of its own.
// Orders      put releases waiting_, take acquires it: what lies behind the pointers is seen;
//             the fences of scheduler/idle.hpp order waiting_ against announcements of sleep
// Progress    take is lock-free; put may allocate, and wait for another put
// Proof       tests/scheduler/injector_test.cpp; the queue's own Relacy models
#pragma once

#include <cstddef>
#include <mutex>
#include <span>

#include "base/assert.hpp"
#include "base/atomic.hpp"
#include "base/mutex.hpp"
#include "scheduler/concurrent_queue.hpp"

namespace airssys::rt::scheduler {

template <class Item>
class Injector {
  using Queue = moodycamel::ConcurrentQueue<Item*, QueueTraits>;

 public:
  // One scheduler's own end; whoever drives that scheduler uses it.
  class Port {
   public:
    explicit Port(Injector& injector) : consumer_(injector.queue_) {}

   private:
    friend class Injector;
    moodycamel::ConsumerToken consumer_;
  };

  Injector() : producer_(queue_) {}
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;

  void put(Item& item) noexcept {
    // release: hands over what lies behind the pointer, see take. Towards a sleeper nothing more is
    // needed: the producer's wake comes after the enqueue and begins with the fence that pairs with
    // the sleeper's. Raised after the enqueue, it could be lowered below zero.
    waiting_.fetch_add(1, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    RT_CHECK(queue_.enqueue(producer_, &item), "the injector has no memory for a pointer");
  }

  // Takes up to items.size() and answers how many. 0 while waiting() is not: somebody is just
  // putting; look again, do not sleep.
  std::size_t take(Port& port, std::span<Item*> items) noexcept {
    if (waiting() == 0) return 0;
    const std::size_t taken = queue_.try_dequeue_bulk(port.consumer_, items.data(), items.size());
    // acquire: pairs with the release in put: all changes of waiting_ are read-modify-writes, so
    // this one follows that of each item taken and sees what lies behind the pointer.
    if (taken != 0) waiting_.fetch_sub(taken, std::memory_order_acquire);
    return taken;
  }

  // The truth for who may sleep (J1). Any thread.
  std::size_t waiting() const noexcept {
    // relaxed: who decides to sleep by it has announced that before, with a fence in between.
    return waiting_.load(std::memory_order_relaxed);
  }

 private:
  Queue queue_;
  base::Mutex mutex_{base::LockRank::queue};
  moodycamel::ProducerToken producer_;  // under mutex_
  base::Atomic<std::size_t> waiting_{0};
};

}  // namespace airssys::rt::scheduler
