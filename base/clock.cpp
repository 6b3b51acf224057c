// clock.cpp: the real clock.
//
// It is never destroyed: threads may still ask the time while the program's statics go.
#include "base/clock.hpp"

#include <cstddef>
#include <ctime>
#include <new>

#include "base/assert.hpp"

namespace airssys::rt::base {

namespace {

class SteadyClock final : public Clock {
 public:
  std::int64_t now_ns() noexcept override {
    timespec now{};
    [[maybe_unused]] const int result = ::clock_gettime(CLOCK_MONOTONIC, &now);
    RT_INVARIANT(result == 0, "the kernel has a monotonic clock");
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }
};

}  // namespace

Clock& steady_clock() noexcept {
  alignas(SteadyClock) static std::byte storage[sizeof(SteadyClock)];
  static Clock* const clock = ::new (storage) SteadyClock;
  return *clock;
}

}  // namespace airssys::rt::base
