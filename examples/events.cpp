// An event manager: handlers are added, fail, and are swapped while it runs; a look into it.
#include <airssys/rt.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

namespace rt = airssys::rt;

struct Alarm {
  std::string what;
  int level;
};

struct Console : rt::EventHandler<Console, Alarm> {
  void handle(const Alarm& alarm) { std::printf("alarm: %s\n", alarm.what.c_str()); }
};

// Fails when it has nobody to call.
struct Pager : rt::EventHandler<Pager, Alarm> {
  void handle(const Alarm& alarm) {
    if (alarm.level > 1) throw std::runtime_error("nobody on duty");
  }
};

struct Tally : rt::EventHandler<Tally, Alarm> {
  void handle(const Alarm&) { ++count; }
  int count = 0;
};

// Takes a Tally's place, and goes on from where that was.
struct TallyOfBad : rt::EventHandler<TallyOfBad, Alarm> {
  struct Count {
    using Reply = int;
  };
  TallyOfBad(Tally&& before, int least) : count(before.count), level(least) {}
  void handle(const Alarm& alarm) { count += alarm.level >= level ? 1 : 0; }
  int handle(Count) const { return count; }
  int count;
  int level;
};

int main() {
  rt::Options options;
  options.log = [](std::string_view) {};  // where a handler that fails is reported
  return rt::run(options, [] {
    rt::EventManagerRef alarms = rt::start_event_manager_link({.name = "alarms"});
    rt::add_handler<Console>(alarms);
    rt::HandlerRef<Tally> tally = rt::add_handler<Tally>(alarms);

    // One that fails is removed, and the others go on. A supervised one tells its owner.
    rt::add_supervised_handler<Pager>(alarms);
    rt::notify(alarms, Alarm{"disk full", 2});
    rt::HandlerExit exit = rt::receive<rt::HandlerExit>();
    std::printf("pager: %s\n", exit.reason.to_string().c_str());

    // Between two events another takes a handler's place, and its state with it.
    rt::notify(alarms, Alarm{"door open", 1});
    rt::HandlerRef<TallyOfBad> bad = rt::swap_handler<TallyOfBad>(tally, 2);
    rt::notify(alarms, Alarm{"door still open", 1});
    rt::notify(alarms, Alarm{"fire", 3});
    std::printf("counted %d\n", rt::call(bad, TallyOfBad::Count{}));

    // Held still, looked at and mended. What comes meanwhile waits.
    rt::sys::suspend(alarms.pid());
    rt::notify(alarms, Alarm{"flood", 3});
    int before = rt::sys::get_state(bad, [](const TallyOfBad& it) { return it.count; });
    rt::sys::replace_state(bad, [](TallyOfBad& it) { it.count = 0; });
    rt::sys::Status status = rt::sys::get_status(alarms.pid());
    std::printf("%s after %d\n", status.is_suspended ? "suspended" : "running", before);
    rt::sys::resume(alarms.pid());
    std::printf("counted %d\n", rt::call(bad, TallyOfBad::Count{}));

    for (const rt::HandlerInfo& handler : rt::which_handlers(alarms))
      std::printf("handler %s\n", std::string(handler.type).c_str());
    rt::stop(alarms.pid());
  });
}
