// reports.hpp: what a supervisor tells the log, a line each (V40, V42).
//
//   supervisor top <0.4.1>: child store <0.7.1> ended: error: std::runtime_error: disk on fire
//
// Only what somebody may have to act on is told: ends that are not in order, starts and stops that
// failed, giving up. On the supervisor's process.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt::supervision {

class Reports {
 public:
  explicit Reports(std::string supervisor_name) : name_(std::move(supervisor_name)) {}

  void child_ended(std::string_view id, Pid pid, const ExitReason& reason) const;
  void start_failed(std::string_view id, const ExitReason& reason) const;
  void stopped_otherwise(std::string_view id, Pid pid, const ExitReason& reason) const;
  void still_there(std::string_view id, Pid pid) const;
  void gave_up() const;
  // A supervisor that is killed leaves its own children behind (V19).
  void impatient_shutdown(const ChildSpec& spec) const;
  void unexpected_message(std::string_view type) const;

 private:
  void say(std::string_view what) const;

  std::string name_;
};

}  // namespace airssys::rt::supervision
