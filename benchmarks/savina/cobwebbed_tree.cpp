// cobwebbed_tree.cpp: S14: an unbalanced tree of 200,000 live processes under one hot root.
//
// In the complete form every node asks once, then the tree is traversed, then ended. In the other
// form the root stops at its limit, with most requests still under way.
#include <atomic>
#include <cmath>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace cobwebbed_tree {
namespace {

constexpr std::int64_t fan_out = 10;
constexpr std::int64_t urgent_percent = 50;
constexpr std::int64_t no_child = -1;

struct Try {};
struct Request {
  rt::Pid from;
  std::int64_t height;
};
// Generate, or with an urgent child UrgentGenerate.
struct Generate {
  std::int64_t first_id;
  std::int64_t computation;
  std::int64_t urgent = no_child;
};
struct Granted {
  std::int64_t child;
};
struct Traverse {};
struct Traversed {};
struct Terminate {};

// Beside the messages, for nothing but the checks.
struct Tally {
  std::atomic<std::int64_t> grants{0};
  std::atomic<std::int64_t> traversed{0};
};
void count(std::atomic<std::int64_t>& tally) {
  tally.fetch_add(1, std::memory_order_relaxed);
}

class Node;
std::vector<rt::Pid> spawn_children(
    rt::Pid root, std::int64_t first_id, std::int64_t height, std::int64_t urgent, Tally& tally);

class Node : public rt::Behaviour {
 public:
  struct Place {
    rt::Pid root;
    rt::Pid parent;
    std::int64_t id;
    std::int64_t height;
    bool is_urgent;
  };
  Node(const Place& place, Tally& tally)
      : place_(place), tally_(tally), random_(static_cast<std::uint64_t>(place.id)) {}

  void message(rt::Message& message) override {
    if (message.is<Try>()) {
      burn(random_, 100);
      rt::send(place_.root, Request{rt::self(), place_.height});
    } else if (const Generate* generate = message.get_if<Generate>()) {
      grow(*generate);
    } else if (const Granted* granted = message.get_if<Granted>()) {
      granted_ |= 1U << granted->child;
    } else if (message.is<Traverse>()) {
      burn(random_, computation_);
      for (const rt::Pid child : children_) rt::send(child, Traverse{});
      rt::send(place_.root, Traversed{});
      count(tally_.traversed);
    } else {
      for (const rt::Pid child : children_) rt::send(child, Terminate{});
      rt::exit(rt::ExitReason::normal());
    }
  }

 private:
  void grow(const Generate& generate) {
    count(tally_.grants);
    computation_ = generate.computation;
    rt::send(place_.parent, Granted{place_.id % fan_out});
    children_ =
        spawn_children(place_.root, generate.first_id, place_.height + 1, generate.urgent, tally_);
  }

  Place place_;
  Tally& tally_;
  R16 random_;
  std::int64_t computation_ = 0;
  std::uint32_t granted_ = 0;
  std::vector<rt::Pid> children_;
};

std::vector<rt::Pid> spawn_children(
    rt::Pid root, std::int64_t first_id, std::int64_t height, std::int64_t urgent, Tally& tally) {
  std::vector<rt::Pid> children;
  children.reserve(fan_out);
  for (std::int64_t i = 0; i < fan_out; ++i) {
    children.push_back(rt::spawn_behaviour(std::make_unique<Node>(
        Node::Place{root, rt::self(), first_id + i, height, i == urgent}, tally)));
    rt::send(children.back(), Try{});
  }
  return children;
}

// Normal, with mean 500 and deviation 100, never below one.
class Computation {
 public:
  std::int64_t draw() {
    for (;;) {
      const double radius = std::sqrt(-2 * std::log(1 - random_.unit()));
      const double value =
          500 + 100 * radius * std::cos(2 * 3.14159265358979323846 * random_.unit());
      if (const std::int64_t rounded = std::llround(value); rounded > 0) return rounded;
    }
  }

 private:
  J48 random_{7};
};

struct Grown {
  std::int64_t size = 1;
  std::int64_t height = 1;
  std::int64_t requests = 0;
  std::int64_t limit_met_at = 0;
  std::int64_t urgent = 0;
};

class Root {
 public:
  Root(std::int64_t limit, Tally& tally) : limit_(limit) {
    children_ = spawn_children(rt::self(), grown_.size, 2, no_child, tally);
    grown_.size += fan_out;
    grown_.height = 2;
  }

  Grown grow_to_the_end() {
    while (grown_.requests < grown_.size - 1) answer(rt::receive<Request>());
    tell_children<Traverse>();
    for (std::int64_t i = 1; i < grown_.size; ++i) rt::receive<Traversed>();
    tell_children<Terminate>();
    return grown_;
  }

  Grown grow_and_stop() {
    while (grown_.limit_met_at == 0) answer(rt::receive<Request>());
    tell_children<Traverse>();
    tell_children<Terminate>();
    return grown_;
  }

 private:
  bool at_limit() const { return grown_.size + fan_out > limit_; }

  void answer(const Request& request) {
    ++grown_.requests;
    if (at_limit()) {
      if (grown_.limit_met_at == 0) grown_.limit_met_at = grown_.requests;
      return;
    }
    if (!random_.flip()) {
      grown_.height = std::max(grown_.height, request.height);
      return;
    }
    Generate generate{grown_.size, 0};
    if (random_.mod(100) <= urgent_percent) {
      generate.urgent = random_.mod(fan_out);
      ++grown_.urgent;
    }
    generate.computation = computation_.draw();
    rt::send(request.from, generate);
    grown_.size += fan_out;
    grown_.height = std::max(grown_.height, request.height + 1);
  }

  template <class Message>
  void tell_children() const {
    for (const rt::Pid child : children_) rt::send(child, Message{});
  }

  const std::int64_t limit_;
  std::vector<rt::Pid> children_;
  Grown grown_;
  J48 random_{2};
  Computation computation_;
};

class CobwebbedTree : public Program {
 public:
  CobwebbedTree(const Setting& setting, bool is_complete)
      : is_complete_(is_complete), limit_(setting.pick(200'000, 1'000'000)) {}

  void run() override {
    rt::spawn([this, main = rt::self()] {
      Root root(limit_, tally_);
      rt::send(main, is_complete_ ? root.grow_to_the_end() : root.grow_and_stop());
    });
    grown_ = rt::receive<Grown>();
  }

  Outcome outcome() override {
    const bool is_suite = limit_ == 200'000;
    const std::int64_t grants = tally_.grants.load(std::memory_order_relaxed);
    check(grown_.size == (is_suite ? 199'991 : 999'991), "grown to the limit");
    check(grown_.limit_met_at == (is_suite ? 40'160 : 199'884), "after as many requests");
    check(grown_.urgent == (is_suite ? 10'173 : 51'122), "as many of them urgent");
    if (is_complete_) {
      check(grants == (is_suite ? 19'998 : 99'998), "each grant has arrived");
      check(tally_.traversed.load(std::memory_order_relaxed) == grown_.size - 1,
            "each node was traversed once");
    }
    const std::int64_t nodes = fan_out * (1 + grants);
    return {.parameters = {{"nodes", as_double(limit_)}},
            // Try, Request, Traverse, Traversed and Terminate to or from each; two for a grant.
            .messages = 5 * nodes + 2 * grants,
            .processes = nodes + 1,
            .reported = {{"height", as_double(grown_.height)}}};
  }

 private:
  const bool is_complete_;
  const std::int64_t limit_;
  Tally tally_;
  Grown grown_;
};

}  // namespace
}  // namespace cobwebbed_tree

std::unique_ptr<Program> make_cobwebbed_tree(const Setting& setting) {
  return std::make_unique<cobwebbed_tree::CobwebbedTree>(setting, true);
}
std::unique_ptr<Program> make_cobwebbed_tree_cut(const Setting& setting) {
  return std::make_unique<cobwebbed_tree::CobwebbedTree>(setting, false);
}

}  // namespace savina
