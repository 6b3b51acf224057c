// big.cpp: S6: workers ping workers at random, many to many, without locality.
#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace big {
namespace {

using Everybody = std::shared_ptr<const std::vector<rt::Pid>>;
struct Ping {
  std::int64_t from;
};
struct Pong {
  std::int64_t from;
};
struct Exit {};
struct Pinged {
  std::int64_t times;
};
constexpr std::int64_t nobody = -1;

class Worker : public rt::Behaviour {
 public:
  Worker(std::int64_t number, std::int64_t pings, rt::Pid sink, rt::Pid main)
      : random_(static_cast<std::uint64_t>(number)),
        number_(number),
        left_(pings),
        sink_(sink),
        main_(main) {}

  void start() override { everybody_ = rt::receive<Everybody>(); }

  void message(rt::Message& message) override {
    if (const Ping* ping = message.get_if<Ping>()) {
      ++pinged_;
      rt::send((*everybody_)[static_cast<std::size_t>(ping->from)], Pong{number_});
    } else if (const Pong* pong = message.get_if<Pong>()) {
      check(pong->from == asked_, "an answer comes from who was asked");
      ask_somebody();
    } else {
      rt::send(main_, Pinged{pinged_});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void ask_somebody() {
    if (left_-- == 0) return rt::send(sink_, Exit{});
    asked_ = random_.mod(static_cast<std::int64_t>(everybody_->size()));
    rt::send((*everybody_)[static_cast<std::size_t>(asked_)], Ping{number_});
  }

  R16 random_;
  Everybody everybody_;
  std::int64_t number_;
  std::int64_t left_;
  std::int64_t asked_ = nobody;
  std::int64_t pinged_ = 0;
  rt::Pid sink_;
  rt::Pid main_;
};

void sink() {
  const auto everybody = rt::receive<Everybody>();
  for (std::size_t i = 0; i < everybody->size(); ++i) rt::receive<Exit>();
  for (const rt::Pid worker : *everybody) rt::send(worker, Exit{});
}

class Big : public Program {
 public:
  Big(std::int64_t workers, std::int64_t pings) : workers_(workers), pings_(pings) {}

  void run() override {
    const rt::Pid sink_pid = rt::spawn(sink);
    std::vector<rt::Pid> pids;
    for (std::int64_t i = 0; i < workers_; ++i)
      pids.push_back(
          rt::spawn_behaviour(std::make_unique<Worker>(i, pings_, sink_pid, rt::self())));
    const auto everybody = std::make_shared<const std::vector<rt::Pid>>(std::move(pids));
    for (const rt::Pid worker : *everybody) rt::send(worker, Everybody(everybody));
    rt::send(sink_pid, Everybody(everybody));
    for (const rt::Pid worker : *everybody) rt::send(worker, Pong{nobody});
    for (std::int64_t i = 0; i < workers_; ++i) pinged_ += rt::receive<Pinged>().times;
  }

  Outcome outcome() override {
    check(pinged_ == workers_ * pings_, "each ping has arrived");
    return {.parameters = {{"W", as_double(workers_)}, {"N", as_double(pings_)}},
            .messages = 2 * workers_ * pings_ + 4 * workers_ + 1,
            .processes = workers_ + 1};
  }

 private:
  const std::int64_t workers_;
  const std::int64_t pings_;
  std::int64_t pinged_ = 0;
};

}  // namespace
}  // namespace big

std::unique_ptr<Program> make_big(const Setting& setting) {
  return std::make_unique<big::Big>(120, setting.pick(20'000, 100'000));
}
std::unique_ptr<Program> make_big_wide(const Setting& setting) {
  return std::make_unique<big::Big>(2'000, setting.pick(1'200, 6'000));
}

}  // namespace savina
