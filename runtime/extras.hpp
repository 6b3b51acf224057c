// extras.hpp: what few processes have, in one block that the first who needs it makes.
//
//   Process::extras_word ──▶ | bounds | idle time-out | dictionary | limit | suspension |
//                            hibernation | drops | label |       null for most processes
//
// A process without them pays one word, and one with bounds alone only for those. Each part has a
// file of its own; here is only where it lies. The owner makes the block and uses it, except for
// the parts that say who else may. The end of the process empties it, but for the bounds; it goes
// when the process's own block is used again, after a grace period, so whoever has found the
// process may look until it leaves the runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/memory.hpp"
#include "mailbox/mail_queue.hpp"
#include "runtime/dictionary.hpp"
#include "runtime/hibernate.hpp"
#include "runtime/label.hpp"
#include "runtime/mail_limit.hpp"
#include "runtime/process.hpp"
#include "runtime/suspend.hpp"
#include "runtime/wait.hpp"

namespace airssys::rt::runtime {

struct ReleaseBounds {
  void operator()(Bounds* bounds) const noexcept;  // bounds.cpp
};
using BoundsShare = std::unique_ptr<Bounds, ReleaseBounds>;

struct Extras {
  static void* operator new(std::size_t bytes) { return base::allocate(bytes); }
  static void operator delete(void* block) noexcept { base::free(block); }

  // Fixed from spawn to retirement. Null: the mailbox has none.
  BoundsShare bounds;

  // Owner only.
  std::optional<TimedWait> idle_timer;  // armed from `idle_after` to the next message: idler.hpp
  Dictionary dictionary;
  std::optional<mailbox::Cursor> priority_end;  // behind what has gone ahead: priority.hpp
  MailLimit mail_limit;
  Suspension suspension;
  Hibernation hibernation;

  // Written by the owner, read by anyone: messages dropped by a mailbox without bounds (B6).
  scheduler::Counter wrong_types;
  scheduler::Counter inactive_aliases;

  // Any thread.
  Label label;
};

// Owner: its extras, made now if need be.
Extras& extras_of(Process& process);

// Who has found the process, or is it: its extras, or null.
inline const Extras* extras_seen(const Process& process) noexcept {
  // acquire: pairs with extras_of: the block is seen as it was made.
  return Process::as_extras(process.extras_word.load(std::memory_order_acquire));
}

// The same: the bounds of its mailbox, or null.
inline Bounds* bounds_of(const Process& process) noexcept {
  // acquire: pairs with give_bounds and extras_of: the block is seen as it was made.
  const std::intptr_t word = process.extras_word.load(std::memory_order_acquire);
  if (word == 0) [[likely]]
    return nullptr;
  const Extras* extras = Process::as_extras(word);
  return extras ? extras->bounds.get() : reinterpret_cast<Bounds*>(-word);
}
// Who spawns it, before it has anything else.
void give_bounds(Process& process, BoundsShare bounds) noexcept;

// The end of a process that has some: destroys what is in them, but for the bounds. On a runner,
// inside; destructors are process code, and when one is cut off a second call does the rest.
void empty_extras(Process& process);

}  // namespace airssys::rt::runtime
