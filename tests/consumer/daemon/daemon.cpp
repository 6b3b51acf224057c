// daemon.cpp: a daemon of twenty lines, as somebody outside of this project writes it.
#include <airssys/rt.hpp>
#include <cstdio>

namespace rt = airssys::rt;

struct Doubler : rt::Server<Doubler> {
  struct Twice {
    using Reply = int;
    int n;
  };
  int handle(Twice twice) { return 2 * twice.n; }
};

int main() {
  return rt::run([] {
    rt::ServerRef<Doubler> doubler = rt::start_link<Doubler>();
    std::printf("%d\n", rt::call(doubler, Doubler::Twice{21}));
    rt::stop(doubler);
  });
}
