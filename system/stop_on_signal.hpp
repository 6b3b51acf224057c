// stop_on_signal.hpp: the thread that turns SIGTERM and SIGINT into an orderly stop (E4).
//
// A signal handler may do next to nothing, so it counts in a word (host_hooks.hpp), and this thread
// sleeps on that word. Its own end is told through the same word, by a nudge that counts elsewhere
// in it: whatever happens, the word changes, so nothing is missed and nothing is polled.
//
// The handler runs on whichever thread the kernel picks. Blocking the signals everywhere and taking
// them here by sigwait would need no handler, but children would be born deaf to SIGTERM: a mask
// outlives fork and exec, a handler does not. So no mask changes but this thread's: it lets the
// signals in, and hears them also in a program whose other threads all block them.
#pragma once

#include <functional>
#include <thread>

#include "base/atomic.hpp"
#include "system/host_hooks.hpp"

namespace airssys::rt::system {

class StopOnSignal {
 public:
  explicit StopOnSignal(std::function<void()> stop);
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  // Waits for a stop that has begun. Not from within it.
  ~StopOnSignal();

 private:
  void wait();

  StopSignals signals_;
  std::function<void()> stop_;
  base::Atomic<bool> is_over_{false};
  std::thread thread_;  // the last member: it uses all others
};

}  // namespace airssys::rt::system
