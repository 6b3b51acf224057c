// time.hpp: how long, and until when.
//
// All times are nanoseconds on the runtime's monotonic clock; wall-clock jumps have no influence
// (T13). A time-out never fires early (R9).
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace airssys::rt {

// Nanoseconds, made of any duration: rounded up, and infinite from 292 years on (T2). Computes as
// std::chrono::nanoseconds does.
class Duration : public std::chrono::nanoseconds {
  using Base = std::chrono::nanoseconds;

 public:
  constexpr Duration() noexcept = default;
  constexpr explicit Duration(std::int64_t ns) noexcept : Base(ns) {}
  template <class Rep, class Period>
  // NOLINTNEXTLINE(google-explicit-constructor): so that verbs take 5ms
  constexpr Duration(std::chrono::duration<Rep, Period> time) noexcept : Base(of(time)) {}

  static constexpr Duration zero() noexcept { return Base::zero(); }
  static constexpr Duration min() noexcept { return Base::min(); }
  static constexpr Duration max() noexcept { return Base::max(); }

 private:
  static constexpr Base of(Base time) noexcept { return time; }
  template <class Rep, class Period>
  static constexpr Base of(std::chrono::duration<Rep, Period> time) noexcept {
    using Rough = std::chrono::duration<double, Period>;  // to compare in nanoseconds may overflow
    if (!(Rough(time) < Rough(Base::max()))) return Base::max();  // nor is it a number
    if (Rough(time) <= Rough(Base::min())) return Base::min();
    return std::chrono::ceil<Base>(time);
  }
};

// As a time-out: wait for as long as it takes.
inline constexpr Duration infinite = Duration::max();

// A point on the runtime's clock, or never.
class Deadline {
 public:
  static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

  constexpr Deadline() noexcept = default;  // never
  static constexpr Deadline never() noexcept { return {}; }
  static constexpr Deadline at_ns(std::int64_t ns) noexcept {
    Deadline deadline;
    deadline.ns_ = ns;
    return deadline;
  }
  // From now on. A negative time-out throws BadArgument (R4); one beyond the clock's range is
  // never.
  static Deadline after(Duration timeout);
  static Deadline now() { return after(Duration::zero()); }

  // How long it is until then: zero when it has passed, infinite when it is never.
  Duration remaining() const {
    if (is_never()) return infinite;
    const std::int64_t now_ns = now().ns_;
    return Duration(ns_ <= now_ns ? 0 : ns_ - now_ns);
  }

  constexpr bool is_never() const noexcept { return ns_ == never_ns; }
  constexpr std::int64_t ns() const noexcept { return ns_; }

 private:
  std::int64_t ns_ = never_ns;
};

}  // namespace airssys::rt
