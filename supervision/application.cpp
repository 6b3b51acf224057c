// application.cpp: what a program says to its applications' process.
#include <airssys/rt/application.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/server.hpp>
#include <utility>

#include "supervision/application_controller.hpp"
#include "supervision/application_order.hpp"

namespace airssys::rt {

namespace {

using supervision::ApplicationController;

StartError bad_spec(const std::string& what) {
  return {StartError::bad_spec, ExitReason::error("airssys::rt::StartError", what), what};
}

// One application by itself.
std::expected<void, StartError> check(const Application& application) {
  const std::string title = "application \"" + application.name + "\": ";
  if (application.shutdown < Duration::zero())
    return std::unexpected(bad_spec(title + "shutdown is negative"));
  if (application.tree.period <= Duration::zero())
    return std::unexpected(bad_spec(title + "a supervisor's period must be more than zero"));
  auto checked = check_childspecs(application.tree.children, application.tree.auto_shutdown);
  if (!checked) return std::unexpected(bad_spec(title + checked.error().what()));
  return {};
}

}  // namespace

std::expected<void, StartError> check_applications(const std::vector<Application>& applications) {
  if (auto order = supervision::application_order(applications); !order)
    return std::unexpected(bad_spec(order.error()));
  for (const Application& application : applications) {
    if (auto checked = check(application); !checked) return checked;
  }
  return {};
}

std::expected<Pid, StartError> try_start_applications_link(ApplicationsOptions options) {
  if (options.shutdown < Duration::zero())
    return std::unexpected(bad_spec("the applications' shutdown is negative"));
  if (auto checked = check_applications(options.applications); !checked)
    return std::unexpected(std::move(checked).error());
  const StartOptions start{.name = options.name};
  auto controller = try_start_link<ApplicationController>(start, std::move(options));
  if (!controller) return std::unexpected(std::move(controller).error());
  return controller->pid();
}
Pid start_applications_link(ApplicationsOptions options) {
  return detail::value_or_throw(try_start_applications_link(std::move(options)));
}

void serve_applications(ApplicationsOptions options) {
  const MonitorRef ref = monitor(start_applications_link(std::move(options)));
  receive(when([&](Down& down) { return down.ref == ref; },
               [](Down& down) {
                 if (down.reason != ExitReason::normal()) exit(std::move(down.reason));
               }));
}

std::vector<ApplicationInfo> which_applications(Pid applications) {
  return call(server_ref<ApplicationController>(applications), ApplicationController::Which());
}
std::vector<ApplicationInfo> which_applications(std::string_view applications) {
  return which_applications(whereis(applications).value_or(Pid()));
}

}  // namespace airssys::rt
