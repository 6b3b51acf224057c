// reports.hpp: what a supervisor reports (V40, V42).
//
//   supervisor top <0.4.1>: child store <0.7.1> ended: error: std::runtime_error: disk on fire;
//   restarts it
//
// All are of kind "supervisor" and say in `context` what happened: child_terminated, start_error,
// shutdown_error (a stop that went otherwise), shutdown (it gives up), and so on. A start that went
// well is of kind "progress", and mere information. On the supervisor's process.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/supervisor.hpp>
#include <airssys/rt/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt::supervision {

// How a child that has ended is restarted.
struct RestartPlan {
  Strategy strategy = Strategy::one_for_one;
  Duration wait = {};
};

class Reports {
 public:
  explicit Reports(std::string supervisor_name) : name_(std::move(supervisor_name)) {}

  void child_started(std::string_view id, Pid pid) const;
  void child_ended(std::string_view id,
                   Pid pid,
                   const ExitReason& reason,
                   const std::optional<RestartPlan>& plan) const;
  void start_failed(std::string_view id, const ExitReason& reason) const;
  void stopped_otherwise(std::string_view id, Pid pid, const ExitReason& reason) const;
  // After this signal.
  void still_there(std::string_view id, Pid pid, const ExitReason& signal) const;
  void gave_up() const;
  // A supervisor that is killed leaves its own children behind (V19).
  void impatient_shutdown(const ChildSpec& spec) const;
  void unexpected_message(std::string_view type) const;

 private:
  // A report of itself, and one of a child; the line goes on with `what`.
  Report make(Severity severity, std::string_view context, std::string_view what) const;
  Report make(Severity severity,
              std::string_view context,
              std::string_view child,
              Pid pid,
              std::string_view what) const;

  std::string name_;
};

}  // namespace airssys::rt::supervision
