// Exits: every way a process ends, as a monitor sees it, and what a link does with it.
#include <airssys/rt.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct BadSensor {
  int id;
  bool operator==(const BadSensor&) const = default;
  std::string to_string() const { return "bad sensor " + std::to_string(id); }
};
struct Ready {};

void breaks_its_promise() noexcept {
  rt::exit(rt::ExitReason::shutdown());
}

// Starts f, watches it end, and prints the reason.
template <class F>
void watch(const char* what, F f) {
  rt::MonitorRef ref = rt::spawn_monitor(f).ref;
  rt::Down down = rt::receive(
      rt::when([&](rt::Down& it) { return it.ref == ref; }, [](rt::Down it) { return it; }));
  std::printf("%-18s %s\n", what, down.reason.to_string().c_str());
}

int main() {
  return rt::run([] {
    watch("returns", [] {});
    watch("throws", [] { throw std::runtime_error("boom"); });
    watch("exits", [] { rt::exit(rt::ExitReason::shutdown("enough")); });
    watch("with a value", [] { rt::exit(rt::ExitReason::of(BadSensor{7})); });
    watch("kills itself", [] { rt::send_exit(rt::self(), rt::ExitReason::kill()); });
    watch("breaks noexcept", breaks_its_promise);

    // No handler keeps a killed process alive.
    rt::Pid stubborn = rt::spawn([parent = rt::self()] {
      rt::send(parent, Ready{});
      for (;;) {
        try {
          rt::sleep(1h);
        } catch (...) {
          std::puts("cleaning up");
          throw;
        }
      }
    });
    rt::receive<Ready>();
    rt::send_exit(stubborn, rt::ExitReason::kill());
    std::printf("alive: %s\n", rt::is_alive(stubborn) ? "yes" : "no");

    // Links: the end of one is an exit signal to the other, which may take it as a message.
    rt::trap_exit(true);
    rt::Pid child = rt::spawn_link([] { rt::exit(rt::ExitReason::of(BadSensor{8})); });
    rt::Exit exit = rt::receive<rt::Exit>();
    const BadSensor* sensor = exit.reason.value<BadSensor>();
    std::printf("%s: sensor %d\n", exit.from == child ? "child" : "?", sensor ? sensor->id : 0);
  });
}
