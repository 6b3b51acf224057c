// fanin.cpp: eight senders, a million messages each, one receiver that counts them and their order.
#include <airssys/rt.hpp>
#include <array>
#include <cstdint>
#include <memory>

#include "bench.hpp"
#include "workloads.hpp"

namespace rt = airssys::rt;

namespace bench {

namespace {

constexpr std::int64_t senders = 8;
constexpr std::int64_t messages = 1'000'000;

struct Item {
  std::int64_t sender;
  std::int64_t number;
};
struct AllSeen {};

class Counter : public rt::Behaviour {
 public:
  explicit Counter(rt::Pid main) : main_(main) {}
  void message(rt::Message& message) override {
    const auto item = message.take<Item>();
    check(item.number == next_[static_cast<std::size_t>(item.sender)]++, "one sender's order");
    if (++seen_ == senders * messages) rt::send(main_, AllSeen{});
  }

 private:
  rt::Pid main_;
  std::array<std::int64_t, senders> next_{};
  std::int64_t seen_ = 0;
};

}  // namespace

void fanin() {
  const Stopwatch watch;
  const rt::Pid counter = rt::spawn_behaviour(std::make_unique<Counter>(rt::self()));
  for (std::int64_t sender = 0; sender < senders; ++sender) {
    rt::spawn([counter, sender] {
      for (std::int64_t number = 0; number < messages; ++number)
        rt::send(counter, Item{sender, number});
    });
  }
  rt::receive<AllSeen>();
  report("fanin", senders * messages / watch.seconds(), "msg/s");
}

}  // namespace bench
