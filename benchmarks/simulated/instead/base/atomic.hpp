// atomic.hpp: base/atomic.hpp as the simulated machine has it: each access is told to the machine.
//
// This folder stands before the project's root on the include path, so all rooms are compiled
// unchanged with these atomics. They are as large as the standard's: what shares a cache line there
// does so here.
#pragma once

#include <atomic>

#include "benchmarks/simulated/access.hpp"

namespace airssys::rt::base {

template <class T>
class Atomic {
  using Order = std::memory_order;

 public:
  using value_type = T;

  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // implicit, as std::atomic's
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order) const noexcept {
    simulated::reads(this);
    return value_.load(order);
  }
  void store(T value, Order order) noexcept {
    if (order == std::memory_order_seq_cst) {
      simulated::updates(this);
    } else {
      simulated::writes(this);
    }
    value_.store(value, order);
  }
  T exchange(T value, Order order) noexcept {
    simulated::updates(this);
    return value_.exchange(value, order);
  }
  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) noexcept {
    simulated::updates(this);
    return value_.compare_exchange_strong(expected, desired, success, failure);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order) noexcept {
    simulated::updates(this);
    return value_.compare_exchange_strong(expected, desired, order);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) noexcept {
    return compare_exchange_strong(expected, desired, success, failure);
  }
  T fetch_add(T by, Order order) noexcept {
    simulated::updates(this);
    return value_.fetch_add(by, order);
  }
  T fetch_sub(T by, Order order) noexcept {
    simulated::updates(this);
    return value_.fetch_sub(by, order);
  }
  T fetch_or(T mask, Order order) noexcept {
    simulated::updates(this);
    return value_.fetch_or(mask, order);
  }
  T fetch_and(T mask, Order order) noexcept {
    simulated::updates(this);
    return value_.fetch_and(mask, order);
  }

 private:
  std::atomic<T> value_{};
};

inline void atomic_fence(std::memory_order order) noexcept {
  if (order == std::memory_order_seq_cst) simulated::fences();
}

inline void spin_pause() noexcept {
  simulated::pauses();
}

}  // namespace airssys::rt::base
