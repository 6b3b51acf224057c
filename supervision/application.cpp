// application.cpp: start in order, watch, stop in reverse.
//
// Each application has a keeper: the process that starts the root of its tree, and so is the parent
// that the root obeys. It ends as the root does, and asks it to end when it is asked itself. The
// process that serves them is linked to the keepers and traps exits: so it hears of the ends of
// applications, and what would end itself begins the shutdown instead, also while one starts.
#include <airssys/rt/application.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/report.hpp>
#include <airssys/rt/send.hpp>
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
#include "supervision/child_stop.hpp"

namespace airssys::rt {

namespace {

// From a keeper: what became of the start.
struct RootStarted {
  Pid keeper;
  std::expected<Pid, StartError> root;
};

}  // namespace

template <>
inline constexpr bool detail::is_system_message<RootStarted> = true;

namespace {

using supervision::application_order;
using supervision::check_period;
using supervision::run_start;
using supervision::start_error;
using supervision::stop_application;
using supervision::stop_child;

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

// The body of a keeper.
void keep(const Application& application) {
  const Pid server = parent();
  trap_exit(true);
  set_label(title(application));
  const ChildSpec spec = application.start ? child_started_by(application.name, application.start)
                                           : child_supervisor(application.name, application.tree);
  const std::expected<Pid, StartError> root = run_start(spec);
  const bool is_running = root && *root;
  if (!is_running) unlink(server);  // nobody needs to hear of its end
  send(server, RootStarted{self(), root});
  if (!is_running) return;
  ExitReason reason = receive(
      when([&](Exit& exit) { return exit.from == *root; }, [](Exit& exit) { return exit.reason; }),
      when([&](Exit& exit) { return exit.from == server; },
           [&](Exit&) { return stop_child(*root, Shutdown::infinity(), {}); }));
  trap_exit(false);
  send_exit(self(), std::move(reason));  // exit() would report that the keeper has crashed
}

class Applications {
 public:
  explicit Applications(ApplicationsOptions options)
      : options_(std::move(options)), order_(checked_order(options_)) {}

  // Starts them in order. Answers why all are to end, if something that means so comes before they
  // have started. When one fails, those before it run.
  std::expected<std::optional<ExitReason>, StartError> start_all() {
    for (const std::size_t place : order_) {
      const Application& application = options_.applications[place];
      const auto spawned = try_spawn({.link = true}, [application] { keep(application); });
      if (!spawned) return not_started(application, StartError::error, spawned.error().reason());
      const Pid keeper = *spawned;
      running_.push_back({&application, keeper});
      std::optional<ExitReason> reason;
      std::optional<RootStarted> started;
      while (!reason && !started && is_running(keeper)) {
        receive([&](RootStarted news) { started = std::move(news); },
                [&](Exit end) { reason = heard_of(end); });
      }
      if (reason) return reason;
      if (!started) continue;
      if (auto known = note_start(started->root); !known)
        return std::unexpected(std::move(known).error());
    }
    if (options_.started) options_.started();
    return std::nullopt;
  }

  // Until something means the end of all, and why.
  ExitReason serve() {
    while (!running_.empty()) {
      if (auto reason = heard_of(receive<Exit>())) return *std::move(reason);
    }
    return ExitReason::normal();
  }

  // The last one first. Answers the names of those that had to be killed.
  std::string stop_all() {
    const Deadline all = Deadline::after(options_.shutdown);
    std::string late;
    while (!running_.empty()) {
      const auto [application, keeper, has_root] = running_.back();
      const Deadline phase = Deadline::after(application->shutdown);
      const Deadline deadline = Deadline::at_ns(std::min(all.ns(), phase.ns()));
      if (stop_application(application->name, keeper, has_root, deadline)) {
        report(application_report(Severity::info, *application, "stopped", "has stopped"));
      } else {
        late += (late.empty() ? "" : ", ") + application->name;
      }
      running_.pop_back();
    }
    while (receive<RootStarted>(Duration::zero())) {
    }
    return late;
  }

 private:
  struct Running {
    const Application* application;
    Pid keeper;
    bool has_root = false;  // it runs; else it is being started
  };

  bool is_running(Pid keeper) const {
    return std::ranges::find(running_, keeper, &Running::keeper) != running_.end();
  }

  // Why all are to end, if this means so: the end of an application, or what would end the caller.
  std::optional<ExitReason> heard_of(const Exit& end) {
    const auto found = std::ranges::find(running_, end.from, &Running::keeper);
    if (found != running_.end()) {
      const Application& application = *found->application;
      running_.erase(found);
      return ended(application, end.reason);
    }
    if (end.reason == ExitReason::normal() && !detail::is_order_to_end(end)) return std::nullopt;
    return end.reason;
  }

  // What became of the start of the last one.
  std::expected<void, StartError> note_start(const std::expected<Pid, StartError>& root) {
    const Application& application = *running_.back().application;
    if (root && *root) {
      running_.back().has_root = true;
      report(application_report(Severity::info, application, "started", "has started")
                 .add("root", root->to_string()));
      return {};
    }
    running_.pop_back();
    if (root) return {};
    return not_started(application, root.error().kind(), root.error().reason());
  }

  static std::unexpected<StartError> not_started(const Application& application,
                                                 StartError::Kind kind,
                                                 const ExitReason& reason) {
    const std::string why = "could not be started: " + reason.to_string();
    report(application_report(Severity::error, application, "start_error", why)
               .add("reason", reason.to_string()));
    return std::unexpected(start_error(kind, title(application) + " " + why));
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
  std::vector<Running> running_;          // in the order of their start; the last may be starting
};

}  // namespace

void serve_applications(ApplicationsOptions options) {
  Applications applications(std::move(options));
  ExitReason reason;
  {
    const TrapExits trap;
    auto started = applications.start_all();
    if (started) reason = *started ? **started : applications.serve();
    const std::string late = applications.stop_all();
    if (!started) throw std::move(started).error();
    if (!late.empty() && reason.is_orderly())
      reason = ExitReason::error("airssys::rt::Application", "killed at the deadline: " + late);
  }
  if (reason != ExitReason::normal()) exit(std::move(reason));
}

}  // namespace airssys::rt
