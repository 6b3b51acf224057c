// applications.hpp: applications of one child each, which says when it comes and goes, and the
// process that serves them. Whatever needs its time has an hour.
#pragma once

#include <airssys/rt.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/children.hpp"
#include "tests/support/ends.hpp"
#include "tests/support/kept_reports.hpp"

namespace airssys::rt::test {

using namespace std::chrono_literals;
using namespace support;

class Applications : public KeptReports {};

struct Started {};

inline Application app(std::string name,
                       std::vector<std::string> needs = {},
                       ApplicationType type = ApplicationType::permanent) {
  return {.name = name,
          .needs = std::move(needs),
          .type = type,
          .tree = {.intensity = 0, .children = {worker(name)}},
          .shutdown = 1h};
}

// The process that serves them, linked to the caller, which traps exits.
inline Pid serve(std::vector<Application> applications, Duration shutdown = 1h) {
  trap_exit(true);
  return spawn_link([owner = self(), shutdown, applications = std::move(applications)]() mutable {
    serve_applications({.applications = std::move(applications),
                        .shutdown = shutdown,
                        .started = [owner] { send(owner, Started()); }});
  });
}
inline Pid serve_started(std::vector<Application> applications, Duration shutdown = 1h) {
  const Pid pid = serve(std::move(applications), shutdown);
  receive<Started>();
  return pid;
}

inline ExitReason stop_by(Pid pid, const ExitReason& reason) {
  send_exit(pid, reason);
  return exit_of(pid);
}

inline bool says(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace airssys::rt::test
