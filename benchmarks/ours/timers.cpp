// timers.cpp: a million timers are armed, nine in ten cancelled; how late are the others?
#include <airssys/rt.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::size_t timers_armed = 1'000'000;
constexpr std::size_t one_stays_of = 10;

struct Expired {
  std::int64_t due_ns;
};

// Three to five seconds, the same series in each run.
class Delays {
 public:
  std::chrono::milliseconds next() {
    seed_ = (seed_ * 16807 + 1) & 0x7fffffff;
    return std::chrono::milliseconds(3000 + (seed_ >> 8) % 2000);
  }

 private:
  std::int64_t seed_ = 12345;
};

}  // namespace

void timers() {
  std::vector<rt::TimerRef> armed(timers_armed);
  Delays delays;
  const Stopwatch arming;
  for (rt::TimerRef& timer : armed) {
    const std::chrono::nanoseconds delay = delays.next();
    timer = rt::send_after(delay, rt::self(), Expired{now_ns() + delay.count()});
  }
  report("timer_arm", arming.ns() / timers_armed, "ns/op");

  const Stopwatch cancelling;
  for (std::size_t i = 0; i < timers_armed; ++i) {
    if (i % one_stays_of != 0)
      check(rt::cancel_timer(armed[i]).has_value(), "it has not fired, for it is not due");
  }
  constexpr std::size_t stay = timers_armed / one_stays_of;
  report("timer_cancel", cancelling.ns() / (timers_armed - stay), "ns/op");

  std::vector<std::int64_t> late;
  late.reserve(stay);
  while (late.size() < stay)
    rt::receive([&](Expired expired) { late.push_back(now_ns() - expired.due_ns); });
  for (const std::int64_t ns : late) check(ns >= 0, "no timer fires early");
  report_quantiles("timer_late", std::move(late));
}

}  // namespace bench
