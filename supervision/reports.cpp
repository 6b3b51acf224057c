// reports.cpp: what a supervisor tells the log.
#include "supervision/reports.hpp"

#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>

namespace airssys::rt::supervision {

namespace {

std::string child(std::string_view id, Pid pid) {
  std::string text("child ");
  text.append(id);
  if (pid) text.append(" ").append(pid.to_string());
  return text;
}

}  // namespace

void Reports::child_ended(std::string_view id, Pid pid, const ExitReason& reason) const {
  say(child(id, pid) + " ended: " + reason.to_string());
}

void Reports::start_failed(std::string_view id, const ExitReason& reason) const {
  say(child(id, Pid()) + " could not be started: " + reason.to_string());
}

void Reports::stopped_otherwise(std::string_view id, Pid pid, const ExitReason& reason) const {
  say(child(id, pid) + " was stopped, but ended with: " + reason.to_string());
}

void Reports::still_there(std::string_view id, Pid pid) const {
  say(child(id, pid) + " has been killed but does not end: it never calls the runtime");
}

void Reports::gave_up() const {
  say("gives up: too many restarts");
}

void Reports::impatient_shutdown(const ChildSpec& spec) const {
  if (spec.type == ChildType::worker || spec.shutdown.kind() == Shutdown::Kind::infinity) return;
  say(child(spec.id, Pid()) + " is a supervisor: its shutdown should be infinity");
}

void Reports::unexpected_message(std::string_view type) const {
  say("dropped a message that nobody expects: " + std::string(type));
}

void Reports::say(std::string_view what) const {
  std::string line("supervisor ");
  if (!name_.empty()) line.append(name_).append(" ");
  report(line.append(self().to_string()).append(": ").append(what));
}

}  // namespace airssys::rt::supervision
