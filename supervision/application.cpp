// application.cpp: start in order, watch, stop in reverse.
//
// The process that serves applications is linked to the roots of their trees and traps exits: so it
// hears of their ends, and what would end itself begins the shutdown instead. What comes while an
// application starts waits for that start.
#include <airssys/rt/application.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <algorithm>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervision/application_order.hpp"
#include "supervision/application_stop.hpp"
#include "supervision/child_spec.hpp"

namespace airssys::rt {

namespace {

using supervision::application_order;
using supervision::check_period;
using supervision::run_start;
using supervision::start_error;
using supervision::stop_application;

std::string title(const Application& application) {
  return "application \"" + application.name + "\"";
}

StartError bad_spec(const std::string& what) {
  return start_error(StartError::bad_spec, what);
}

// One application by itself.
void check(const Application& application) {
  if (application.shutdown < Duration::zero())
    throw bad_spec(title(application) + ": its shutdown is negative");
  if (!application.start) {
    const SupervisorOptions& tree = application.tree;
    for (const auto& checked :
         {check_period(tree.period), check_childspecs(tree.children, tree.auto_shutdown)})
      if (!checked) throw bad_spec(title(application) + ": " + checked.error().what());
  } else if (!application.tree.children.empty()) {
    throw bad_spec(title(application) + ": it has both a start and a tree");
  }
}

std::vector<std::size_t> checked_order(const ApplicationsOptions& options) {
  if (options.shutdown < Duration::zero())
    throw bad_spec("the shutdown of all applications is negative");
  for (const Application& application : options.applications) check(application);
  auto order = application_order(options.applications);
  if (!order) throw bad_spec(order.error());
  return *std::move(order);
}

Report application_report(Severity severity,
                          const Application& application,
                          std::string_view context,
                          std::string_view what) {
  Report report(severity, "application", title(application).append(" ").append(what));
  report.add("application", application.name).add("context", std::string(context));
  return report;
}

class TrapExits {
 public:
  TrapExits() : trapped_before_(trap_exit(true)) {}
  TrapExits(const TrapExits&) = delete;
  TrapExits& operator=(const TrapExits&) = delete;
  ~TrapExits() { trap_exit(trapped_before_); }

 private:
  const bool trapped_before_;
};

class Applications {
 public:
  explicit Applications(ApplicationsOptions options)
      : options_(std::move(options)), order_(checked_order(options_)) {}

  // When one fails, those before it run.
  std::expected<void, StartError> start_all() {
    for (const std::size_t place : order_) {
      if (auto started = start(options_.applications[place]); !started) return started;
    }
    if (options_.started) options_.started();
    return {};
  }

  // Until something means the end of all, and why.
  ExitReason serve() {
    while (!running_.empty()) {
      const Exit end = receive<Exit>();
      const auto root = std::ranges::find(running_, end.from, &Running::root);
      if (root != running_.end()) {
        const Application& application = *root->application;
        running_.erase(root);
        if (auto reason = ended(application, end.reason)) return *std::move(reason);
      } else if (end.reason != ExitReason::normal() || detail::is_order_to_end(end)) {
        return end.reason;
      }
    }
    return ExitReason::normal();
  }

  // The last one first. Answers the names of those that had to be killed.
  std::string stop_all() {
    const Deadline all = Deadline::after(options_.shutdown);
    std::string late;
    while (!running_.empty()) {
      const auto [application, root] = running_.back();
      const Deadline phase = Deadline::after(application->shutdown);
      const Deadline deadline = Deadline::at_ns(std::min(all.ns(), phase.ns()));
      if (stop_application(application->name, root, deadline)) {
        report(application_report(Severity::info, *application, "stopped", "has stopped"));
      } else {
        late += (late.empty() ? "" : ", ") + application->name;
      }
      running_.pop_back();
    }
    return late;
  }

 private:
  struct Running {
    const Application* application;
    Pid root;
  };

  std::expected<void, StartError> start(const Application& application) {
    const ChildSpec root = application.start ? child_started_by(application.name, application.start)
                                             : child_supervisor(application.name, application.tree);
    std::expected<Pid, StartError> pid = run_start(root);
    if (!pid) {
      const std::string why = "could not be started: " + pid.error().reason().to_string();
      report(application_report(Severity::error, application, "start_error", why)
                 .add("reason", pid.error().reason().to_string()));
      return std::unexpected(start_error(pid.error().kind(), title(application) + " " + why));
    }
    if (!*pid) return {};
    running_.push_back({&application, *pid});
    report(application_report(Severity::info, application, "started", "has started")
               .add("root", pid->to_string()));
    return {};
  }

  // The reason for the end of all, if this is one. A supervisor that has given up ends with
  // shutdown, so that is no better than an error.
  static std::optional<ExitReason> ended(const Application& application, const ExitReason& reason) {
    const bool is_normal = reason == ExitReason::normal();
    const bool ends_all = application.type == ApplicationType::permanent ||
                          (application.type == ApplicationType::transient && !is_normal);
    const std::string what = "has ended: " + reason.to_string();
    report(application_report(is_normal ? Severity::notice : Severity::error,
                              application,
                              "ended",
                              what + (ends_all ? "; all others are stopped" : ""))
               .add("reason", reason.to_string())
               .add("ends_all", ends_all));
    if (!ends_all) return std::nullopt;
    if (is_normal) return ExitReason::shutdown(title(application) + " " + what);
    return ExitReason::error("airssys::rt::Application", title(application) + " " + what);
  }

  const ApplicationsOptions options_;
  const std::vector<std::size_t> order_;  // places in the list
  std::vector<Running> running_;          // in the order of their start
};

}  // namespace

void serve_applications(ApplicationsOptions options) {
  Applications applications(std::move(options));
  ExitReason reason;
  {
    const TrapExits trap;
    auto started = applications.start_all();
    if (started) reason = applications.serve();
    const std::string late = applications.stop_all();
    if (!started) throw std::move(started).error();
    if (!late.empty() && reason.is_orderly())
      reason = ExitReason::error("airssys::rt::Application", "killed at the deadline: " + late);
  }
  if (reason != ExitReason::normal()) exit(std::move(reason));
}

}  // namespace airssys::rt
