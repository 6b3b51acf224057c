// big.cpp: a thousand processes; in each round each sends a message to each other one.
//
// The messages of two rounds may meet in one mailbox, so a process counts how many it is owed.
#include <airssys/rt.hpp>
#include <memory>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int processes = 1000;
constexpr int rounds = 4;

using Everybody = std::shared_ptr<const std::vector<rt::Pid>>;
struct Go {};
struct Hello {
  rt::Pid from;
};
struct Finished {};

class Chatter : public rt::Behaviour {
 public:
  explicit Chatter(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    if (message.is<Hello>()) {
      --owed_;
    } else if (message.is<Go>()) {
      greet_all();
    } else {
      everybody_ = message.take<Everybody>();
      return;
    }
    if (has_greeted_ && owed_ == 0) {
      has_greeted_ = false;
      owed_ = processes - 1;
      rt::send(main_, Finished{});
    }
  }

 private:
  void greet_all() {
    const rt::Pid me = rt::self();
    for (const rt::Pid other : *everybody_) {
      if (other != me) rt::send(other, Hello{me});
    }
    has_greeted_ = true;
  }

  rt::Pid main_;
  Everybody everybody_;
  bool has_greeted_ = false;
  int owed_ = processes - 1;
};

void play_round(const Everybody& everybody) {
  for (const rt::Pid chatter : *everybody) rt::send(chatter, Go{});
  for (int i = 0; i < processes; ++i) rt::receive<Finished>();
}

}  // namespace

void big() {
  std::vector<rt::Pid> pids;
  for (int i = 0; i < processes; ++i)
    pids.push_back(rt::spawn_behaviour(std::make_unique<Chatter>(rt::self())));
  const auto everybody = std::make_shared<const std::vector<rt::Pid>>(std::move(pids));
  for (const rt::Pid chatter : *everybody) rt::send(chatter, Everybody(everybody));

  play_round(everybody);  // warms up
  const Stopwatch watch;
  for (int round = 0; round < rounds; ++round) play_round(everybody);
  constexpr double messages = double{rounds} * processes * (processes - 1);
  report("big", messages / watch.seconds(), "msg/s");
}

}  // namespace bench
