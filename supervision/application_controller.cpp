// application_controller.cpp: start in order, stop in reverse.
#include "supervision/application_controller.hpp"

#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/report.hpp>
#include <algorithm>
#include <ranges>
#include <utility>

#include "supervision/application_order.hpp"
#include "supervision/application_stop.hpp"

namespace airssys::rt::supervision {

namespace {

std::string title(const std::string& name) {
  return "application \"" + name + "\"";
}

// OTP's rule: a supervisor that has given up ends with shutdown, and that is no normal end.
bool ends_all(ApplicationType type, const ExitReason& reason) {
  if (type == ApplicationType::transient) return reason != ExitReason::normal();
  return type == ApplicationType::permanent;
}

}  // namespace

ApplicationController::ApplicationController(ApplicationsOptions options)
    : shutdown_(options.shutdown) {
  const std::vector<std::size_t> order = application_order(options.applications).value();
  for (const std::size_t place : order)
    applications_.push_back(std::move(options.applications[place]));
}

void ApplicationController::init() {
  trap_exit(true);
  for (const Application& application : applications_) start(application);
}

void ApplicationController::start(const Application& application) {
  std::expected<Pid, StartError> root = try_start_supervisor_link(application.tree);
  if (!root) {
    std::string why =
        "failed to start " + title(application.name) + ": " + root.error().reason().to_string();
    report(why);
    stop_all();
    exit(ExitReason::shutdown(std::move(why)));
  }
  infos_.push_back({application.name, application.type, *root, std::nullopt});
}

auto ApplicationController::handle(Which /*which*/) -> Which::Reply {
  return infos_;
}

void ApplicationController::handle_info(Message& message) {
  const auto* exit = message.get_if<Exit>();
  if (!exit) return;
  for (std::size_t at = 0; at < infos_.size(); ++at) {
    if (infos_[at].pid == exit->from) return ended(at, exit->reason);
  }
}

void ApplicationController::ended(std::size_t at, const ExitReason& reason) {
  ApplicationInfo& application = infos_[at];
  application.pid = {};
  application.reason = reason;
  std::string what = title(application.name) + " has ended: " + reason.to_string();
  report(what);
  if (!ends_all(application.type, reason)) return;
  const bool is_normal = reason == ExitReason::normal();
  exit(is_normal ? ExitReason::shutdown(std::move(what))
                 : ExitReason::error("airssys::rt::Application", std::move(what)));
}

void ApplicationController::terminate(const ExitReason& /*reason*/) {
  stop_all();
}

void ApplicationController::stop_all() {
  const Deadline all = Deadline::after(shutdown_);
  for (std::size_t at = infos_.size(); at-- > 0;) {
    if (!infos_[at].pid) continue;
    const Deadline phase = Deadline::after(applications_[at].shutdown);
    const Deadline deadline = Deadline::at_ns(std::min(all.ns(), phase.ns()));
    stop_application(infos_[at].name, std::exchange(infos_[at].pid, Pid()), deadline);
  }
}

std::string ApplicationController::format_state() const {
  std::string text;
  for (const ApplicationInfo& application : infos_) {
    if (!text.empty()) text += ", ";
    text += application.name + (application.pid ? ": running" : ": ended");
  }
  return text;
}

}  // namespace airssys::rt::supervision
