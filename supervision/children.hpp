// children.hpp: what a supervisor does with its children, whichever kind of supervisor it is.
//
// The supervisor's process (supervisor_server.hpp) turns calls and Exit messages into these. All of
// them run on that process, one at a time. When the children's rules say that the supervisor has to
// end, they call rt::exit; the process then calls stop_all on its way out, as for every other end.
// What this class does itself is right for either kind; what goes by id is refused unless the kind
// knows its children by id.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/supervisor.hpp>
#include <airssys/rt/time.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervision/backoff.hpp"
#include "supervision/reports.hpp"
#include "supervision/restart_window.hpp"

namespace airssys::rt::supervision {

// Sent to oneself after a restart that failed: it queues behind whatever has come, so requests are
// served between two attempts (V33). Of an attempt that is over it means nothing.
struct Retry {
  std::string id;  // of a supervisor with an order
  Pid pid;         // of a dynamic one: the child that ended
  std::uint64_t attempt;
};

}  // namespace airssys::rt::supervision

template <>
inline constexpr bool airssys::rt::detail::is_system_message<airssys::rt::supervision::Retry> =
    true;

namespace airssys::rt::supervision {

class Children {
 public:
  Children(std::string name, unsigned intensity, Duration period)
      : reports_(std::move(name)),
        window_(intensity, period),
        chance_(static_cast<std::uint64_t>(Deadline::now().ns())) {}
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  virtual ~Children() = default;

  // At the supervisor's start. When a child fails, those before it are stopped, and the answer is
  // the reason the supervisor ends with (V9).
  virtual std::expected<void, ExitReason> start_all() { return {}; }
  // At the supervisor's end.
  virtual void stop_all() = 0;

  virtual void on_exit(Pid pid, const ExitReason& reason) = 0;
  virtual void retry(const Retry& retry) = 0;

  virtual std::expected<Pid, StartError> start(ChildSpec spec) = 0;
  virtual std::expected<Pid, ChildError> restart(std::string_view id);
  virtual std::expected<void, ChildError> terminate(std::string_view id);
  virtual std::expected<void, ChildError> terminate(Pid pid);
  virtual std::expected<void, ChildError> forget(std::string_view id);
  virtual std::expected<ChildSpec, ChildError> spec(std::string_view id);
  virtual std::expected<ChildSpec, ChildError> spec(Pid pid);

  virtual std::vector<ChildInfo> info() = 0;
  ChildCounts counts();

  const Reports& reports() const noexcept { return reports_; }

 protected:
  // Counts a restart; one too many ends the supervisor (V28).
  void admit_restart();
  // How long this child waits for its restart: it has ended, or could not be started.
  Duration wait_before_restart(const ChildSpec& spec, Backoff& backoff);
  // Has the supervisor told of this attempt, after the wait; without one, behind all mail (V33).
  static void retry_later(Retry retry, Duration wait);
  // Stops a running child; an end that was not asked for is reported (V15).
  void stop_running(const ChildSpec& spec, Pid pid);
  void report_stopped(const ChildSpec& spec, Pid pid, const ExitReason& reason) const;

 private:
  Reports reports_;
  RestartWindow window_;
  std::uint64_t chance_;
};

ChildError child_error(ChildError::Kind kind, std::string_view id);

}  // namespace airssys::rt::supervision
