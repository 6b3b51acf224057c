// ring.cpp: a thousand processes in a ring; a token goes round, counting down from a million.
#include <airssys/rt.hpp>
#include <cstdint>
#include <memory>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int processes = 1000;
constexpr std::int64_t hops = 1'000'000;

struct Token {
  std::int64_t hops_left;
};
struct Arrived {};

// The ring is closed by whom the last one passes to, which the first one is told in a message.
struct Next {
  rt::Pid pid;
};

void pass(Token token, rt::Pid next, rt::Pid main) {
  if (token.hops_left == 0) {
    rt::send(main, Arrived{});
  } else {
    rt::send(next, Token{token.hops_left - 1});
  }
}

class Link : public rt::Behaviour {
 public:
  Link(rt::Pid next, rt::Pid main) : next_(next), main_(main) {}
  void message(rt::Message& message) override {
    if (const Token* token = message.get_if<Token>()) return pass(*token, next_, main_);
    next_ = message.take<Next>().pid;
  }

 private:
  rt::Pid next_;
  rt::Pid main_;
};

rt::Pid spawn_behaviour(rt::Pid next, rt::Pid main) {
  return rt::spawn_behaviour(std::make_unique<Link>(next, main));
}

rt::Pid spawn_body(rt::Pid next, rt::Pid main) {
  return rt::spawn([next, main]() mutable {
    for (;;) {
      rt::receive([&](Token token) { pass(token, next, main); },
                  [&](Next other) { next = other.pid; });
    }
  });
}

void run_round(rt::Pid (*spawn_link)(rt::Pid next, rt::Pid main), const char* metric) {
  const rt::Pid first = spawn_link({}, rt::self());
  rt::Pid last = first;
  for (int i = 1; i < processes; ++i) last = spawn_link(last, rt::self());
  rt::send(first, Next{last});

  const Stopwatch watch;
  rt::send(last, Token{hops});
  rt::receive<Arrived>();
  report(metric, watch.ns() / hops, "ns/hop");
}

}  // namespace

void ring() {
  run_round(&spawn_behaviour, "ring");
  run_round(&spawn_body, "ring_bodies");
}

}  // namespace bench
