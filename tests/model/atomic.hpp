// atomic.hpp: std::atomic as the explorer sees it. base/atomic.hpp puts it in the real one's place.
//
// Up to eight bytes, trivially copyable. Orders are named at each access, as everywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/model/memory.hpp"

namespace airssys::rt::model {

template <class T>
class Atomic {
  static_assert(sizeof(T) <= sizeof(std::uint64_t) && std::is_trivially_copyable_v<T>);
  using Order = std::memory_order;

 public:
  using value_type = T;

  Atomic() noexcept : Atomic(T{}) {}
  Atomic(T value) noexcept : location_(bits_of(value)) {}  // implicit, as std::atomic's

  T load(Order order) const { return value_of(model::load(location_, order)); }
  void store(T value, Order order) { model::store(location_, bits_of(value), order); }

  T exchange(T value, Order order) {
    return update(order, [&](T) { return value; });
  }
  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) {
    const T seen = value_of(begin_update(location_));
    const bool same = bits_of(seen) == bits_of(expected);
    if (same) {
      end_update(location_, bits_of(desired), success);
    } else {
      abandon_update(location_, failure);
      expected = seen;
    }
    return same;
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) {
    return compare_exchange_strong(expected, desired, success, failure);
  }

  T fetch_add(T by, Order order) {
    return update(order, [&](T value) { return static_cast<T>(value + by); });
  }
  T fetch_sub(T by, Order order) {
    return update(order, [&](T value) { return static_cast<T>(value - by); });
  }
  T fetch_or(T mask, Order order) {
    return update(order, [&](T value) { return static_cast<T>(value | mask); });
  }
  T fetch_and(T mask, Order order) {
    return update(order, [&](T value) { return static_cast<T>(value & mask); });
  }

  // For `wait_until` and for checks: the value all threads agree on; no step.
  T peek() const noexcept { return value_of(location_.bits); }

 private:
  template <class F>
  T update(Order order, F change) {
    const T before = value_of(begin_update(location_));
    end_update(location_, bits_of(change(before)), order);
    return before;
  }

  static std::uint64_t bits_of(T value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  static T value_of(std::uint64_t bits) noexcept {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  Location location_;
};

}  // namespace airssys::rt::model
