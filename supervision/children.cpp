// children.cpp: what both kinds of children say.
#include "supervision/children.hpp"

#include <airssys/rt/info.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/send.hpp>
#include <airssys/rt/timer.hpp>
#include <string>
#include <unordered_set>

#include "supervision/child_stop.hpp"
#include "supervision/restart_policy.hpp"

namespace airssys::rt::supervision {

namespace {

std::string_view words(ChildError::Kind kind) noexcept {
  switch (kind) {
    case ChildError::not_found:
      return "there is no such child";
    case ChildError::running:
      return "it is running";
    case ChildError::restarting:
      return "it is being restarted";
    case ChildError::not_started:
      return "it could not be started";
    case ChildError::by_pid_only:
      return "a dynamic supervisor knows its children by pid";
    default:
      return "there is no such supervisor";
  }
}

}  // namespace

ChildError child_error(ChildError::Kind kind, std::string_view id) {
  std::string what("child \"");
  what.append(id).append("\": ").append(words(kind));
  return {kind, ExitReason::error("airssys::rt::ChildError", what), what};
}

std::expected<Pid, ChildError> Children::restart(std::string_view id) {
  return std::unexpected(child_error(ChildError::by_pid_only, id));
}
std::expected<void, ChildError> Children::terminate(std::string_view id) {
  return std::unexpected(child_error(ChildError::by_pid_only, id));
}
std::expected<void, ChildError> Children::terminate(Pid pid) {
  return std::unexpected(child_error(ChildError::not_found, pid.to_string()));
}
std::expected<void, ChildError> Children::forget(std::string_view id) {
  return std::unexpected(child_error(ChildError::by_pid_only, id));
}
std::expected<ChildSpec, ChildError> Children::spec(std::string_view id) {
  return std::unexpected(child_error(ChildError::by_pid_only, id));
}

std::expected<ChildSpec, ChildError> Children::spec(Pid pid) {
  return std::unexpected(child_error(ChildError::not_found, pid.to_string()));
}

ChildCounts Children::counts() {
  const std::vector<Pid> links = process_info(self())->links;
  const std::unordered_set<Pid> linked(links.begin(), links.end());
  ChildCounts counts;
  for (const ChildInfo& child : info()) {
    ++counts.specs;
    // One that has unlinked itself may have ended unheard.
    if (child.pid && (linked.contains(child.pid) || is_alive(child.pid))) ++counts.active;
    ++(child.type == ChildType::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

void Children::admit_restart() {
  if (window_.admit(Deadline::now().ns())) return;
  reports_.gave_up();
  exit(ExitReason::shutdown());
}

Duration Children::wait_before_restart(const ChildSpec& spec, Backoff& backoff) {
  chance_ = chance_ * 6364136223846793005U + 1442695040888963407U;
  return backoff.ended(spec.backoff, Deadline::now().ns(), chance_);
}

void Children::retry_later(Retry retry, Duration wait) {
  if (wait > Duration::zero()) {
    send_after(wait, self(), std::move(retry));
  } else {
    send(self(), std::move(retry));
  }
}

void Children::stop_running(const ChildSpec& spec, Pid pid) {
  const auto still_there = [&](Pid stuck, const ExitReason& signal) {
    reports_.still_there(spec.id, stuck, signal);
  };
  report_stopped(spec, pid, stop_child(pid, spec.shutdown, still_there));
}

void Children::report_stopped(const ChildSpec& spec, Pid pid, const ExitReason& reason) const {
  if (is_stop_in_order(spec.restart, spec.shutdown, reason)) return;
  reports_.stopped_otherwise(spec.id, pid, reason);
}

}  // namespace airssys::rt::supervision
