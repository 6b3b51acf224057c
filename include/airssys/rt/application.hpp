// application.hpp: the named parts of a program, started and stopped in the order of their needs.
//
//   int main() {
//     return rt::run_applications({
//         .applications = {
//             {.name = "storage", .tree = {.children = {rt::child<Store>("store")}}},
//             {.name = "http", .needs = {"storage"}, .tree = {.children = {...}}, .shutdown = 10s},
//         },
//         .shutdown = 30s,
//     });
//   }
//
// An application is a supervision tree with a name. It starts when all that it needs has started,
// and stops, a phase of its own, before any of that stops; otherwise the order of the list holds.
// When one does not start, those that have are stopped again, the last one first.
//
// Each phase has its time, and all of them together have theirs. When either is up, the log is told
// who of the tree is still there, what each waits for and for whom; then these are killed, and the
// next phase begins. A process, which is registered under a name, does all of this.
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/exit_reason.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/supervisor.hpp>
#include <airssys/rt/system.hpp>
#include <airssys/rt/time.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airssys::rt {

// What the end of an application means to the others. None is started again by itself: that is what
// its tree is for, which has given up.
enum class ApplicationType : std::uint8_t {
  permanent,  // all others are stopped
  transient,  // the same, unless it ended with normal
  temporary,  // nothing
};

struct Application {
  std::string name;
  std::vector<std::string> needs = {};  // names of others
  ApplicationType type = ApplicationType::permanent;
  SupervisorOptions tree = {};
  Duration shutdown = std::chrono::seconds(5);  // of its phase; not negative
};

struct ApplicationsOptions {
  std::vector<Application> applications = {};
  Duration shutdown = std::chrono::seconds(30);  // of all phases together; not negative
  std::string name = "applications";
};

// Whether these could be started: every name given once, every need there, none in a circle, every
// tree in order. The error is bad_spec and names the applications. Any thread; does not suspend.
std::expected<void, StartError> check_applications(const std::vector<Application>& applications);

// Starts all of them, under a process that is linked to the caller, and returns when they have
// started. If one fails, the error's reason is shutdown("failed to start application ..."). They
// are stopped when that process is (`stop`), or when its parent, who called this, ends. For
// processes; suspends.
Pid start_applications_link(ApplicationsOptions options);
std::expected<Pid, StartError> try_start_applications_link(ApplicationsOptions options);

// Starts them, and stays until they have ended: with normal it returns, any other reason ends the
// caller, and so does a start that fails. What a process of a host's Runtime does:
// `runtime.spawn([] { rt::serve_applications({...}); })`. Runtime::stop leaves them all of its time
// but the last second, or half of it when that is less.
void serve_applications(ApplicationsOptions options);

// A program that is nothing but its applications: rt::run with serve_applications, and with a
// stop_timeout that lets the phases have their time when SIGTERM comes. Answers its exit code.
inline int run_applications(ApplicationsOptions applications, Options options = {}) {
  using std::chrono::milliseconds;
  // Two seconds more: the last one is for those who are in no application, and a phase whose time
  // is up may need one to see the killed off.
  constexpr Duration longest = std::chrono::years(1);
  const auto phases = std::chrono::ceil<milliseconds>(std::min(applications.shutdown, longest));
  options.stop_timeout = std::max(options.stop_timeout, phases + milliseconds(2000));
  return run(options, [applications = std::move(applications)]() mutable {
    serve_applications(std::move(applications));
  });
}

struct ApplicationInfo {
  std::string name;
  ApplicationType type;
  Pid pid;                           // of its tree's root; null when it does not run
  std::optional<ExitReason> reason;  // why it ended
};
// In the order in which they were started. `applications` is the name, or the pid, of the process.
// For processes; suspends; throws CallError.
std::vector<ApplicationInfo> which_applications(std::string_view applications = "applications");
std::vector<ApplicationInfo> which_applications(Pid applications);

}  // namespace airssys::rt
