// ordered_children.cpp: children with an order and a strategy.
#include "supervision/ordered_children.hpp"

#include <airssys/rt/process.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/time.hpp>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "supervision/child_spec.hpp"
#include "supervision/child_stop.hpp"
#include "supervision/restart_policy.hpp"

namespace airssys::rt::supervision {

OrderedChildren::OrderedChildren(SupervisorOptions options)
    : Children(std::move(options.name), options.intensity, options.period),
      strategy_(options.strategy),
      auto_shutdown_(options.auto_shutdown) {
  for (ChildSpec& spec : options.children) add(std::move(spec));
}

// --- starting and stopping ---

std::expected<void, ExitReason> OrderedChildren::start_all() {
  for (auto child = table_.begin(); child != table_.end();) {
    const auto next = std::next(child);
    reports().impatient_shutdown(child->spec);
    std::expected<Pid, StartError> pid = start(child);
    if (!pid) {
      reports().start_failed(child->spec.id, pid.error().reason());
      std::string why =
          "failed to start child " + child->spec.id + ": " + pid.error().reason().to_string();
      stop_all();
      return std::unexpected(ExitReason::shutdown(std::move(why)));
    }
    if (!*pid && child->spec.restart == Restart::temporary) table_.remove(child);
    child = next;
  }
  return {};
}

void OrderedChildren::stop_all() {
  for (auto child = table_.end(); child != table_.begin();) {
    --child;
    if (child->state == ChildState::running) stop(child);
    table_.set_stopped(child);
  }
}

OrderedChildren::Position OrderedChildren::add(ChildSpec spec) {
  spec.shutdown = effective_shutdown(spec.shutdown, spec.type);
  return table_.add(std::move(spec));
}

std::expected<Pid, StartError> OrderedChildren::start(Position child) {
  std::expected<Pid, StartError> pid = run_start(child->spec);
  if (!pid || !*pid) {
    table_.set_stopped(child);
    return pid;
  }
  table_.set_running(child, *pid);
  reports().child_started(child->spec.id, *pid);
  child->backoff.started(Deadline::now().ns());
  // It is never started again, and what it was made of may be large (V26).
  if (child->spec.restart == Restart::temporary) child->spec.start.reset();
  return pid;
}

void OrderedChildren::stop(Position child) {
  stop_running(child->spec, child->pid);
  table_.set_stopped(child);
}

// --- restarting ---

void OrderedChildren::on_exit(Pid pid, const ExitReason& reason) {
  const auto child = table_.find(pid);
  if (child == table_.end()) return;
  table_.set_stopped(child);
  const AfterEnd after = after_end(child->spec.restart, reason);
  std::optional<RestartPlan> plan;
  if (after == AfterEnd::restart)
    plan = {strategy_, wait_before_restart(child->spec, child->backoff)};
  if (is_end_reported(child->spec.restart, reason))
    reports().child_ended(child->spec.id, pid, reason, plan);
  if (!plan) {
    ended_for_good(child, after == AfterEnd::forget);
  } else if (plan->wait > Duration::zero()) {
    restart_later(child, plan->wait);
  } else {
    restart(child);
  }
}

void OrderedChildren::ended_for_good(Position child, bool is_forgotten) {
  const bool is_significant = child->spec.significant;
  if (is_forgotten) table_.remove(child);
  if (!is_significant) return;
  std::size_t active = 0;
  for (const Child& other : table_) {
    if (other.spec.significant && other.state != ChildState::stopped) ++active;
  }
  if (is_auto_shutdown(auto_shutdown_, active)) exit(ExitReason::shutdown());
}

void OrderedChildren::retry(const Retry& retry) {
  const auto child = table_.find(retry.id);
  if (child == table_.end() || child->state != ChildState::restarting) return;
  if (child->attempt != retry.attempt) return;
  table_.set_stopped(child);  // this attempt is over, also if one before it in its group fails
  restart(child);
}

void OrderedChildren::restart(Position child) {
  admit_restart();
  take_down_others(child);
  start_again(child);
}

void OrderedChildren::take_down_others(Position child) {
  std::vector<Position> others;
  const auto last = last_affected(child);
  for (auto other = first_affected(child); other != last; ++other) {
    if (other != child && other->state != ChildState::stopped) others.push_back(other);
  }
  for (const auto other : others | std::views::reverse) take_down(other);
}

// A temporary child is not wanted any more once it is down (V21, V31).
void OrderedChildren::take_down(Position child) {
  if (child->state == ChildState::running) stop(child);
  table_.set_stopped(child);
  if (child->spec.restart == Restart::temporary) table_.remove(child);
}

void OrderedChildren::start_again(Position child) {
  const auto last = last_affected(child);
  for (auto next = first_affected(child); next != last; ++next) {
    std::expected<Pid, StartError> pid = start(next);
    if (pid) continue;
    reports().start_failed(next->spec.id, pid.error().reason());
    restart_later(next, wait_before_restart(next->spec, next->backoff));
    return;
  }
}

void OrderedChildren::restart_later(Position child, Duration wait) {
  retry_later({child->spec.id, Pid(), table_.set_restarting(child)}, wait);
}

OrderedChildren::Position OrderedChildren::first_affected(Position child) noexcept {
  return strategy_ == Strategy::one_for_all ? table_.begin() : child;
}

OrderedChildren::Position OrderedChildren::last_affected(Position child) noexcept {
  return strategy_ == Strategy::one_for_one ? std::next(child) : table_.end();
}

// --- requests ---

std::expected<Pid, StartError> OrderedChildren::start(ChildSpec spec) {
  if (auto checked = check_childspec(spec, auto_shutdown_, Ids::required); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (const auto there = table_.find(spec.id); there != table_.end()) {
    const bool is_running = there->state == ChildState::running;
    const std::string what =
        "child \"" + spec.id + (is_running ? "\" is running" : "\" is there, but does not run");
    return std::unexpected(start_error(
        is_running ? StartError::already_started : StartError::already_present, what, there->pid));
  }
  const auto child = add(std::move(spec));
  reports().impatient_shutdown(child->spec);
  std::expected<Pid, StartError> pid = start(child);
  if (!pid) reports().start_failed(child->spec.id, pid.error().reason());
  if (!pid || (!*pid && child->spec.restart == Restart::temporary)) table_.remove(child);
  return pid;
}

std::expected<Pid, ChildError> OrderedChildren::restart(std::string_view id) {
  std::expected<Position, ChildError> child = find_stopped(id);
  if (!child) return std::unexpected(std::move(child).error());
  std::expected<Pid, StartError> pid = start(*child);
  if (pid) return *pid;
  reports().start_failed(id, pid.error().reason());
  return std::unexpected(
      ChildError(ChildError::not_started, pid.error().reason(), pid.error().what()));
}

std::expected<void, ChildError> OrderedChildren::terminate(std::string_view id) {
  const auto child = table_.find(id);
  if (child == table_.end()) return std::unexpected(child_error(ChildError::not_found, id));
  take_down(child);
  return {};
}

std::expected<void, ChildError> OrderedChildren::forget(std::string_view id) {
  std::expected<Position, ChildError> child = find_stopped(id);
  if (!child) return std::unexpected(std::move(child).error());
  table_.remove(*child);
  return {};
}

std::expected<OrderedChildren::Position, ChildError> OrderedChildren::find_stopped(
    std::string_view id) {
  auto child = table_.find(id);
  if (child == table_.end()) return std::unexpected(child_error(ChildError::not_found, id));
  switch (child->state) {
    case ChildState::running:
      return std::unexpected(child_error(ChildError::running, id));
    case ChildState::restarting:
      return std::unexpected(child_error(ChildError::restarting, id));
    case ChildState::stopped:
      break;
  }
  return child;
}

std::vector<ChildInfo> OrderedChildren::info() {
  std::vector<ChildInfo> info;
  info.reserve(table_.size());
  for (auto child = table_.end(); child != table_.begin();) {
    --child;
    info.push_back({child->spec.id, child->pid, child->spec.type, child->state});
  }
  return info;
}

std::expected<ChildSpec, ChildError> OrderedChildren::spec(std::string_view id) {
  const auto child = table_.find(id);
  if (child == table_.end()) return std::unexpected(child_error(ChildError::not_found, id));
  return child->spec;
}

}  // namespace airssys::rt::supervision
