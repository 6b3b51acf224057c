// selrecv.cpp: a message is picked out from behind a hundred thousand that nobody wants yet.
//
// A receive by type looks at all of them. A call does not: its reply can only lie behind the place
// where the mailbox ended when the call was made.
#include <airssys/rt.hpp>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int noise = 100'000;
constexpr int again = 50;
constexpr int calls = 1000;

struct Noise {
  int number;
};
struct Wanted {
  int number;
};

struct Echo : rt::Server<Echo> {
  struct Request {
    using Reply = int;
    int number;
  };
  int handle(Request request) { return request.number; }
};

void pick(int number) {
  rt::send(rt::self(), Wanted{number});
  check(rt::receive<Wanted>().number == number, "the one that was sent");
}

}  // namespace

void selrecv() {
  for (int i = 0; i < noise; ++i) rt::send(rt::self(), Noise{i});
  const Stopwatch first;
  pick(0);
  report("selrecv_first", first.ns() / 1000, "us");

  const Stopwatch more;
  for (int i = 0; i < again; ++i) pick(i);
  report("selrecv_again", more.ns() / 1000 / again, "us");

  const auto server = rt::start_link<Echo>();
  const Stopwatch with_reference;
  for (int i = 0; i < calls; ++i)
    check(rt::call(server, Echo::Request{i}) == i, "the reply belongs to the call");
  report("selrecv_ref_call", with_reference.ns() / 1000 / calls, "us");

  for (int i = 0; i < noise; ++i)
    check(rt::receive<Noise>().number == i, "what was passed over is there, in order");
}

}  // namespace bench
