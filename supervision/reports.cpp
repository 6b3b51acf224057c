// reports.cpp: a supervisor's reports, their lines and their fields.
#include "supervision/reports.hpp"

#include <airssys/rt/process.hpp>
#include <chrono>
#include <cstdint>

namespace airssys::rt::supervision {

namespace {

constexpr std::string_view progress = "progress";

struct StrategyWords {
  std::string_view name;
  std::string_view what_it_does;
};

StrategyWords words_of(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::one_for_one:
      return {"one_for_one", "restarts it"};
    case Strategy::rest_for_one:
      return {"rest_for_one", "restarts it and those started later"};
    case Strategy::one_for_all:
      break;
  }
  return {"one_for_all", "restarts all"};
}

std::uint64_t milliseconds(Duration time) {
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(time);
  return static_cast<std::uint64_t>(rounded_up.count());
}

std::string decision(const std::optional<RestartPlan>& plan) {
  if (!plan) return "does not restart it";
  std::string text(words_of(plan->strategy).what_it_does);
  if (plan->wait > Duration::zero())
    text += " in " + std::to_string(milliseconds(plan->wait)) + " ms";
  return text;
}

}  // namespace

void Reports::child_started(std::string_view id, Pid pid) const {
  if (is_reported(Severity::info)) report(make(Severity::info, progress, id, pid, " has started"));
}

void Reports::child_ended(std::string_view id,
                          Pid pid,
                          const ExitReason& reason,
                          const std::optional<RestartPlan>& plan) const {
  const Severity severity = reason.is_orderly() ? Severity::warning : Severity::error;
  const std::string ended = " ended: " + reason.to_string() + "; " + decision(plan);
  Report ending = make(severity, "child_terminated", id, pid, ended);
  ending.add("reason", reason.to_string()).add("decision", plan ? "restart" : "none");
  if (plan) {
    ending.add("strategy", std::string(words_of(plan->strategy).name));
    ending.add("wait_ms", milliseconds(plan->wait));
  }
  report(ending);
}

void Reports::start_failed(std::string_view id, const ExitReason& reason) const {
  report(
      make(
          Severity::error, "start_error", id, Pid(), " could not be started: " + reason.to_string())
          .add("reason", reason.to_string()));
}

void Reports::stopped_otherwise(std::string_view id, Pid pid, const ExitReason& reason) const {
  report(make(Severity::error,
              "shutdown_error",
              id,
              pid,
              " was stopped, but ended with: " + reason.to_string())
             .add("reason", reason.to_string()));
}

void Reports::still_there(std::string_view id, Pid pid) const {
  report(make(Severity::error,
              "does_not_end",
              id,
              pid,
              " has been killed but does not end: it never calls the runtime"));
}

void Reports::gave_up() const {
  report(make(Severity::error, "shutdown", "gives up: too many restarts")
             .add("reason", "reached_max_restart_intensity"));
}

void Reports::impatient_shutdown(const ChildSpec& spec) const {
  if (spec.type == ChildType::worker || spec.shutdown.kind() == Shutdown::Kind::infinity) return;
  report(make(Severity::warning,
              "impatient_shutdown",
              spec.id,
              Pid(),
              " is a supervisor: its shutdown should be infinity"));
}

void Reports::unexpected_message(std::string_view type) const {
  report(make(Severity::warning,
              "unexpected_message",
              "dropped a message that nobody expects: " + std::string(type))
             .add("message", std::string(type)));
}

Report Reports::make(Severity severity, std::string_view context, std::string_view what) const {
  std::string line("supervisor ");
  if (!name_.empty()) line.append(name_).append(" ");
  line.append(self().to_string()).append(": ").append(what);
  const bool is_progress = context == progress;
  Report report(severity, is_progress ? progress : "supervisor", std::move(line));
  report.add("supervisor", self().to_string()).add("name", name_);
  if (!is_progress) report.add("context", std::string(context));
  return report;
}

Report Reports::make(Severity severity,
                     std::string_view context,
                     std::string_view child,
                     Pid pid,
                     std::string_view what) const {
  std::string text("child ");
  text.append(child);
  if (pid) text.append(" ").append(pid.to_string());
  Report report = make(severity, context, text.append(what));
  report.add("child", std::string(child));
  if (pid) report.add("child_pid", pid.to_string());
  return report;
}

}  // namespace airssys::rt::supervision
