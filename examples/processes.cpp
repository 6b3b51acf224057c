// Processes: spawned, named, asked about, stopped; work that blocks goes to another thread.
#include <airssys/rt.hpp>
#include <cstdio>
#include <string>

namespace rt = airssys::rt;
using namespace std::chrono_literals;

struct Order {
  rt::Pid from;
  int cups;
};
struct Ready {
  int cups;
};

void barista() {
  for (;;) {
    rt::receive([](Order order) {
      // A slow call of the system's: the thread under this process goes on with other processes.
      int cups = rt::blocking([cups = order.cups] { return cups; });
      rt::send(order.from, Ready{cups});
    });
  }
}

int main() {
  return rt::run([] {
    rt::Pid worker = rt::spawn({.name = "barista"}, barista);
    rt::send("barista", Order{rt::self(), 2});  // by name or by pid, it is the same
    std::printf("ready: %d\n", rt::receive<Ready>().cups);

    rt::ProcessInfo info = rt::process_info(worker).value();
    std::printf("%s has %zu messages, child of this one: %s\n",
                info.name.c_str(),
                info.message_queue_len,
                info.parent == rt::self() ? "yes" : "no");

    // A loop that calls nothing of the runtime says what it has done; it gives way when it is due.
    long sum = 0;
    for (long i = 0; i < 1'000'000; ++i) {
      sum += i;
      if (i % 1'000 == 0) rt::reductions(10);
    }
    std::printf("sum %ld\n", sum);

    rt::send_exit(worker, rt::ExitReason::shutdown());
    std::printf("alive: %s\n", rt::is_alive(worker) ? "yes" : "no");  // asked behind the exit
    std::printf("name is free: %s\n", rt::whereis("barista") ? "no" : "yes");
  });
}
