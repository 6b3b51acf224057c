// guided_search.cpp: S23: A*: irregular work, results that make other work needless, an early end.
//
// The graph is shared and constant, but for each node's parent, which is set once. In the second
// form everybody takes the mail that matters most first.
#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <optional>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace guided_search {
namespace {

constexpr int edge = 30;
constexpr int nodes = edge * edge * edge;
constexpr int origin = 0;
constexpr int target = 22'344;
constexpr int nobody = -1;
constexpr std::size_t workers = 20;
constexpr int nodes_at_once = 1'024;

struct Place {
  int i, j, k;
};
constexpr Place place_of(int id) {
  return {id / 900, id / 30 % 30, id % 30};
}
constexpr int id_of(Place place) {
  return 900 * place.i + 30 * place.j + place.k;
}

bool contains(const std::vector<int>& ids, int id) {
  return std::ranges::find(ids, id) != ids.end();
}

class Graph {
 public:
  Graph() {
    constexpr std::array<Place, 6> ways{
        {{0, 0, 1}, {0, 1, 0}, {0, 1, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 0}}};
    J48 random(123456);
    for (int id = 0; id < nodes; ++id) {
      for (std::size_t way = 0; way < ways.size(); ++way) {
        const bool must = way == ways.size() - 1 && of(id).empty();
        if (must || random.flip()) connect(id, ways[way]);
      }
      parents_[static_cast<std::size_t>(id)].store(nobody, std::memory_order_relaxed);
    }
  }

  const std::vector<int>& of(int id) const { return neighbours_[static_cast<std::size_t>(id)]; }
  int parent(int id) const {
    return parents_[static_cast<std::size_t>(id)].load(std::memory_order_relaxed);
  }
  // Whether it had none and was given this one.
  bool set_parent(int id, int parent) {
    int expected = nobody;
    // relaxed: the word hands over nothing but itself.
    return parents_[static_cast<std::size_t>(id)].compare_exchange_strong(
        expected, parent, std::memory_order_relaxed);
  }

 private:
  void connect(int id, Place way) {
    const Place from = place_of(id);
    const int to = id_of({std::min(edge - 1, from.i + way.i),
                          std::min(edge - 1, from.j + way.j),
                          std::min(edge - 1, from.k + way.k)});
    std::vector<int>& neighbours = neighbours_[static_cast<std::size_t>(id)];
    if (to != id && !contains(neighbours, to)) neighbours.push_back(to);
  }

  std::vector<std::vector<int>> neighbours_ = std::vector<std::vector<int>>(nodes);
  std::vector<std::atomic<int>> parents_ = std::vector<std::atomic<int>>(nodes);
};

struct Work {
  int node;
};
struct Received {};
struct Found {};
struct Stop {};

constexpr int nearest = 27;
constexpr int farthest = 30;
int priority(const Work& work) {
  const Place at = place_of(work.node);
  return farthest - std::max({edge - at.i, edge - at.j, edge - at.k}) / 8;
}

enum class Order : bool { of_arrival, of_priority };

// The next message: in the second form a Stop first, then the Works that lead farthest.
rt::Message take_next(Order order) {
  if (order == Order::of_priority) {
    const auto take = [](auto matches) {
      return rt::receive(rt::when(matches, [](rt::Message message) { return message; }),
                         rt::after(std::chrono::seconds(0), [] { return rt::Message(); }));
    };
    if (auto stop = take([](rt::Message& message) { return message.is<Stop>(); })) return stop;
    for (int wanted = nearest; wanted <= farthest; ++wanted) {
      auto found = take([&](rt::Message& message) {
        const Work* work = message.get_if<Work>();
        return work && priority(*work) == wanted;
      });
      if (found) return found;
    }
  }
  return rt::receive([](rt::Message message) { return message; });
}

void search_from(int node, Graph& graph, R16& random, rt::Pid master) {
  std::deque<int> queue{node};
  for (int taken = 0; taken < nodes_at_once && !queue.empty(); ++taken) {
    const int at = queue.front();
    queue.pop_front();
    burn(random, 100);
    for (const int neighbour : graph.of(at)) {
      if (!graph.set_parent(neighbour, at)) continue;
      if (neighbour == target) return rt::send(master, Found{});
      queue.push_back(neighbour);
    }
  }
  for (const int left : queue) rt::send(master, Work{left});
}

void work(Graph& graph, rt::Pid master, Order order) {
  R16 random;
  for (;;) {
    rt::Message message = take_next(order);
    if (message.is<Stop>()) return rt::send(master, Stop{});
    search_from(message.take<Work>().node, graph, random, master);
    rt::send(master, Received{});
  }
}

struct Tally {
  std::int64_t works = 0;
};

// The master's body.
Tally search(Graph& graph, Order order) {
  std::array<rt::Pid, workers> pids;
  for (rt::Pid& pid : pids)
    pid = rt::spawn([&graph, master = rt::self(), order] { work(graph, master, order); });
  Tally tally;
  const auto pass_on = [&](const Work& work) {
    rt::send(pids[static_cast<std::size_t>(tally.works++) % workers], work);
  };
  pass_on(Work{origin});
  for (std::int64_t received = 0; received < tally.works;) {
    rt::Message message = take_next(order);
    if (message.is<Found>()) break;
    if (const Work* work = message.get_if<Work>()) {
      pass_on(*work);
    } else {
      ++received;
    }
  }
  for (const rt::Pid pid : pids) rt::send(pid, Stop{});
  for (std::size_t i = 0; i < workers; ++i) rt::receive<Stop>();
  return tally;
}

class GuidedSearch : public Program {
 public:
  explicit GuidedSearch(Order order) : order_(order) {}

  void run() override {
    rt::spawn([this, main = rt::self()] { rt::send(main, search(graph_, order_)); });
    tally_ = rt::receive<Tally>();
  }

  Outcome outcome() override {
    check_graph();
    check_way();
    std::int64_t reached = 1;
    for (int id = 0; id < nodes; ++id) reached += graph_.parent(id) == nobody ? 0 : 1;
    check(reached <= 20'515, "no more was reached than can be");
    return {.parameters = {{"edge", edge}, {"W", static_cast<double>(workers)}},
            .messages = 3 * tally_.works - 1 + 2 * static_cast<std::int64_t>(workers),
            .processes = static_cast<std::int64_t>(workers) + 1,
            .reported = {{"nodes_reached", as_double(reached)}}};
  }

 private:
  void check_graph() const {
    std::int64_t edges = 0;
    std::int64_t weighed = 0;
    for (std::int64_t id = 0; id < nodes; ++id) {
      for (const int neighbour : graph_.of(static_cast<int>(id))) {
        ++edges;
        weighed += (id + 1) * (neighbour + 1);
      }
    }
    check(edges == 78'712 && weighed == 19'170'546'475'011, "the graph is the definition's");
  }

  void check_way() const {
    int length = 0;
    for (int at = target; at != origin; ++length) {
      const int parent = graph_.parent(at);
      check(parent != nobody && contains(graph_.of(parent), at), "a way of edges");
      at = parent;
    }
    check(length >= 36, "no way is shorter than the shortest");
  }

  const Order order_;
  Graph graph_;
  Tally tally_;
};

}  // namespace
}  // namespace guided_search

std::unique_ptr<Program> make_guided_search(const Setting& /*setting*/) {
  return std::make_unique<guided_search::GuidedSearch>(guided_search::Order::of_arrival);
}
std::unique_ptr<Program> make_guided_search_priority(const Setting& /*setting*/) {
  return std::make_unique<guided_search::GuidedSearch>(guided_search::Order::of_priority);
}

}  // namespace savina
