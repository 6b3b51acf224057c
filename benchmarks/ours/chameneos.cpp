// chameneos.cpp: a hundred creatures meet in pairs at a mall, a million times, and change colour.
//
// Who comes to the mall when nobody waits there, waits; the next one's visit is passed on to the
// waiting one, which tells the visitor the colour that both have now. Four messages a meeting.
#include <airssys/rt.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr int creatures = 100;
constexpr std::int64_t meetings = 1'000'000;

enum class Colour : int { blue, red, yellow };

struct Meet {
  Colour colour;
  rt::Pid from;
};
struct Change {
  Colour colour;
};
struct GoHome {};
struct Met {
  std::int64_t times;
};

// Two alike stay what they are, two that differ become the third.
Colour mix(Colour a, Colour b) {
  if (a == b) return a;
  return static_cast<Colour>(3 - static_cast<int>(a) - static_cast<int>(b));
}

class Creature : public rt::Behaviour {
 public:
  Creature(rt::Pid mall, Colour colour) : mall_(mall), colour_(colour) {}

  void start() override { go_to_mall(); }

  void message(rt::Message& message) override {
    if (const Meet* visitor = message.get_if<Meet>()) {
      colour_ = mix(colour_, visitor->colour);
      rt::send(visitor->from, Change{colour_});
    } else if (const Change* change = message.get_if<Change>()) {
      colour_ = change->colour;
    } else {
      rt::send(mall_, Met{met_});
      rt::exit(rt::ExitReason::normal());
    }
    ++met_;
    go_to_mall();
  }

 private:
  void go_to_mall() { rt::send(mall_, Meet{colour_, rt::self()}); }

  rt::Pid mall_;
  Colour colour_;
  std::int64_t met_ = 0;
};

class Mall : public rt::Behaviour {
 public:
  explicit Mall(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    if (const Met* met = message.get_if<Met>()) {
      sum_ += met->times;
      if (++gone_ == creatures) rt::send(main_, Met{sum_});
    } else {
      welcome(message.take<Meet>());
    }
  }

 private:
  void welcome(const Meet& visitor) {
    const rt::Pid waiting = std::exchange(waiting_, rt::Pid());
    if (meetings_left_ == 0) {
      rt::send(visitor.from, GoHome{});
      if (waiting) rt::send(waiting, GoHome{});
    } else if (waiting) {
      --meetings_left_;
      rt::send(waiting, visitor);
    } else {
      waiting_ = visitor.from;
    }
  }

  rt::Pid main_;
  rt::Pid waiting_;
  std::int64_t meetings_left_ = meetings;
  std::int64_t sum_ = 0;
  int gone_ = 0;
};

}  // namespace

void chameneos() {
  const Stopwatch watch;
  const rt::Pid mall = rt::spawn_behaviour(std::make_unique<Mall>(rt::self()));
  for (int i = 0; i < creatures; ++i)
    rt::spawn_behaviour(std::make_unique<Creature>(mall, static_cast<Colour>(i % 3)));
  check(rt::receive<Met>().times == 2 * meetings, "each meeting was counted by both");
  report("chameneos", watch.ms(), "ms");
}

}  // namespace bench
