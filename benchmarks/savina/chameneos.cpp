// chameneos.cpp: S5: a hundred creatures meet in pairs at one mall and change colour.
#include <algorithm>
#include <utility>

#include "programs.hpp"

namespace savina {

namespace chameneos {
namespace {

constexpr int creatures = 100;

enum class Colour : int { red, yellow, blue };

struct Meet {
  Colour colour;
  rt::Pid from;
};
struct Change {
  Colour colour;
};
struct Exit {};
struct Count {
  std::int64_t meetings;
};
struct Counts {
  std::int64_t sum = 0;
  std::int64_t least = INT64_MAX;
  std::int64_t most = 0;
};

// Two alike stay what they are, two that differ become the third.
Colour mix(Colour a, Colour b) {
  if (a == b) return a;
  return static_cast<Colour>(3 - static_cast<int>(a) - static_cast<int>(b));
}

class Creature : public rt::Behaviour {
 public:
  Creature(rt::Pid mall, Colour colour) : mall_(mall), colour_(colour) {}

  void start() override { visit(); }

  void message(rt::Message& message) override {
    if (const Meet* other = message.get_if<Meet>()) {
      colour_ = mix(colour_, other->colour);
      rt::send(other->from, Change{colour_});
    } else if (const Change* change = message.get_if<Change>()) {
      colour_ = change->colour;
    } else {
      rt::send(mall_, Count{meetings_});
      rt::exit(rt::ExitReason::normal());
    }
    ++meetings_;
    visit();
  }

 private:
  void visit() { rt::send(mall_, Meet{colour_, rt::self()}); }

  rt::Pid mall_;
  Colour colour_;
  std::int64_t meetings_ = 0;
};

class Mall : public rt::Behaviour {
 public:
  Mall(rt::Pid main, std::int64_t meetings) : main_(main), left_(meetings) {}

  void message(rt::Message& message) override {
    if (const Count* count = message.get_if<Count>()) {
      note(count->meetings);
    } else {
      introduce(message.take<Meet>());
    }
  }

 private:
  void introduce(const Meet& visitor) {
    if (left_ == 0) {
      rt::send(visitor.from, Exit{});
    } else if (waiting_) {
      --left_;
      rt::send(std::exchange(waiting_, {}), visitor);
    } else {
      waiting_ = visitor.from;
    }
  }

  void note(std::int64_t meetings) {
    counts_.sum += meetings;
    counts_.least = std::min(counts_.least, meetings);
    counts_.most = std::max(counts_.most, meetings);
    if (++heard_ < creatures) return;
    rt::send(main_, counts_);
    rt::exit(rt::ExitReason::normal());
  }

  rt::Pid main_;
  rt::Pid waiting_;
  std::int64_t left_;
  Counts counts_;
  int heard_ = 0;
};

class Chameneos : public Program {
 public:
  explicit Chameneos(const Setting& setting) : meetings_(setting.pick(200'000, 2'000'000)) {}

  void run() override {
    const rt::Pid mall = rt::spawn_behaviour(std::make_unique<Mall>(rt::self(), meetings_));
    for (int i = 0; i < creatures; ++i)
      rt::spawn_behaviour(std::make_unique<Creature>(mall, static_cast<Colour>(i % 3)));
    counts_ = rt::receive<Counts>();
  }

  Outcome outcome() override {
    check(counts_.sum == 2 * meetings_, "each meeting was counted by both");
    return {.parameters = {{"C", creatures}, {"M", as_double(meetings_)}},
            .messages = 4 * meetings_ + 3 * creatures,
            .processes = creatures + 1,
            .reported = {{"least_meetings", as_double(counts_.least)},
                         {"most_meetings", as_double(counts_.most)}}};
  }

 private:
  const std::int64_t meetings_;
  Counts counts_;
};

}  // namespace
}  // namespace chameneos

std::unique_ptr<Program> make_chameneos(const Setting& setting) {
  return std::make_unique<chameneos::Chameneos>(setting);
}

}  // namespace savina
