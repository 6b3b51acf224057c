// bounded_buffer.cpp: S9: producers and consumers that compute, and a manager that must not wait.
//
// In the second form there is no manager but a store, whose mailbox of fifty makes producers wait.
#include <cmath>
#include <deque>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace bounded_buffer {
namespace {

constexpr int producers = 40;
constexpr int consumers = 40;
constexpr std::size_t buffer_size = 50;
constexpr int cost = 25;

struct Produce {};
struct ProducerExit {
  double last_item;
};
struct Data {
  double item;
  rt::Pid from;
  std::int64_t sent_ns;
};
struct Item {
  double value;
};
struct Available {
  rt::Pid from;
};
struct Exit {};
struct Consumed {
  double sum;
};

double work(double x, int how_much) {
  R16 random(static_cast<std::uint64_t>(how_much));
  for (int i = 0; i < 100 * how_much; ++i) x += std::log(random.unit() + 0.01);
  return x;
}

// What came out of it, in both forms.
struct Trade {
  std::int64_t consumed = 0;
  double sum = 0;
  double least_last_item = 0;
  double most_last_item = -1e300;
  std::size_t most_queued = 0;
  Reaction reaction = {};

  void note_last_item(double item) {
    least_last_item = std::min(least_last_item, item);
    most_last_item = std::max(most_last_item, item);
  }
};

class Producer : public rt::Behaviour {
 public:
  Producer(rt::Pid manager, std::int64_t items) : manager_(manager), left_(items) {}

  void message(rt::Message&) override {
    if (left_-- == 0) {
      rt::send(manager_, ProducerExit{item_});
      rt::exit(rt::ExitReason::normal());
    }
    item_ = work(item_, cost);
    rt::send(manager_, Data{item_, rt::self(), now_ns()});
  }

 private:
  rt::Pid manager_;
  std::int64_t left_;
  double item_ = 0;
};

class Consumer : public rt::Behaviour {
 public:
  Consumer(rt::Pid manager, rt::Pid main) : manager_(manager), main_(main) {}

  void message(rt::Message& message) override {
    if (const Item* item = message.get_if<Item>()) {
      sum_ += item->value;
      kept_ = work(kept_ + item->value, cost);
      rt::send(manager_, Available{rt::self()});
    } else {
      rt::send(main_, Consumed{sum_});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  rt::Pid manager_;
  rt::Pid main_;
  double sum_ = 0;
  double kept_ = 0;
};

class Manager {
 public:
  explicit Manager(rt::Pid main) {
    for (int i = 0; i < consumers; ++i)
      available_.push_back(rt::spawn_behaviour(std::make_unique<Consumer>(rt::self(), main)));
    everybody_ = available_;
  }

  Trade trade(std::int64_t items) {
    for (int i = 0; i < producers; ++i)
      rt::send(rt::spawn_behaviour(std::make_unique<Producer>(rt::self(), items)), Produce{});
    while (gone_ < producers || available_.size() < consumers) {
      rt::receive([&](Data data) { take(data); },
                  [&](Available available) { feed(available.from); },
                  [&](ProducerExit exit) {
                    ++gone_;
                    trade_.note_last_item(exit.last_item);
                  });
    }
    for (const rt::Pid consumer : everybody_) rt::send(consumer, Exit{});
    return trade_;
  }

 private:
  void take(const Data& data) {
    trade_.reaction.saw(data.sent_ns);
    ++trade_.consumed;
    if (available_.empty()) {
      queue_.push_back(data.item);
      trade_.most_queued = std::max(trade_.most_queued, queue_.size());
    } else {
      rt::send(available_.front(), Item{data.item});
      available_.pop_front();
    }
    if (queue_.size() >= buffer_size - producers) {
      parked_.push_back(data.from);
    } else {
      rt::send(data.from, Produce{});
    }
  }

  void feed(rt::Pid consumer) {
    if (queue_.empty()) return available_.push_back(consumer);
    rt::send(consumer, Item{queue_.front()});
    queue_.pop_front();
    if (parked_.empty()) return;
    rt::send(parked_.front(), Produce{});
    parked_.pop_front();
  }

  Trade trade_;
  std::deque<rt::Pid> available_;
  std::deque<rt::Pid> everybody_;
  std::deque<rt::Pid> parked_;
  std::deque<double> queue_;
  int gone_ = 0;
};

Trade trade_by_manager(std::int64_t items, rt::Pid main) {
  return Manager(main).trade(items);
}

// The second form's producer: it waits where the mailbox is full.
void produce(rt::Pid store, std::int64_t items) {
  double item = 0;
  for (std::int64_t i = 0; i < items; ++i) {
    item = work(item, cost);
    rt::send(store, Data{item, rt::self(), now_ns()});
  }
  rt::send(store, ProducerExit{item});
}

// The second form's consumer: an answer to an item asks for the next.
struct Eater : rt::Server<Eater> {
  struct Item {
    using Reply = double;
    double value;
  };
  double handle(Item item) {
    kept = work(kept + item.value, cost);
    return item.value;
  }
  double kept = 0;
};

// The second form's store. Its mailbox is the buffer; answers are never kept out of it (B1), so a
// consumer that is through is heard of however many producers wait in line.
class Store {
 public:
  Store() {
    for (int i = 0; i < consumers; ++i) free_.push_back(rt::start_link<Eater>());
  }

  Trade trade(std::int64_t items) {
    for (int i = 0; i < producers; ++i)
      rt::spawn([store = rt::self(), items] { produce(store, items); });
    for (int gone = 0; gone < producers;) {
      rt::receive([&](Data data) { pass_on(data); },
                  [&](ProducerExit exit) {
                    ++gone;
                    trade_.note_last_item(exit.last_item);
                  });
    }
    while (!busy_.empty()) await_one();
    for (const auto& eater : free_) rt::stop(eater);
    return trade_;
  }

 private:
  void pass_on(const Data& data) {
    trade_.reaction.saw(data.sent_ns);
    if (free_.empty()) await_one();
    busy_.send(free_.front(), Eater::Item{data.item}, free_.front());
    free_.pop_front();
  }

  void await_one() {
    auto arrived = busy_.wait().value();
    ++trade_.consumed;
    trade_.sum += arrived.reply.value();
    free_.push_back(arrived.label);
  }

  Trade trade_;
  std::deque<rt::ServerRef<Eater>> free_;
  rt::PendingReplies<double, rt::ServerRef<Eater>> busy_;
};

Trade trade_by_mailbox(std::int64_t items, rt::Pid /*main*/) {
  return Store().trade(items);
}

using TradeBody = Trade (*)(std::int64_t items, rt::Pid main);

class BoundedBuffer : public Program {
 public:
  BoundedBuffer(const Setting& setting, TradeBody body, std::size_t bound)
      : items_(setting.pick(1'000, 10'000)),
        is_suite_(setting.size == Size::suite),
        body_(body),
        bound_(bound) {}

  void run() override {
    rt::spawn({.mailbox = {.capacity = bound_}}, [body = body_, items = items_, main = rt::self()] {
      rt::send(main, body(items, main));
    });
    trade_ = rt::receive<Trade>();
    if (bound_ != 0) return;  // the store has the sum
    for (int i = 0; i < consumers; ++i) trade_.sum += rt::receive<Consumed>().sum;
  }

  Outcome outcome() override {
    check(trade_.consumed == producers * items_, "each item was consumed");
    check(trade_.most_queued <= buffer_size, "the buffer held no more than it may");
    if (is_suite_) {
      check(is_near(trade_.sum, -229'877'224'063.75), "the items are those of the definition");
      check(is_near(trade_.least_last_item, -11'482'378.8244) &&
                is_near(trade_.most_last_item, -11'482'378.8244),
            "each producer's last item");
    }
    return {.parameters = {{"producers", producers},
                           {"consumers", consumers},
                           {"items", as_double(items_)},
                           {"bound", static_cast<double>(bound_)}},
            .messages = 4 * producers * items_ + 2 * producers + consumers,
            .processes = producers + consumers + 1,
            .reported = {{"worst_reaction_us", trade_.reaction.worst_us()}}};
  }

 private:
  static bool is_near(double value, double wanted) {
    return std::abs(value - wanted) <= 1e-9 * std::abs(wanted);
  }

  const std::int64_t items_;
  const bool is_suite_;
  const TradeBody body_;
  const std::size_t bound_;
  Trade trade_;
};

}  // namespace
}  // namespace bounded_buffer

std::unique_ptr<Program> make_bounded_buffer(const Setting& setting) {
  return std::make_unique<bounded_buffer::BoundedBuffer>(
      setting, &bounded_buffer::trade_by_manager, 0);
}
std::unique_ptr<Program> make_bounded_mailbox(const Setting& setting) {
  return std::make_unique<bounded_buffer::BoundedBuffer>(
      setting, &bounded_buffer::trade_by_mailbox, bounded_buffer::buffer_size);
}

}  // namespace savina
