// trace_pc.cpp: the same polls by what every compiler has: -fsanitize-coverage=trace-pc.
//
// The compiler puts a call of this function into each basic block, before it optimises loops; so
// it costs far more than the plugin's comparison, but it is an ordinary call, around which the
// compiler itself saves what it needs.
#include <airssys/rt/detail/preemption.hpp>
#include <atomic>

#include "base/this_thread.hpp"

extern "C" [[gnu::visibility("hidden")]] void __sanitizer_cov_trace_pc() {  // NOLINT: its name
  // relaxed: pairs with nothing; a request is seen soon.
  if (!airssys::rt::base::this_thread::must_give_way.load(std::memory_order_relaxed)) return;
  if (airssys::rt::detail::may_preempt(__builtin_frame_address(0))) airssys::rt::detail::preempt();
}
