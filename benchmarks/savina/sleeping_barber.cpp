// sleeping_barber.cpp: S10: a sender that never rests beside a slow server.
#include <deque>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace sleeping_barber {
namespace {

constexpr std::int64_t haircuts = 5'000;
constexpr std::size_t seats = 1'000;

struct Enter {
  rt::Pid customer;
};
struct Full {};
struct Wait {};
struct Next {};
struct Start {};
struct Done {};
struct Exit {};
struct Returned {
  rt::Pid customer;
};
struct Served {
  std::int64_t customers;
};
struct Attempts {
  std::int64_t count;
};

class Barber : public rt::Behaviour {
 public:
  Barber(rt::Pid room, rt::Pid main) : room_(room), main_(main) {}

  void message(rt::Message& message) override {
    if (const Enter* enter = message.get_if<Enter>()) {
      rt::send(enter->customer, Start{});
      burn(random_, random_.mod(1000) + 10);
      ++served_;
      rt::send(enter->customer, Done{});
      rt::send(room_, Next{});
    } else if (message.is<Exit>()) {
      rt::send(main_, Served{served_});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid room_;
  rt::Pid main_;
  R16 random_;
  std::int64_t served_ = 0;
};

class WaitingRoom : public rt::Behaviour {
 public:
  explicit WaitingRoom(rt::Pid main) : main_(main) {}

  void start() override {
    barber_ = rt::spawn_behaviour(std::make_unique<Barber>(rt::self(), main_));
  }

  void message(rt::Message& message) override {
    if (const Enter* enter = message.get_if<Enter>()) {
      let_in(enter->customer);
    } else if (message.is<Next>()) {
      send_next();
    } else {
      rt::send(barber_, Exit{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void let_in(rt::Pid customer) {
    if (sitting_.size() == seats) return rt::send(customer, Full{});
    sitting_.push_back(customer);
    if (std::exchange(barber_sleeps_, false)) {
      rt::send(rt::self(), Next{});
    } else {
      rt::send(customer, Wait{});
    }
  }

  void send_next() {
    if (sitting_.empty()) {
      barber_sleeps_ = true;
      return rt::send(barber_, Wait{});
    }
    rt::send(barber_, Enter{sitting_.front()});
    sitting_.pop_front();
  }

  rt::Pid main_;
  rt::Pid barber_;
  bool barber_sleeps_ = true;
  std::deque<rt::Pid> sitting_;
};

class Customer : public rt::Behaviour {
 public:
  explicit Customer(rt::Pid factory) : factory_(factory) {}

  void message(rt::Message& message) override {
    if (message.is<Full>()) {
      rt::send(factory_, Returned{rt::self()});
    } else if (message.is<Start>()) {
      check(!std::exchange(has_started_, true), "a customer is begun with once");
    } else if (message.is<Done>()) {
      check(has_started_, "a customer is begun with before he is done with");
      rt::send(factory_, Done{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid factory_;
  bool has_started_ = false;
};

// The factory's body.
std::int64_t make_customers(rt::Pid room) {
  R16 random;
  std::int64_t attempts = 0;
  const auto send_in = [&](rt::Pid customer) {
    ++attempts;
    rt::send(room, Enter{customer});
  };
  for (std::int64_t i = 0; i < haircuts; ++i) {
    send_in(rt::spawn_behaviour(std::make_unique<Customer>(rt::self())));
    burn(random, random.mod(1000) + 10);
  }
  for (std::int64_t done = 0; done < haircuts;) {
    rt::receive([&](Returned returned) { send_in(returned.customer); }, [&](Done) { ++done; });
  }
  rt::send(room, Exit{});
  return attempts;
}

class SleepingBarber : public Program {
 public:
  void run() override {
    const rt::Pid room = rt::spawn_behaviour(std::make_unique<WaitingRoom>(rt::self()));
    rt::spawn([room, main = rt::self()] { rt::send(main, Attempts{make_customers(room)}); });
    attempts_ = rt::receive<Attempts>().count;
    served_ = rt::receive<Served>().customers;
  }

  Outcome outcome() override {
    check(served_ == haircuts, "each customer was served");
    check(attempts_ >= haircuts, "each has come in at least once");
    const std::int64_t returns = attempts_ - haircuts;
    return {.parameters = {{"haircuts", haircuts}, {"seats", static_cast<double>(seats)}},
            // Enter twice, Wait or Next, Start, Done twice, Next; three for each that came in vain.
            .messages = 7 * haircuts + 3 * returns,
            .processes = haircuts + 3,
            .reported = {{"attempts", as_double(attempts_)}}};
  }

 private:
  std::int64_t attempts_ = 0;
  std::int64_t served_ = 0;
};

}  // namespace
}  // namespace sleeping_barber

std::unique_ptr<Program> make_sleeping_barber(const Setting& /*setting*/) {
  return std::make_unique<sleeping_barber::SleepingBarber>();
}

}  // namespace savina
