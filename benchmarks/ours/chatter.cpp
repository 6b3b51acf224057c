// chatter.cpp: groups of 20 senders and 20 receivers; each sender writes to each receiver.
//
// In a round a sender writes one letter to each receiver of its group. After each hundred rounds it
// asks all of them whether they keep up, and goes on when all have answered: so no mailbox ever
// holds more than each sender's letters of that time, its question and its good-bye.
#include <airssys/rt.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::size_t senders = 20;
constexpr std::size_t receivers = 20;
constexpr std::size_t rounds_between_questions = 100;
constexpr std::size_t mail_max = senders * (rounds_between_questions + 2);

struct Letter {
  std::array<std::byte, 104> text{};
};
struct DoYouKeepUp {
  rt::Pid from;
};
struct Yes {};
struct Done {};

// What a receiver has seen when all senders are done.
struct Tally {
  std::size_t letters = 0;
  std::size_t dones = 0;
  std::size_t mail_peak = 0;  // as it stood when somebody asked
};

class Receiver : public rt::Behaviour {
 public:
  explicit Receiver(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    if (message.is<Letter>()) {
      ++tally_.letters;
    } else if (const DoYouKeepUp* question = message.get_if<DoYouKeepUp>()) {
      const auto info = rt::process_info(rt::self());
      tally_.mail_peak = std::max(tally_.mail_peak, info->message_queue_len);
      rt::send(question->from, Yes{});
    } else if (message.is<Done>() && ++tally_.dones == senders) {
      rt::send(main_, tally_);
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid main_;
  Tally tally_;
};

using Group = std::array<rt::Pid, receivers>;

void ask(const Group& group) {
  for (const rt::Pid receiver : group) rt::send(receiver, DoYouKeepUp{rt::self()});
  for (std::size_t i = 0; i < receivers; ++i) rt::receive<Yes>();
}

void chat(const Group& group, std::size_t rounds) {
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (const rt::Pid receiver : group) rt::send(receiver, Letter{});
    if (round % rounds_between_questions == 0) ask(group);
  }
  for (const rt::Pid receiver : group) rt::send(receiver, Done{});
}

void measure(const std::string& metric, std::size_t groups, std::size_t rounds) {
  const Stopwatch watch;
  std::vector<rt::Pid> all;
  for (std::size_t i = 0; i < groups; ++i) {
    Group group;
    for (rt::Pid& receiver : group)
      receiver = rt::spawn_behaviour(std::make_unique<Receiver>(rt::self()));
    for (std::size_t sender = 0; sender < senders; ++sender)
      rt::spawn([group, rounds] { chat(group, rounds); });
    all.insert(all.end(), group.begin(), group.end());
  }
  std::size_t mail_peak = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Tally tally = rt::receive<Tally>();
    check(tally.letters == senders * rounds, "each letter has come");
    check(tally.dones == senders, "each sender is done");
    mail_peak = std::max(mail_peak, tally.mail_peak);
  }
  const double seconds = watch.seconds();
  check(mail_peak <= mail_max, "nobody goes on before all keep up");
  const auto letters = static_cast<double>(all.size() * senders * rounds);
  report(metric, letters / seconds, "msg/s");
  report(metric + "_mail_peak", static_cast<double>(mail_peak), "messages");
}

}  // namespace

void chatter() {
  measure("chatter", std::size_t{2} * rt::schedulers(), 1000);
}

void chatter_tiny() {
  measure("chatter", 1, 2 * rounds_between_questions);
}

}  // namespace bench
