// rotation.hpp: processes that compute for long, and how they take turns, each on its own thread.
//
// These threads, the hogs, have lost their schedulers, but not their CPUs: a hundred of them beside
// two schedulers, at whatever priority, and who wakes up waits for the CPU. So only as many go on
// at a time as schedulers sleep, of more than three one less, and at least one; the others are held
// in a signal handler (hold.hpp).
//
//   joins_ ──▶ fresh_ ───── begin: let go ──▶ running_ ── 10 ms of CPU ──▶ held, to waiting_
//              waiting_ ──▶
//
// Every other turn is for who has had none yet, if there is one: most long pieces of work end in
// their first turn, and shall not have to wait for all that are endless.
//
// A thread may be held in the middle of anything but the runtime: in malloc, or with the host's
// locks. So no turn is waited for without end: a turn ends early when its thread sleeps in the
// kernel, maybe for such a lock, and when its CPU is busy with other programs; and with many
// threads turns get shorter, so that each comes within about a second. And so the rotation has a
// thread of its own, which allocates nothing and waits for nobody: what the monitor does, starting
// threads, may have to wait for a held one.
//
// A system call that would be interrupted is not: who sleeps in the kernel takes no CPU, and is
// left alone until it is found awake at the end of its next turn.
#pragma once

#include <csignal>
#include <cstdint>
#include <thread>

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "base/intrusive_list.hpp"
#include "base/mutex.hpp"
#include "base/parker.hpp"
#include "scheduler/hold.hpp"
#include "scheduler/idle.hpp"

namespace airssys::rt::scheduler {

class Thread;

// A thread's place in the rotation.
struct Seat : base::ListHook {
  explicit Seat(Thread& owner) noexcept : thread(owner) {}

  Thread& thread;
  Hold hold;

 private:
  friend class Rotation;

  bool is_taken_ = false;  // under the rotation's mutex: it is in one of the lists
  // The rotation's thread.
  std::int64_t began_ns_ = 0;
  std::int64_t began_cpu_ns_ = 0;
};

class Rotation {
 public:
  static constexpr int signal = SIGURG;  // of no consequence to whoever does not expect it

  // `may_signal`: somebody has installed a handler that calls Thread::wait_for_turn.
  Rotation(const IdleSet& idle, bool may_signal) noexcept : idle_(idle), may_signal_(may_signal) {}
  Rotation(const Rotation&) = delete;
  Rotation& operator=(const Rotation&) = delete;
  ~Rotation() { end(); }

  // Lets everybody go, and ends its thread. Nobody joins any more.
  void end() noexcept;

  bool may_signal() const noexcept { return may_signal_; }
  // In the handler: whether this signal is one of a rotation's.
  static bool is_ours(const siginfo_t& info) noexcept {
    return info.si_code == SI_QUEUE && info.si_value.sival_ptr == &mark;
  }

  // The monitor: this thread is about to lose its scheduler as a hog, and: it could not be taken.
  void suspect(Seat& seat) noexcept;
  void acquit(Seat& seat) noexcept;
  // The thread of the seat, inside the runtime, when it has learnt that it lost its scheduler, for
  // whatever reason.
  void come_home(Seat& seat) noexcept;
  // The monitor: this hog goes on in turns from now on, unless it has come home. False: it does
  // not, because there may be no signals, or the system has no thread for them.
  [[nodiscard]] bool join(Seat& seat) noexcept;

  // How many hogs have not come home yet. Any thread: a figure that steers.
  unsigned hogs() const noexcept {
    return hogs_.load(std::memory_order_relaxed);  // relaxed: nothing hangs on it
  }

 private:
  static const char mark;
  static constexpr unsigned few = 3;
  static constexpr std::int64_t never_ns = -1;
  static constexpr std::int64_t turn_ns = 10'000'000;          // of CPU
  static constexpr std::int64_t shortest_turn_ns = 1'000'000;  // of CPU, when there are many
  static constexpr std::int64_t round_ns = 1'000'000'000;      // about; by shorter turns
  static constexpr std::int64_t patience_ns = 100'000'000;     // of wall time, for one turn
  static constexpr std::int64_t nap_ns = 1'000'000;            // of wall time, asleep in the kernel

  bool start() noexcept;
  void run() noexcept;
  std::int64_t pass_on(std::int64_t now_ns) noexcept;
  void take_in_who_joined() noexcept;
  void end_turns(std::int64_t now_ns) noexcept;
  void end_turn(Seat& seat) noexcept;
  void begin_turns(std::int64_t now_ns) noexcept;
  static void begin_turn(Seat& seat, std::int64_t now_ns) noexcept;
  Seat* next_to_run() noexcept;
  void let_everybody_go() noexcept;
  bool has_left(Seat& seat) noexcept;
  std::int64_t left_of(const Seat& seat, std::int64_t now_ns) const noexcept;
  unsigned places() const noexcept;
  std::int64_t slice_ns() const noexcept;
  static void summon(const Seat& seat) noexcept;

  const IdleSet& idle_;
  const bool may_signal_;
  base::Parker parker_;
  base::Atomic<bool> is_over_{false};
  base::Atomic<unsigned> hogs_{0};

  // The rotation's thread.
  base::List<Seat> running_;
  base::List<Seat> fresh_;    // have joined, and had no turn since
  base::List<Seat> waiting_;  // have had turns
  unsigned running_count_ = 0;
  unsigned waiting_count_ = 0;  // in fresh_ and waiting_
  bool fresh_are_next_ = true;

  base::Mutex mutex_{base::LockRank::queue};
  base::List<Seat> joins_;  // under mutex_

  std::thread os_thread_;  // the last member: it uses all others
};

}  // namespace airssys::rt::scheduler
