// children.hpp: what a supervisor does with its children, whichever kind of supervisor it is.
//
// The supervisor's process (supervisor_server.hpp) turns calls and Exit messages into these. All of
// them run on that process, one at a time. When the children's rules say that the supervisor has to
// end, they call rt::exit; the process then calls stop_all on its way out, as for every other end.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/supervisor.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt::supervision {

// Sent to oneself after a restart that failed: it queues behind whatever has come, so requests are
// served between two attempts (V33). Of an attempt that is over it means nothing.
struct Retry {
  std::string id;  // of a supervisor with an order
  Pid pid;         // of a dynamic one: the child that ended
  std::uint64_t attempt;
};

class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  virtual ~Children() = default;

  // At the supervisor's start. When a child fails, those before it are stopped, and the answer is
  // the reason the supervisor ends with (V9).
  virtual std::expected<void, ExitReason> start_all() = 0;
  // At the supervisor's end.
  virtual void stop_all() = 0;

  virtual void on_exit(Pid pid, const ExitReason& reason) = 0;
  virtual void retry(const Retry& retry) = 0;

  virtual std::expected<Pid, StartError> start(ChildSpec spec) = 0;
  virtual std::expected<Pid, ChildError> restart(std::string_view id) = 0;
  virtual std::expected<void, ChildError> terminate(std::string_view id) = 0;
  virtual std::expected<void, ChildError> terminate(Pid pid) = 0;
  virtual std::expected<void, ChildError> forget(std::string_view id) = 0;

  virtual std::vector<ChildInfo> info() = 0;
  virtual ChildCounts counts() = 0;
  virtual std::expected<ChildSpec, ChildError> spec(std::string_view id) = 0;
};

ChildError child_error(ChildError::Kind kind, std::string_view id);
void count(ChildCounts& counts, ChildType type, ChildState state) noexcept;

}  // namespace airssys::rt::supervision
