// dynamic_children.cpp: many children that come and go, in no order.
#include "supervision/dynamic_children.hpp"

#include <airssys/rt/process.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervision/child_spec.hpp"
#include "supervision/child_stop.hpp"
#include "supervision/restart_policy.hpp"

namespace airssys::rt::supervision {

DynamicChildren::DynamicChildren(DynamicSupervisorOptions options)
    : Children(std::move(options.name), options.intensity, options.period),
      max_children_(options.max_children) {}

ChildState DynamicChildren::Child::state() const noexcept {
  return attempt == 0 ? ChildState::running : ChildState::restarting;
}

std::expected<Pid, StartError> DynamicChildren::start(ChildSpec spec) {
  if (auto checked = check_childspec(spec, AutoShutdown::never, Ids::labels); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (children_.size() >= max_children_) {
    const std::string what = "there are " + std::to_string(children_.size()) + " children already";
    return std::unexpected(start_error(StartError::limit_reached, what));
  }
  spec.shutdown = effective_shutdown(spec.shutdown, spec.type);
  reports().impatient_shutdown(spec);
  std::expected<Pid, StartError> pid = run_start(spec);
  if (!pid) reports().start_failed(spec.id, pid.error().reason());
  if (!pid || !*pid) return pid;
  reports().child_started(spec.id, *pid);
  // A temporary child is never started again, and what it was made of may be large (V26).
  if (spec.restart == Restart::temporary) spec.start.reset();
  children_.emplace(*pid, Child{std::move(spec)})
      .first->second.backoff.started(Deadline::now().ns());
  return pid;
}

void DynamicChildren::stop_all() {
  std::vector<Stopping> stopping;
  for (const auto& [pid, child] : children_) {
    if (child.state() == ChildState::running) stopping.push_back({pid, child.spec.shutdown});
  }
  supervision::stop_all(stopping, [this](Pid stuck, const ExitReason& signal) {
    reports().still_there(children_.at(stuck).spec.id, stuck, signal);
  });
  for (const Stopping& stopped : stopping) {
    report_stopped(children_.at(stopped.pid).spec, stopped.pid, stopped.reason);
  }
  children_.clear();
}

void DynamicChildren::on_exit(Pid pid, const ExitReason& reason) {
  const auto child = children_.find(pid);
  if (child == children_.end()) return;
  const ChildSpec& spec = child->second.spec;
  std::optional<RestartPlan> plan;
  if (after_end(spec.restart, reason) == AfterEnd::restart)
    plan = {Strategy::one_for_one, wait_before_restart(spec, child->second.backoff)};
  if (is_end_reported(spec.restart, reason)) reports().child_ended(spec.id, pid, reason, plan);
  if (!plan) {
    children_.erase(child);
  } else if (plan->wait > Duration::zero()) {
    restart_later(child, plan->wait);
  } else {
    start_again(child);
  }
}

void DynamicChildren::retry(const Retry& retry) {
  const auto child = children_.find(retry.pid);
  if (child != children_.end() && child->second.attempt == retry.attempt) start_again(child);
}

void DynamicChildren::restart_later(Position child, Duration wait) {
  child->second.attempt = ++attempts_;
  retry_later({{}, child->first, child->second.attempt}, wait);
}

void DynamicChildren::start_again(Position child) {
  child->second.attempt = ++attempts_;
  admit_restart();
  std::expected<Pid, StartError> pid = run_start(child->second.spec);
  if (!pid) {
    reports().start_failed(child->second.spec.id, pid.error().reason());
    restart_later(child, wait_before_restart(child->second.spec, child->second.backoff));
    return;
  }
  auto moved = children_.extract(child);
  if (!*pid) return;
  reports().child_started(moved.mapped().spec.id, *pid);
  moved.key() = *pid;
  moved.mapped().attempt = 0;
  moved.mapped().backoff.started(Deadline::now().ns());
  children_.insert(std::move(moved));
}

std::expected<void, ChildError> DynamicChildren::terminate(Pid pid) {
  const auto child = children_.find(pid);
  if (child == children_.end()) {
    if (pid != self() && !is_alive(pid)) return {};
    return std::unexpected(child_error(ChildError::not_found, pid.to_string()));
  }
  if (child->second.state() == ChildState::running) stop_running(child->second.spec, pid);
  children_.erase(child);
  return {};
}

std::expected<ChildSpec, ChildError> DynamicChildren::spec(Pid pid) {
  const auto child = children_.find(pid);
  if (child == children_.end()) return Children::spec(pid);
  return child->second.spec;
}

std::vector<ChildInfo> DynamicChildren::info() {
  std::vector<ChildInfo> info;
  info.reserve(children_.size());
  for (const auto& [pid, child] : children_) {
    const ChildState state = child.state();
    info.push_back(
        {child.spec.id, state == ChildState::running ? pid : Pid(), child.spec.type, state});
  }
  return info;
}

}  // namespace airssys::rt::supervision
