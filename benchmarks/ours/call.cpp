// call.cpp: half a million calls of a server, each with a time-out of five seconds.
#include <airssys/rt.hpp>
#include <cstdint>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

struct Echo : rt::Server<Echo> {
  struct Request {
    using Reply = std::int64_t;
    std::int64_t number;
  };
  std::int64_t handle(Request request) { return request.number; }
};

}  // namespace

void call() {
  constexpr std::int64_t calls = 500'000;
  const auto server = rt::start_link<Echo>();
  const Stopwatch watch;
  for (std::int64_t number = 0; number < calls; ++number)
    check(rt::call(server, Echo::Request{number}) == number, "the reply belongs to the call");
  report("call", calls / watch.seconds(), "call/s");
}

}  // namespace bench
