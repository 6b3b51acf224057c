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
// and stops, in a phase of its own, before any of that stops; otherwise the order of the list
// holds. Each phase has its time, and all of them together have theirs. When either is up, a report
// of each process of that tree tells what it waits for; then these are killed, and the next phase
// begins.
#pragma once

#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/supervisor.hpp>
#include <airssys/rt/system.hpp>
#include <airssys/rt/time.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace airssys::rt {

// What the end of an application means to the others. None is started again: that is what its tree
// is for, which has given up.
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
  // Starts it in place of `tree`, as the function that child_started_by takes, in a process of the
  // application's own. A null pid: there is nothing to run.
  std::function<std::expected<Pid, StartError>()> start = {};
  Duration shutdown = std::chrono::seconds(5);  // the time of its phase; not negative
};

struct ApplicationsOptions {
  std::vector<Application> applications = {};
  Duration shutdown = std::chrono::seconds(30);  // of all phases together; not negative
  std::function<void()> started = {};            // called when all have started; must not throw
};

// Starts all of them, each below a process that is linked to the caller, and stays until they have
// ended. For processes.
//
// Throws a StartError that names the application: bad_spec, before anything starts, for a name that
// is missing or there twice, a need that is not there, needs that go in a circle, or a tree that
// makes no sense, by its period or its children (check_childspecs); else the kind of the start that
// failed, when those before it have been stopped, the last one first.
//
// They are stopped by the end of an application, as its type says, and by whatever would end the
// caller: its parent's exit, the runtime's stop (E3), an exit signal with another reason than
// normal; also while one starts, which is then the first to have its phase. The caller then ends
// with that reason; if an application's end was the cause, or some had to be killed, and the reason
// would be an orderly one, with an error that names them, for which rt::run answers 1. It returns
// when the reason is normal, or nothing is left to run.
void serve_applications(ApplicationsOptions options);

// A program that is nothing but its applications: rt::run with serve_applications, and with a
// stop_timeout that leaves the phases their time when SIGTERM comes. Answers the exit code.
int run_applications(ApplicationsOptions applications, Options options = {});

}  // namespace airssys::rt
