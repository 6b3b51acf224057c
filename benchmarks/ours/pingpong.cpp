// pingpong.cpp: one asks, one answers, a million times; each answer is checked.
#include <airssys/rt.hpp>
#include <cstdint>
#include <memory>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::int64_t rounds = 1'000'000;

struct Ping {
  rt::Pid from;
  std::int64_t number;
};
struct Pong {
  std::int64_t number;
};

void answer(const Ping& ping) {
  rt::send(ping.from, Pong{ping.number});
}

// Rests without a stack between two messages.
class Echo : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { answer(message.take<Ping>()); }
};

void play(rt::Pid echo, const char* metric) {
  const Stopwatch watch;
  for (std::int64_t number = 0; number < rounds; ++number) {
    rt::send(echo, Ping{rt::self(), number});
    check(rt::receive<Pong>().number == number, "the answer belongs to the question");
  }
  report(metric, watch.ns() / rounds, "ns/rt");
}

}  // namespace

void pingpong() {
  play(rt::spawn_behaviour(std::make_unique<Echo>()), "pingpong");
  play(rt::spawn([] {
         for (;;) answer(rt::receive<Ping>());
       }),
       "pingpong_bodies");
}

}  // namespace bench
