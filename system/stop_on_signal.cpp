// stop_on_signal.cpp: see the header.
#include "system/stop_on_signal.hpp"

#include <climits>
#include <utility>

#include "base/futex.hpp"
#include "base/os.hpp"

namespace airssys::rt::system {

StopOnSignal::StopOnSignal(std::function<void()> stop)
    : stop_(std::move(stop)), thread_([this] { wait(); }) {}

StopOnSignal::~StopOnSignal() {
  // release: pairs with the acquire in wait; and the nudge behind it changes the word.
  is_over_.store(true, std::memory_order_release);
  StopSignals::word().fetch_add(StopSignals::one_nudge, std::memory_order_release);
  base::futex_wake(StopSignals::word(), INT_MAX);
  thread_.join();
}

void StopOnSignal::wait() {
  base::name_this_thread("airs-signals");
  StopSignals::let_in();
  for (;;) {
    // acquire: pairs with the nudge; a word that changes after this look ends the sleep at once.
    const std::uint32_t seen = StopSignals::word().load(std::memory_order_acquire);
    if (is_over_.load(std::memory_order_acquire)) return;
    if (seen % StopSignals::one_nudge != 0) return stop_();
    base::futex_wait(StopSignals::word(), seen, -1);
  }
}

}  // namespace airssys::rt::system
