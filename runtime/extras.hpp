// extras.hpp: what few processes have, in one block that the first who needs it makes.
//
//   Process::extras ──▶ | idle time-out | dictionary | limit | suspension | hibernation | drops |
//                       label |       null for most processes
//
// A process without them pays one pointer. Each part has a file of its own; here is only where it
// lies. The owner makes the block and uses it, except for the parts that say who else may. The end
// of the process empties it; it goes when the process's own block is used again, after a grace
// period, so whoever has found the process may look until it leaves the runtime.
#pragma once

#include <cstddef>
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

struct Extras {
  static void* operator new(std::size_t bytes) { return base::allocate(bytes); }
  static void operator delete(void* block) noexcept { base::free(block); }

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

// The end of a process that has some: destroys what is in them. On a runner, inside; destructors
// are process code, and when one is cut off a second call does the rest.
void empty_extras(Process& process);

}  // namespace airssys::rt::runtime
