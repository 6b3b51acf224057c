// monitor.hpp: takes the scheduler away from a thread that is stuck in one process's code.
//
// Every tick it looks at each scheduler: has it begun another task since the last look? If not, and
// the thread that drives it has spent 5 ms of CPU in the meantime (0.5 ms once more than three hogs
// are known), or sleeps in the kernel without having said so, the scheduler is handed over:
//
//   tenure.try_take ─▶ scheduler to a spare thread ─▶ hog's thread goes on beside it; after 50 ms
//                                                     of CPU in turns with others (rotation.hpp)
//                                                                     │ next step into the runtime
//   spare, or ends if it may not be raised again ◀── process queued ◀─┘
//
// Before that, at the first look that finds the same task again, the process is asked to give way;
// code that is compiled to look at that (preemption/) does so and is no hog. A thread on which such
// processes wait is not robbed.
// The first three are left alone for as long as an honest piece of work may take. Where there may
// be no signal, a hog goes on at idle priority instead of in turns; then it waits for all other
// programs of a busy machine, and beside many of them the schedulers' threads wait as well.
//
// At each look, who is awake is asked to look at its timers and at I/O before its next turn (D15),
// and a sleeping scheduler is woken for tasks that will stand for long at the pace since
// the last one: behind long turns, or below a level that is always busy. Whose they are may not
// come to them, and may have let them stand when they came (wake_ration.hpp), or thieves went to
// bed beside them (idle.hpp). How much is done with and without thefts is compared now and then
// (reluctance.hpp).
//
// CPU time, not wall time: a thread that the system does not run is innocent. Nothing is taken
// while the thread is inside the runtime (tenure.hpp).
// When all schedulers sleep, the stacks of the last peak are given back to the system, but for some
// that stay warm for the next one; and the monitor sleeps, too: it says that it dozes, looks once
// more, and is unparked by the first thread that wakes up (Dekker's pattern, seq_cst on both
// sides). Free blocks that nobody has needed for a period are given back a few at each tick, so
// that a flow that goes one way for ever does not pile them up; when all sleep, all of them, a
// batch at a time. Behind that, one thread is asked at each tick to collect what lies in its pages:
// one, so that others are there to be woken, and a batch, so that it does not take long.
#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "base/atomic.hpp"
#include "base/parker.hpp"
#include "scheduler/pool.hpp"

namespace airssys::rt::scheduler {

class Monitor {
 public:
  explicit Monitor(Pool& pool);  // its thread waits for start
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor() { end(); }

  // Once, when every scheduler has its thread: from now on the pool's threads are its to add to.
  void start();

  // Ends its thread. The object stays, for those who wake up.
  void end() noexcept;

  // By a thread that has just woken up, after its bit in the idle set was cleared.
  void somebody_woke() noexcept {
    // seq_cst: after the clearing of the bit; pairs with doze.
    if (dozes_.load(std::memory_order_seq_cst)) [[unlikely]]
      parker_.unpark();
  }

 private:
  static constexpr std::int64_t hog_ns = 5'000'000;
  static constexpr std::int64_t hog_among_many_ns = 500'000;
  static constexpr std::int64_t blocked_ns = 10'000'000;  // of wall time, in an unannounced wait
  static constexpr unsigned many_hogs = 3;
  static constexpr std::int64_t spared_ns = 50'000'000;  // of CPU
  static constexpr std::size_t stacks_kept_warm = 256;   // of each size, beside the schedulers' own
  static constexpr unsigned ticks_to_doze = 10;  // so that short naps do not cost a wake each

  static constexpr std::int64_t block_period_ns = 200'000'000;
  static constexpr std::size_t magazines_at_once = 16;  // a tenth of a tick or so
  static constexpr unsigned batch = 16;  // of these: 1 MB of messages, collected in 0.3 ms

  // What was seen of one scheduler when its present task was first noticed.
  struct Sight {
    Thread* thread = nullptr;
    std::uint64_t turns = 0;
    std::int64_t cpu_ns = -1;
    std::int64_t since_ns = 0;
  };

  void run() noexcept;
  void doze() noexcept;
  void give_back_blocks(std::int64_t now_ns) noexcept;
  Reluctance::Totals totals(std::int64_t now_ns) const noexcept;
  bool all_sleep() const noexcept;
  bool begin_to_collect() noexcept;
  void ask_next_to_collect() noexcept;
  void look_at(unsigned id, std::int64_t now_ns, std::int64_t elapsed_ns) noexcept;
  // False: it was stuck, and the scheduler is now another one's.
  bool keeps_scheduler(unsigned id, Thread& thread, std::int64_t now_ns) noexcept;
  bool is_hog(const Sight& sight) const noexcept;
  static bool is_blocked(const Sight& sight, std::int64_t now_ns) noexcept;
  // A hog that goes on beside its former scheduler as if nothing had happened.
  struct Spared {
    Thread* thread;
    std::int64_t until_cpu_ns;
  };

  // Requires: the thread was seen to be stuck. Does nothing if it is inside the runtime just now.
  bool hand_over(unsigned id, Thread& stuck, bool is_hog) noexcept;
  bool rob(Thread& stuck, bool is_hog) noexcept;
  void let_go_on(Thread& hog) noexcept;
  void restrain(Thread& hog) noexcept;
  void restrain_who_had_time() noexcept;
  std::int64_t patience_ns() const noexcept;

  Pool& pool_;
  base::Parker parker_;
  base::Atomic<bool> dozes_{false};
  unsigned quiet_ticks_ = 0;
  std::int64_t looked_at_ns_ = 0;
  std::int64_t block_period_began_ns_ = 0;
  std::uint32_t returns_seen_ = 0;
  std::size_t to_be_asked_ = 0;  // to collect: so many of the pool's threads, the last one first
  base::Atomic<bool> is_over_{false};
  std::vector<Sight> sights_;
  std::vector<Scheduler::Waiting> waiting_;  // at each scheduler, at the last look
  std::vector<Spared> spared_;
  Thread* reserve_ = nullptr;  // for the next hand-over
  std::thread os_thread_;      // the last member: it uses all others
};

}  // namespace airssys::rt::scheduler
