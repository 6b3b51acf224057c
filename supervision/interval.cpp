// interval.cpp: the process behind an interval: one timer to itself, set anew at each tick.
#include <airssys/rt/behaviour.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/interval.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/timer.hpp>
#include <algorithm>
#include <cstdint>

namespace airssys::rt {

namespace {

class IntervalProcess final : public Behaviour {
 public:
  IntervalProcess(Duration period, Deadline first, Pid owner, detail::Tick tick)
      : period_ns_(period.count()), due_(first), owner_(owner), tick_(std::move(tick)) {}

  const std::string_view* name() const noexcept override {
    return &detail::program_name<IntervalProcess>;
  }

  void start() override {
    if (owner_) owner_ref_ = monitor(owner_);
    send_at(due_, self(), Due{});
  }

  void message(Message& message) override {
    if (message.is<Due>()) {
      run_ = tick_();
      if (!run_) set_next();
    } else if (const Down* down = message.get_if<Down>()) {
      if (down->ref == owner_ref_) exit(ExitReason::normal());
      if (down->ref == run_) set_next();
    }
  }

 private:
  struct Due {};

  // Of the ticks that are over, if any, the last one.
  void set_next() {
    const std::int64_t next = due_.ns() + period_ns_;
    const std::int64_t late = std::max<std::int64_t>(0, Deadline::now().ns() - next);
    due_ = Deadline::at_ns(next + late / period_ns_ * period_ns_);
    send_at(due_, self(), Due{});
  }

  const std::int64_t period_ns_;
  Deadline due_;
  const Pid owner_;
  MonitorRef owner_ref_;
  detail::Tick tick_;
  MonitorRef run_;  // what must end before the next tick
};

}  // namespace

IntervalRef detail::start_interval(Duration period, Pid owner, Tick tick) {
  if (period <= Duration::zero()) throw BadArgument("an interval's period must be more than zero");
  const Deadline first = Deadline::after(period);
  return {
      spawn_behaviour(std::make_unique<IntervalProcess>(period, first, owner, std::move(tick)))};
}

bool cancel_interval(IntervalRef interval) {
  const MonitorRef ref = monitor(interval.process);
  send_exit(interval.process, ExitReason::shutdown());
  try {
    return receive(when([&](const Down& down) { return down.ref == ref; },
                        [](Down down) { return down.reason.kind() != ExitReason::Kind::noproc; }));
  } catch (const Unwinding&) {
    return true;
  }
}

}  // namespace airssys::rt
