// paths.cpp: each hot path of the runtime, as often as wanted, on one scheduler.
//
//   airssys-paths hop 20000
//
// `tools/bench --paths` counts the instructions of two such runs and divides the difference by that
// of their rounds: what starting and ending costs cancels out. Instructions do not wobble as times
// do, so a path that got longer is seen on any machine.
#include <airssys/rt.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace rt = airssys::rt;

namespace {

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

class Echo : public rt::Behaviour {
 public:
  void message(rt::Message& message) override { answer(message.take<Ping>()); }
};

void ask(rt::Pid echo, std::int64_t rounds) {
  for (std::int64_t number = 0; number < rounds; ++number) {
    rt::send(echo, Ping{rt::self(), number});
    if (rt::receive<Pong>().number != number) std::abort();
  }
}

// A message there and one back; who asks is a body, who answers a behaviour or a body.
void ask_behaviour(std::int64_t rounds) {
  ask(rt::spawn_behaviour(std::make_unique<Echo>()), rounds);
}
void ask_body(std::int64_t rounds) {
  ask(rt::spawn([] {
        for (;;) answer(rt::receive<Ping>());
      }),
      rounds);
}

struct Token {
  std::int64_t hops_left;
};
struct Next {
  rt::Pid pid;
};
struct Arrived {};

// A message from one behaviour to the next.
class Link : public rt::Behaviour {
 public:
  explicit Link(rt::Pid main) : main_(main) {}
  void message(rt::Message& message) override {
    if (const Token* token = message.get_if<Token>()) {
      if (token->hops_left == 0) return rt::send(main_, Arrived{});
      return rt::send(next_, Token{token->hops_left - 1});
    }
    next_ = message.take<Next>().pid;
  }

 private:
  rt::Pid main_;
  rt::Pid next_;
};

void hop(std::int64_t rounds) {
  constexpr int links = 100;
  const rt::Pid first = rt::spawn_behaviour(std::make_unique<Link>(rt::self()));
  rt::Pid last = first;
  for (int i = 1; i < links; ++i) {
    const rt::Pid next =
        std::exchange(last, rt::spawn_behaviour(std::make_unique<Link>(rt::self())));
    rt::send(last, Next{next});
  }
  rt::send(first, Next{last});
  rt::send(last, Token{rounds});
  rt::receive<Arrived>();
}

struct Item {
  std::int64_t number;
};

class Counter : public rt::Behaviour {
 public:
  Counter(rt::Pid main, std::int64_t items) : main_(main), left_(items) {}
  void message(rt::Message& message) override {
    static_cast<void>(message.take<Item>());
    if (--left_ == 0) rt::send(main_, Arrived{});
  }

 private:
  rt::Pid main_;
  std::int64_t left_;
};

// Messages that lie in a mailbox before their receiver comes to them.
void pile(std::int64_t rounds) {
  constexpr std::int64_t at_once = 100;
  const rt::Pid counter = rt::spawn_behaviour(std::make_unique<Counter>(rt::self(), rounds));
  for (std::int64_t sent = 0; sent < rounds;) {
    for (std::int64_t i = 0; i < at_once && sent < rounds; ++i) rt::send(counter, Item{sent++});
    rt::yield();
  }
  rt::receive<Arrived>();
}

struct EchoServer : rt::Server<EchoServer> {
  struct Request {
    using Reply = std::int64_t;
    std::int64_t number;
  };
  std::int64_t handle(Request request) { return request.number; }
};

// A call of a server, with its default time-out.
void call(std::int64_t rounds) {
  const auto server = rt::start_link<EchoServer>();
  for (std::int64_t number = 0; number < rounds; ++number)
    if (rt::call(server, EchoServer::Request{number}) != number) std::abort();
}

// A process that ends at once, and the news of its end.
void spawn(std::int64_t rounds) {
  constexpr std::int64_t at_once = 100;
  for (std::int64_t spawned = 0; spawned < rounds; spawned += at_once) {
    for (std::int64_t i = 0; i < at_once; ++i) rt::spawn_monitor([] {});
    for (std::int64_t i = 0; i < at_once; ++i) rt::receive<rt::Down>();
  }
}

// A timer that is armed and cancelled.
void timer(std::int64_t rounds) {
  for (std::int64_t number = 0; number < rounds; ++number) {
    const rt::TimerRef timer = rt::send_after(std::chrono::seconds(3), rt::self(), Item{number});
    if (!rt::cancel_timer(timer)) std::abort();
  }
}

// A message that a selective receive looks at and leaves.
void pass_over(std::int64_t rounds) {
  constexpr std::int64_t noise = 1000;
  for (std::int64_t i = 0; i < noise; ++i) rt::send(rt::self(), Item{i});
  for (std::int64_t passed = 0; passed < rounds; passed += noise) {
    rt::send(rt::self(), Arrived{});
    rt::receive<Arrived>();
  }
}

// Giving way to one other process, which gives way as often. Neither goes on after that: a process
// that always yields would be counted for as long as the end takes to reach it.
void yield(std::int64_t rounds) {
  const auto take_turns = [rounds] {
    for (std::int64_t i = 0; i < rounds; i += 2) rt::yield();
  };
  rt::spawn_monitor(take_turns);
  take_turns();
  rt::receive<rt::Down>();
}

struct Path {
  std::string_view name;
  void (*run)(std::int64_t rounds);
};

constexpr Path paths[] = {
    {"ask_behaviour", ask_behaviour},
    {"ask_body", ask_body},
    {"hop", hop},
    {"pile", pile},
    {"call", call},
    {"spawn", spawn},
    {"timer", timer},
    {"pass_over", pass_over},
    {"yield", yield},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    const std::int64_t rounds = std::atoll(argv[2]);
    for (const Path& path : paths) {
      if (path.name == argv[1]) return rt::run({.schedulers = 1}, [&] { path.run(rounds); });
    }
  }
  std::fputs("usage: airssys-paths PATH ROUNDS; the paths:", stderr);
  for (const Path& path : paths) std::fprintf(stderr, " %s", path.name.data());
  std::fputs("\n", stderr);
  return 2;
}
