// Applications: the parts of a daemon, started in the order of their needs, stopped the other way.
#include <airssys/rt.hpp>
#include <csignal>
#include <cstdio>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

// A part of the program that says what happens to it.
struct Part : rt::Server<Part> {
  explicit Part(const char* name) : name_(name) {}
  void init() {
    rt::trap_exit(true);
    std::printf("%s starts\n", name_);
  }
  void terminate(const rt::ExitReason&) { std::printf("%s stops\n", name_); }
  const char* name_;
};

rt::SupervisorOptions part(const char* name) {
  return {.children = {rt::child<Part>(name, name)}};
}

int main() {
  return rt::run_applications({
      .applications =
          {
              {.name = "http",
               .needs = {"storage", "metrics"},
               .tree = part("http"),
               .shutdown = 2s},
              {.name = "storage", .tree = part("storage"), .shutdown = 10s},
              {.name = "metrics", .type = rt::ApplicationType::temporary, .tree = part("metrics")},
          },
      .shutdown = 15s,
      // Somebody has to end this program; most are ended from outside.
      .started = [] { std::raise(SIGTERM); },
  });
}
