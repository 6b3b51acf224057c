// restart.cpp: a supervised server is killed; how long until its replacement has answered a call?
#include <airssys/rt.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int kills = 1000;

// Tells the one who counts when it is up.
class Child : public rt::Server<Child> {
 public:
  struct Up {
    rt::Pid pid;
  };
  struct Echo {
    using Reply = int;
    int number;
  };

  explicit Child(rt::Pid main) { rt::send(main, Up{rt::self()}); }
  int handle(Echo echo) { return echo.number; }
};

}  // namespace

void restart() {
  rt::start_supervisor_link({.intensity = std::numeric_limits<unsigned>::max(),
                             .children = {rt::child<Child>("child", rt::self())}});
  rt::Pid child = rt::receive<Child::Up>().pid;
  std::vector<std::int64_t> samples;
  for (int i = 0; i < kills; ++i) {
    const std::int64_t begin = now_ns();
    rt::send_exit(child, rt::ExitReason::kill());
    child = rt::receive<Child::Up>().pid;
    check(rt::call(rt::server_ref<Child>(child), Child::Echo{i}) == i, "the new one answers");
    samples.push_back(now_ns() - begin);
  }
  report_quantiles("restart", std::move(samples));
}

}  // namespace bench
