// task.hpp: the schedulable unit, and the doors through which the scheduler calls upward.
//
//              pick                      Turn::over, or parked and try_idle
//   queued ───────────▶ running ───────────────────────────▶ at rest, or gone
//     ▲ ▲                  │                                     │
//     │ └── Turn::again, yielded, parked but mail has come       │
//     └───────────────────────── make_runnable ──────────────────┘
//
// queued: in exactly one run queue, run-next slot or injector (I1). running: one thread works on it
// (I2). at rest: in no queue; who has turned its inbox from idle owes it one make_runnable (I3).
// There is no state word here: the inbox's word alone says whether a task may be queued.
//
// A task at rest has a stack (`fiber`) if it blocked in the middle of its code, and none otherwise.
// That stack may be away: then `fiber` is null, `stack_class` says so, and a door brings it back.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "fiber/context.hpp"
#include "fiber/stack.hpp"

namespace airssys::rt::scheduler {

// What stack_class is while a task's stack is away.
inline constexpr fiber::SizeClass away = 0xff;

// Lowest first; each has a run queue of its own.
enum class Level : std::uint8_t { low, normal, high, max };
inline constexpr unsigned level_count = 4;

// A number with one writer, read by anyone: a figure for show, nobody decides by it.
class Counter {
 public:
  void add(std::uint64_t n) noexcept {
    // relaxed, twice: one writer; readers want a recent value, no more.
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept {
    return value_.load(std::memory_order_relaxed);  // relaxed: as above
  }
  void reset() noexcept { value_.store(0, std::memory_order_relaxed); }  // relaxed: as above

 private:
  base::Atomic<std::uint64_t> value_{0};
};

struct Task {
  // Whoever holds the task: the thread that runs it, or the one that picks it.
  fiber::Fiber* fiber = nullptr;         // the stack on which it waits; null: it has none
  Counter reductions;                    // charged so far, counted when a turn ends
  base::Atomic<std::uint32_t> asked{0};  // who waits for its answer: asked.hpp
  Level level = Level::normal;
  fiber::SizeClass stack_class = 0;  // of the stack that it starts on
  std::uint8_t pinned_to = 0;        // the id + 1 of the only scheduler that runs it; 0: any
};

// What a turn on a runner came to.
enum class Turn : std::uint8_t {
  over,   // the task is at rest or gone: it is somebody else's now, do not touch it
  again,  // its slice is used up and it has more to do: queue it
};

// What a task means is runtime's business. All are called inside the runtime, none throws.
struct Doors {
  // On a runner: runs a task that has no stack, until it rests, ends, or its slice is used up.
  Turn (*run)(Task& task);
  // On a runner whose task was cut: its process code was unwound or abandoned.
  Turn (*ended)(Task& task, fiber::Ended why);
  // After the switch away from a task that parked: true if it is at rest now, false if mail has
  // come meanwhile.
  bool (*try_idle)(Task& task);
  // Before the switch to a task whose stack is away: brings it back, and says so in the task.
  fiber::Fiber& (*fetch_stack)(Task& task) = nullptr;
};

// A slice, in reductions (D2), and what a yield is charged (P17).
inline constexpr std::int32_t slice_reductions = 4000;
inline constexpr std::int32_t yield_reductions = 400;

}  // namespace airssys::rt::scheduler
