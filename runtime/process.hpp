// process.hpp: the control block of a process.
//
//   fresh ─── run ──▶ living ─── finish ──▶ exiting ─── retire ──▶ free slot (after a grace period)
//                       │ code was cut, returned, or threw   ▲
//                       └────────────────────────────────────┘
//
// 192 bytes, in the process table, type-stable: three lines of the cache, by what is looked at
// together. Who sends touches the first; who wakes it, and its turn, the second as well. What only
// a running or blocked process needs lies at the top of its stack (fiber::Fiber); what few need, in
// blocks of their own (Relations, Bounds, Extras). The owner of a process is the thread that runs
// it, or, while it is at rest, whoever has taken its inbox from idle.
#pragma once

#include <airssys/rt/detail/program.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "mailbox/inbox.hpp"
#include "mailbox/mail_queue.hpp"
#include "mailbox/signal.hpp"
#include "mailbox/urgency.hpp"
#include "runtime/relations.hpp"
#include "runtime/wait_reason.hpp"
#include "scheduler/task.hpp"

namespace airssys::rt::fiber {
struct StackCopy;
}

namespace airssys::rt::runtime {

class Bounds;   // bounds.hpp
struct Extras;  // extras.hpp

// What a process cannot keep up with (S11).
enum class Behind : std::uint8_t { with_nothing, with_mail, with_signals };

struct alignas(base::cache_line_bytes) Process : scheduler::Task {
  Process() noexcept = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { free_extras(); }

  // --- What a sender looks at, beside what makes it a task.

  // Written by the owner, read by anyone: who sends more pays for it. Who rests without
  // a stack is behind with nothing.
  base::Atomic<Behind> behind{Behind::with_nothing};
  // Any thread: see inbox.hpp.
  mailbox::Inbox inbox;
  // Its pid; with free_bit set, the last pid of a slot that is free now. Written by who spawns and
  // who retires, read by anyone: process_table.hpp.
  base::Atomic<std::uint64_t> pid_bits{free_bit};
  // What few processes have: 0, the address of Extras, or, below zero, that of the Bounds of who
  // has nothing beside them. Written by the owner. Others look while they are inside, so renew
  // frees it, not the end.
  base::Atomic<std::intptr_t> extras_word{0};

  // --- What a turn looks at. Owner only, as far as nothing else is said.

  // Taken from the inbox, or handed over by who woke it, and not yet obeyed; oldest first.
  mailbox::Signal* pending = nullptr;
  mailbox::MailQueue mail;             // obeyed and not yet received
  detail::Program* program = nullptr;  // cleared by finish
  Relations relations;
  bool must_end = false;   // a terminating exit was acted on; nothing more is obeyed (S9)
  bool is_ending = false;  // finish has begun: safe points act on nothing
  // Eight that share a byte.
  bool has_extras : 1 = false;  // so that a turn does not touch the line that senders write
  bool traps_exits : 1 = false;
  bool has_started : 1 = false;
  bool is_closed : 1 = false;              // the inbox is closed
  bool follows_parent : 1 = false;         // made with a link: its parent's exit is an order (G14)
  bool hears_system_requests : 1 = false;  // though it is no behaviour (C7)
  bool is_main : 1 = false;                // rt::run's: what ends it is reported (E1)
  bool destroys_dropped : 1 = false;       // a message that nobody is to have: disposal.hpp
  // Written by the owner, read by anyone: figures for show.
  base::Atomic<WaitReason> wait_reason{WaitReason::none};
  base::Atomic<bool> is_suspended{false};  // it runs no code, whatever comes: suspend.hpp
  // Raised by who sends what may not wait until the mail is used up.
  mailbox::Urgency urgency;
  // Whether its stack may be put away, and how it was seen last; for the rounds: hibernator.hpp.
  base::Atomic<std::uint8_t> hibernation_mark{0};
  // Written by who aims a timer at it, read by its end: timers.cpp.
  base::Atomic<bool> is_timer_target{false};

  // --- What calls, starts and ends look at. Fixed from spawn to retirement:

  Pid parent;
  // Grows with time: exact among those born on one scheduler, and right to a fraction of a
  // millisecond between two; no line of memory is shared for it.
  std::uint64_t born = 0;
  const std::string_view* code = nullptr;  // what its program is called: a constant; null: unknown
  // Owner only.
  union {
    std::uint32_t waits = 0;       // records of what will wake it: wait.hpp
    fiber::StackCopy* stack_copy;  // while its stack is away, and it has none: hibernator.hpp
  };
  ExitReason reason;  // once must_end: why
  std::uint64_t refs_given = 0;
  // Whose answer or room it waits for, by Pid::bits, and the number of the call it waits in; 0:
  // nobody's, none. WaitingFor and PendingCall write them: wait_circle.hpp.
  base::Atomic<std::uint64_t> waits_for{0};
  base::Atomic<std::uint32_t> waits_in_call{0};
  // Read by the registry as it says.
  base::Atomic<bool> is_exiting{false};  // registry.hpp: no name is given any more
  base::Atomic<bool> is_named{false};    // written under the registry's mutex

  static constexpr std::uint64_t free_bit = std::uint64_t{1} << 63;  // of a node that never is

  Pid pid() const noexcept {
    // relaxed: for the owner and for who has found it by this pid.
    return Pid::from_bits(pid_bits.load(std::memory_order_relaxed));
  }
  // Owner.
  Extras* own_extras() const noexcept {
    if (!has_extras) return nullptr;
    // relaxed: it has written the word itself.
    return as_extras(extras_word.load(std::memory_order_relaxed));
  }
  // Owner. relaxed, twice: a figure that steers.
  void note(Behind what) noexcept {
    if (behind.load(std::memory_order_relaxed) != what)
      behind.store(what, std::memory_order_relaxed);
  }
  std::uint64_t new_ref() noexcept { return ++refs_given; }
  void free_extras() noexcept {
    // relaxed: as above.
    if (extras_word.load(std::memory_order_relaxed) != 0) delete_extras();
  }
  static Extras* as_extras(std::intptr_t word) noexcept {
    return word > 0 ? reinterpret_cast<Extras*>(word) : nullptr;
  }

  // Makes a block that has passed its grace period like new, but for what its end has left so, and
  // for what its maker sets. The words that anyone may read at any time (a stale pid's look-up, a
  // listing) are stored to, never constructed again.
  void renew() noexcept;

 private:
  void delete_extras() noexcept;  // extras.cpp
};
static_assert(sizeof(Process) == 3 * base::cache_line_bytes);

inline void Process::renew() noexcept {
  fiber = nullptr;
  level = scheduler::Level::normal;
  pinned_to = 0;
  reductions.reset();
  std::destroy_at(&inbox);
  std::construct_at(&inbox);
  free_extras();
  reason = {};
  refs_given = 0;
  has_started = must_end = is_ending = is_closed = traps_exits = follows_parent =
      hears_system_requests = is_main = destroys_dropped = false;
  // relaxed, all: nobody decides by them before publish releases the pid.
  wait_reason.store(WaitReason::none, std::memory_order_relaxed);
  is_suspended.store(false, std::memory_order_relaxed);
  is_exiting.store(false, std::memory_order_relaxed);
  is_named.store(false, std::memory_order_relaxed);
  // relaxed: as above.
  behind.store(Behind::with_nothing, std::memory_order_relaxed);
  urgency.renew();
  is_timer_target.store(false, std::memory_order_relaxed);
  hibernation_mark.store(0, std::memory_order_relaxed);  // relaxed: as above
  waits_in_call.store(0, std::memory_order_relaxed);
  waits_for.store(0, std::memory_order_relaxed);
}

}  // namespace airssys::rt::runtime
