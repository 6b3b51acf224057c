// pingpong.cpp: S1: two processes hand one message to and fro; the first reminds itself in between.
#include "programs.hpp"

namespace savina {

namespace pingpong {
namespace {

struct Start {};
struct Continue {};
struct Stop {};
struct Ping {
  rt::Pid from;
};
struct Pong {
  rt::Pid from;
};
struct Counted {
  std::int64_t pings;
};

class Answerer : public rt::Behaviour {
 public:
  explicit Answerer(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    if (const Ping* ping = message.get_if<Ping>()) {
      ++pings_;
      rt::send(ping->from, Pong{rt::self()});
    } else {
      rt::send(main_, Counted{pings_});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid main_;
  std::int64_t pings_ = 0;
};

class Asker : public rt::Behaviour {
 public:
  Asker(rt::Pid other, std::int64_t rounds) : other_(other), left_(rounds) {}

  void message(rt::Message& message) override {
    if (!message.is<Pong>()) {
      --left_;
      rt::send(other_, Ping{rt::self()});
    } else if (left_ > 0) {
      rt::send(rt::self(), Continue{});
    } else {
      rt::send(other_, Stop{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid other_;
  std::int64_t left_;
};

class PingPong : public Program {
 public:
  explicit PingPong(const Setting& setting) : rounds_(setting.pick(40'000, 1'000'000)) {}

  void run() override {
    const rt::Pid pong = rt::spawn_behaviour(std::make_unique<Answerer>(rt::self()));
    const rt::Pid ping = rt::spawn_behaviour(std::make_unique<Asker>(pong, rounds_));
    const std::int64_t begin = now_ns();
    rt::send(ping, Start{});
    counted_ = rt::receive<Counted>().pings;
    ns_ = now_ns() - begin;
  }

  Outcome outcome() override {
    check(counted_ == rounds_, "the answerer has seen each ping");
    return {.parameters = {{"N", as_double(rounds_)}},
            .messages = 3 * rounds_ + 1,
            .processes = 2,
            .reported = {{"ns_per_round", as_double(ns_) / as_double(rounds_)}}};
  }

 private:
  const std::int64_t rounds_;
  std::int64_t counted_ = 0;
  std::int64_t ns_ = 0;
};

}  // namespace
}  // namespace pingpong

std::unique_ptr<Program> make_pingpong(const Setting& setting) {
  return std::make_unique<pingpong::PingPong>(setting);
}

}  // namespace savina
