// restart_policy.hpp: what the rules say, as functions of plain values.
//
// Whether an ended child is started again, which siblings share its fate, what is worth a report,
// and when the end of a significant child ends the supervisor. Nothing here knows a process.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/supervisor.hpp>
#include <cstddef>
#include <cstdint>

namespace airssys::rt::supervision {

enum class AfterEnd : std::uint8_t {
  restart,
  keep,    // the specification stays, the child does not run
  forget,  // the specification goes
};

// A child ended by itself (V27).
AfterEnd after_end(Restart restart, const ExitReason& reason) noexcept;

// Whether that is reported: always for a permanent child, else when it was not in order (V40).
bool is_end_reported(Restart restart, const ExitReason& reason) noexcept;

// Whether a child that was stopped ended as one that is stopped should (V15).
bool is_stop_in_order(Restart restart, const Shutdown& shutdown, const ExitReason& reason);

// Whether the supervisor ends because a significant child has ended by itself, and for good, while
// so many other significant ones are still active (V37).
bool is_auto_shutdown(AutoShutdown auto_shutdown, std::size_t other_significant_active) noexcept;

// The shutdown with its default filled in (V3).
Shutdown effective_shutdown(const Shutdown& shutdown, ChildType type) noexcept;

}  // namespace airssys::rt::supervision
