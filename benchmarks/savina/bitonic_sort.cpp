// bitonic_sort.cpp: S24: a sorting network of a quarter of a million processes.
//
//   Source ─▶ Kernel ─▶ merge stages 2, 4, … N/2, a last stage N ─▶ Validator
//   stage:     steps of lengths P, P/2, … 2
//   step:      splitter(L) ─▶ N/L partitions ─▶ joiner(L) [─▶ adapter]
//   partition: splitter(1) ─▶ L/2 compare-exchanges ─▶ joiner(1) ─▶ adapter
//
// It is built from its end: each builder is told where the stream goes on and answers where it
// begins. Kernel, stages, steps and partitions are processes that only forward.
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace bitonic_sort {
namespace {

using Targets = std::vector<rt::Pid>;
enum class Direction : bool { down, up };
constexpr std::int64_t untagged = -1;

struct Value {
  std::int64_t value;
  std::int64_t order = untagged;  // the branch that it comes from
};
struct Exit {};

struct Sorted {
  bool is_ascending = true;
  std::int64_t count = 0;
  std::int64_t first = 0;
  std::int64_t last = -1;
  std::int64_t sum = 0;
  std::int64_t weighed = 0;
};

// What was built, beside the messages.
struct Tally {
  std::int64_t processes = 0;
  std::int64_t compare_exchanges = 0;
  std::int64_t partitions = 0;
  std::int64_t steps = 0;
  std::int64_t edges = 0;
};

// An element of the network: takes values, passes the end on to all its targets.
class Element : public rt::Behaviour {
 public:
  explicit Element(Targets targets) : targets_(std::move(targets)) {}

  void message(rt::Message& message) override {
    if (const Value* value = message.get_if<Value>()) return take(*value);
    if (--exits_awaited_ > 0) return;
    for (const rt::Pid target : targets_) rt::send(target, Exit{});
    rt::exit(rt::ExitReason::normal());
  }

 protected:
  Element(Targets targets, std::size_t branches)
      : targets_(std::move(targets)), exits_awaited_(branches) {}
  virtual void take(const Value& value) { pass(value); }
  void pass(const Value& value, std::size_t target = 0) { rt::send(targets_[target], value); }
  std::size_t target_count() const { return targets_.size(); }

 private:
  Targets targets_;
  std::size_t exits_awaited_ = 1;
};

class CompareExchange : public Element {
 public:
  CompareExchange(rt::Pid target, std::int64_t order, Direction direction)
      : Element({target}), order_(order), direction_(direction) {}

  void take(const Value& value) override {
    if (!first_) {
      first_ = value.value;
      return;
    }
    auto [smaller, larger] = std::minmax({*first_, value.value});
    if (direction_ == Direction::down) std::swap(smaller, larger);
    first_.reset();
    pass({smaller, order_});
    pass({larger, order_});
  }

 private:
  std::int64_t order_;
  Direction direction_;
  std::optional<std::int64_t> first_;
};

class Splitter : public Element {
 public:
  Splitter(Targets targets, std::int64_t length) : Element(std::move(targets)), length_(length) {}

  void take(const Value& value) override {
    pass(value, target_);
    if (++sent_ < length_) return;
    sent_ = 0;
    target_ = (target_ + 1) % target_count();
  }

 private:
  std::int64_t length_;
  std::int64_t sent_ = 0;
  std::size_t target_ = 0;
};

class Joiner : public Element {
 public:
  Joiner(rt::Pid target, std::int64_t length, std::size_t branches)
      : Element({target}, branches), length_(length), waiting_(branches) {}

  void take(const Value& value) override {
    waiting_[static_cast<std::size_t>(value.order)].push_back(value.value);
    while (!waiting_[branch_].empty()) {
      pass({waiting_[branch_].front()});
      waiting_[branch_].pop_front();
      if (++sent_ < length_) continue;
      sent_ = 0;
      branch_ = (branch_ + 1) % waiting_.size();
    }
  }

 private:
  std::int64_t length_;
  std::vector<std::deque<std::int64_t>> waiting_;
  std::int64_t sent_ = 0;
  std::size_t branch_ = 0;
};

class Adapter : public Element {
 public:
  Adapter(rt::Pid target, std::int64_t order) : Element({target}), order_(order) {}
  void take(const Value& value) override { pass({value.value, order_}); }

 private:
  std::int64_t order_;
};

class Validator : public rt::Behaviour {
 public:
  explicit Validator(rt::Pid main) : main_(main) {}

  void message(rt::Message& message) override {
    const Value* value = message.get_if<Value>();
    if (!value) {
      rt::send(main_, sorted_);
      rt::exit(rt::ExitReason::normal());
    }
    if (sorted_.count++ == 0) sorted_.first = value->value;
    if (value->value < sorted_.last) sorted_.is_ascending = false;
    sorted_.last = value->value;
    sorted_.sum += value->value;
    sorted_.weighed += sorted_.count * value->value;
  }

 private:
  rt::Pid main_;
  Sorted sorted_;
};

class Network {
 public:
  explicit Network(std::int64_t length) : length_(length) {}

  rt::Pid kernel(rt::Pid to) {
    rt::Pid next = stage(to, length_, true);
    for (std::int64_t p = length_ / 2; p >= 2; p /= 2) next = stage(next, p, false);
    return forwarder(next);
  }
  const Tally& tally() const { return tally_; }

 private:
  template <class T, class... Args>
  rt::Pid make(std::size_t edges, Args&&... args) {
    ++tally_.processes;
    tally_.edges += static_cast<std::int64_t>(edges);
    return rt::spawn_behaviour(std::make_unique<T>(std::forward<Args>(args)...));
  }
  rt::Pid forwarder(rt::Pid to) { return make<Element>(1, Targets{to}); }

  // A merge stage has parts that go up and parts that go down; in the last stage all go up.
  rt::Pid stage(rt::Pid to, std::int64_t p, bool is_last) {
    rt::Pid next = to;
    for (std::int64_t l = 2; l <= p; l *= 2) next = step(next, p, l, is_last);
    return forwarder(next);
  }

  rt::Pid step(rt::Pid to, std::int64_t p, std::int64_t l, bool is_last) {
    ++tally_.steps;
    const std::int64_t parts = length_ / l;
    if (!is_last) to = make<Adapter>(1, to, untagged);
    const rt::Pid joiner = make<Joiner>(1, to, l, static_cast<std::size_t>(parts));
    Targets targets;
    for (std::int64_t j = 0; j < parts; ++j) {
      const bool goes_up = is_last || j / (p / l) % 2 == 0;
      targets.push_back(part(joiner, j, l, goes_up ? Direction::up : Direction::down));
    }
    const std::size_t edges = targets.size();
    return forwarder(make<Splitter>(edges, std::move(targets), l));
  }

  rt::Pid part(rt::Pid to, std::int64_t order, std::int64_t l, Direction direction) {
    return l == 2 ? compare_exchange(to, order, direction) : partition(to, order, l, direction);
  }
  rt::Pid compare_exchange(rt::Pid to, std::int64_t order, Direction direction) {
    ++tally_.compare_exchanges;
    return make<CompareExchange>(1, to, order, direction);
  }
  rt::Pid partition(rt::Pid to, std::int64_t order, std::int64_t l, Direction direction) {
    ++tally_.partitions;
    const rt::Pid adapter = make<Adapter>(1, to, order);
    const auto half = static_cast<std::size_t>(l / 2);
    const rt::Pid joiner = make<Joiner>(1, adapter, 1, half);
    Targets targets;
    for (std::int64_t i = 0; i < l / 2; ++i)
      targets.push_back(compare_exchange(joiner, i, direction));
    return forwarder(make<Splitter>(half, std::move(targets), 1));
  }

  std::int64_t length_;
  Tally tally_;
};

class BitonicSort : public Program {
 public:
  explicit BitonicSort(std::int64_t length) : length_(length) {}

  void run() override {
    const rt::Pid validator = rt::spawn_behaviour(std::make_unique<Validator>(rt::self()));
    Network network(length_);
    const rt::Pid kernel = network.kernel(validator);
    tally_ = network.tally();
    rt::spawn([kernel, length = length_] {
      R16 random(2048);
      for (std::int64_t i = 0; i < length; ++i) rt::send(kernel, Value{random.draw()});
      rt::send(kernel, Exit{});
    });
    sorted_ = rt::receive<Sorted>();
  }

  Outcome outcome() override {
    const bool is_suite = length_ == 4'096;
    check(sorted_.is_ascending && sorted_.count == length_, "all of them, ascending");
    check(sorted_.first == (is_suite ? 78 : 168), "the first");
    check(sorted_.last == (is_suite ? 65'518 : 65'370), "the last");
    check(sorted_.sum == (is_suite ? 135'063'552 : 34'372'096), "the sum");
    check(sorted_.weighed == (is_suite ? 367'616'981'165 : 23'391'573'062), "each at its place");
    if (is_suite) {
      check(
          tally_.steps == 78 && tally_.compare_exchanges == 159'744 && tally_.partitions == 20'481,
          "the network is the definition's");
    }
    return {.parameters = {{"N", as_double(length_)}},
            .messages = (is_suite ? 657 : 458) * length_ + tally_.edges + 1,
            .processes = tally_.processes + 2};
  }

 private:
  const std::int64_t length_;
  Tally tally_;
  Sorted sorted_;
};

}  // namespace
}  // namespace bitonic_sort

std::unique_ptr<Program> make_bitonic_sort(const Setting& /*setting*/) {
  return std::make_unique<bitonic_sort::BitonicSort>(4'096);
}
std::unique_ptr<Program> make_bitonic_sort_short(const Setting& /*setting*/) {
  return std::make_unique<bitonic_sort::BitonicSort>(1'024);
}

}  // namespace savina
