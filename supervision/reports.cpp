// reports.cpp: a supervisor's reports, their lines and their fields.
#include "supervision/reports.hpp"

#include <airssys/rt/process.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>

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

std::string joined(std::initializer_list<std::string_view> words) {
  std::size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  std::string text;
  text.reserve(bytes);
  for (const std::string_view word : words) text += word;
  return text;
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
  if (!is_reported(severity)) return;
  std::string why = reason.to_string();
  Report ending =
      make(severity, "child_terminated", id, pid, joined({" ended: ", why, "; ", decision(plan)}));
  ending.add("reason", std::move(why)).add("decision", plan ? "restart" : "none");
  if (plan) {
    ending.add("strategy", std::string(words_of(plan->strategy).name));
    ending.add("wait_ms", milliseconds(plan->wait));
  }
  report(ending);
}

void Reports::start_failed(std::string_view id, const ExitReason& reason) const {
  std::string why = reason.to_string();
  Report failure =
      make(Severity::error, "start_error", id, Pid(), joined({" could not be started: ", why}));
  report(failure.add("reason", std::move(why)));
}

void Reports::stopped_otherwise(std::string_view id, Pid pid, const ExitReason& reason) const {
  std::string why = reason.to_string();
  Report end = make(
      Severity::error, "shutdown_error", id, pid, joined({" was stopped, but ended with: ", why}));
  report(end.add("reason", std::move(why)));
}

void Reports::still_there(std::string_view id, Pid pid, const ExitReason& signal) const {
  const bool was_killed = signal == ExitReason::kill();
  report(make(was_killed ? Severity::error : Severity::warning,
              "does_not_end",
              id,
              pid,
              was_killed ? " has been killed but does not end: it never calls the runtime"
                         : " has been asked to stop but does not end: it may take for ever"));
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
              joined({"dropped a message that nobody expects: ", type}))
             .add("message", std::string(type)));
}

Report Reports::make(Severity severity, std::string_view context, std::string_view what) const {
  std::string pid = self().to_string();
  const std::string_view gap = name_.empty() ? "" : " ";
  std::string line = joined({"supervisor ", name_, gap, pid, ": ", what});
  const bool is_progress = context == progress;
  Report report(severity, is_progress ? progress : "supervisor", std::move(line));
  report.add("supervisor", std::move(pid)).add("name", name_);
  if (!is_progress) report.add("context", std::string(context));
  return report;
}

Report Reports::make(Severity severity,
                     std::string_view context,
                     std::string_view child,
                     Pid pid,
                     std::string_view what) const {
  std::string child_pid = pid ? pid.to_string() : std::string();
  const std::string_view gap = pid ? " " : "";
  Report report = make(severity, context, joined({"child ", child, gap, child_pid, what}));
  report.add("child", std::string(child));
  if (pid) report.add("child_pid", std::move(child_pid));
  return report;
}

}  // namespace airssys::rt::supervision
