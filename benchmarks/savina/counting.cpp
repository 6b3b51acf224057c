// counting.cpp: S2: one producer, one counter, and a mailbox that grows, or is bounded.
#include "programs.hpp"

namespace savina {

namespace counting {
namespace {

struct Kick {};
struct Increment {};
struct Retrieve {
  rt::Pid from;
};
struct Result {
  std::int64_t count;
};

class Counter : public rt::Behaviour {
 public:
  void message(rt::Message& message) override {
    if (const Retrieve* retrieve = message.get_if<Retrieve>()) {
      rt::send(retrieve->from, Result{count_});
      rt::exit(rt::ExitReason::normal());
    }
    ++count_;
  }

 private:
  std::int64_t count_ = 0;
};

void produce(rt::Pid counter, std::int64_t count, rt::Pid main) {
  rt::receive<Kick>();
  for (std::int64_t i = 0; i < count; ++i) rt::send(counter, Increment{});
  rt::send(counter, Retrieve{rt::self()});
  rt::send(main, rt::receive<Result>());
}

class Counting : public Program {
 public:
  Counting(const Setting& setting, std::size_t bound)
      : count_(setting.pick(1'000'000, 10'000'000)), bound_(bound) {}

  void run() override {
    const rt::Pid counter =
        rt::spawn_behaviour(std::make_unique<Counter>(), {.mailbox = {.capacity = bound_}});
    const rt::Pid producer =
        rt::spawn([counter, count = count_, main = rt::self()] { produce(counter, count, main); });
    rt::send(producer, Kick{});
    counted_ = rt::receive<Result>().count;
  }

  Outcome outcome() override {
    check(counted_ == count_, "each increment was counted once");
    return {.parameters = {{"N", as_double(count_)}, {"bound", static_cast<double>(bound_)}},
            .messages = count_ + 3,
            .processes = 2};
  }

 private:
  const std::int64_t count_;
  const std::size_t bound_;
  std::int64_t counted_ = 0;
};

}  // namespace
}  // namespace counting

std::unique_ptr<Program> make_counting(const Setting& setting) {
  return std::make_unique<counting::Counting>(setting, 0);
}
std::unique_ptr<Program> make_counting_bounded(const Setting& setting) {
  return std::make_unique<counting::Counting>(setting, 1024);
}

}  // namespace savina
