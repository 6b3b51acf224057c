// monitor.hpp: setting up a monitor from inside the runtime, and what its Down is to say.
#pragma once

#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/ref.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "runtime/envelope.hpp"
#include "runtime/process.hpp"
#include "runtime/relations.hpp"

namespace airssys::rt::runtime {

// What a Down says that the end of a process does not know. Few monitors have one; it hangs on the
// monitor's relation, where `theirs` has no other meaning.
struct DownNote {
  std::string name;      // by which the monitor was set up, or empty (M5)
  Message tagged;        // the message that is to come in a Down's place, or none (M12)
  Down* down = nullptr;  // in `tagged`
};
// Takes it off the relation; null: there was none.
inline std::unique_ptr<DownNote> take_note(Relation& monitor) noexcept {
  return std::unique_ptr<DownNote>(reinterpret_cast<DownNote*>(std::exchange(monitor.theirs, 0)));
}

// The signal that tells a watcher of an end: its Down, in the block in which it will be received.
Envelope* make_down(Pid watcher, std::uint64_t ref, Pid ended, const ExitReason& reason);

// Our half of a monitor; the caller sees to the other one. By the owner.
MonitorRef add_monitor(Process& process,
                       Pid target,
                       AddressMode mode,
                       Rank rank = Rank::ordinary,
                       std::unique_ptr<DownNote> note = nullptr);

// Both halves. By the owner, inside.
MonitorRef monitor(Process& process,
                   Pid target,
                   AddressMode mode,
                   Rank rank = Rank::ordinary,
                   std::unique_ptr<DownNote> note = nullptr);

// By the parent, before the child runs: both halves at once, without a signal.
MonitorRef monitor_newborn(Process& parent,
                           Process& child,
                           const MonitorOptions& options,
                           std::unique_ptr<DownNote>&& note);

// For a message that is to come in a Down's place, with `down` in it.
std::unique_ptr<DownNote> note_of(void* tagged, Down* down);

}  // namespace airssys::rt::runtime
