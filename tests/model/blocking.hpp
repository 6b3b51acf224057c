// blocking.hpp: what modelled threads wait on: a mutex and a parker, in the manner of base's.
//
// Each call is one step with the orders of the real thing. A thread that waits is not run, so a
// wake that never comes shows as a run in which nobody can go on.
#pragma once

#include <cstdint>

#include "base/parker.hpp"
#include "tests/model/atomic.hpp"
#include "tests/model/explorer.hpp"

namespace airssys::rt::model {

class Mutex {
 public:
  Mutex() = default;
  explicit Mutex(auto /*rank*/) {}

  void lock() {
    bool held = false;
    while (!held_.compare_exchange_strong(
        held, true, std::memory_order_acquire, std::memory_order_relaxed)) {
      wait_until([this] { return !held_.peek(); });
      held = false;
    }
  }
  // exchange, as base::Mutex does: it empties the store buffer.
  void unlock() { held_.exchange(false, std::memory_order_release); }

 private:
  Atomic<bool> held_{false};
};

class Parker {
 public:
  void park() {
    wait_until([this] { return token_.peek(); });
    token_.exchange(false, std::memory_order_acquire);
  }
  // Only looks, as with a time of zero.
  base::Woken park_for(std::int64_t /*ns*/) {
    return token_.exchange(false, std::memory_order_acquire) ? base::Woken::unparked
                                                             : base::Woken::timed_out;
  }
  void unpark() { token_.exchange(true, std::memory_order_release); }

 private:
  Atomic<bool> token_{false};
};

}  // namespace airssys::rt::model
