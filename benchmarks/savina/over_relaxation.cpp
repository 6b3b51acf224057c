// over_relaxation.cpp: S22: a grid of processes, each of which talks to its neighbours alone.
//
// Half of the grid is made by Runner, half by Peer, and the two exchange the ids at their border.
#include <cmath>
#include <map>
#include <utility>

#include "programs.hpp"
#include "random.hpp"

namespace savina {

namespace over_relaxation {
namespace {

constexpr int rounds = 100;

struct Start {
  std::vector<rt::Pid> neighbours;
};
struct Value {
  double value;
};
struct Report {
  double value;
};
struct Border {
  std::vector<rt::Pid> cells;
  rt::Pid from;
};
struct Half {
  double sum;
};

class Cell : public rt::Behaviour {
 public:
  Cell(double value, bool begins, rt::Pid maker) : value_(value), begins_(begins), maker_(maker) {}

  void start() override {
    neighbours_ = rt::receive<Start>().neighbours;  // values that come before it wait
    if (begins_) use_round();
  }

  void message(rt::Message& message) override {
    sum_ += message.take<Value>().value;
    if (++heard_ < neighbours_.size()) return;
    value_ = 0.3125 * sum_ - 0.25 * value_;
    sum_ = 0;
    heard_ = 0;
    use_round();
  }

 private:
  void use_round() {
    for (const rt::Pid neighbour : neighbours_) rt::send(neighbour, Value{value_});
    if (++used_ < rounds) return;
    rt::send(maker_, Report{value_});
    rt::exit(rt::ExitReason::normal());
  }

  double value_;
  bool begins_;
  rt::Pid maker_;
  std::vector<rt::Pid> neighbours_;
  double sum_ = 0;
  std::size_t heard_ = 0;
  int used_ = 0;
};

// A maker's part of the grid: its own columns, and the border of the other's.
class Part {
 public:
  Part(int size, int from_column, int to_column) : size_(size), from_(from_column), to_(to_column) {
    J48 random(10101010);
    for (int row = 0; row < size; ++row) {
      for (int column = 0; column < size; ++column) {
        const double value = random.unit() * 1e-6;
        if (column < from_ || column >= to_) continue;
        cells_[{row, column}] =
            rt::spawn_behaviour(std::make_unique<Cell>(value, (row + column) % 2 == 0, rt::self()));
      }
    }
  }

  std::vector<rt::Pid> column(int column) const {
    std::vector<rt::Pid> pids;
    for (int row = 0; row < size_; ++row) pids.push_back(cells_.at({row, column}));
    return pids;
  }

  // The sum of all values at the end.
  double relax(const std::vector<rt::Pid>& other_border, int other_column) {
    auto all = cells_;
    for (int row = 0; row < size_; ++row)
      all[{row, other_column}] = other_border[static_cast<std::size_t>(row)];
    for (const auto& [place, cell] : cells_) {
      Start start;
      const auto [row, column] = place;
      for (const auto& beside : {std::pair(row - 1, column),
                                 std::pair(row, column - 1),
                                 std::pair(row, column + 1),
                                 std::pair(row + 1, column)}) {
        if (const auto found = all.find(beside); found != all.end())
          start.neighbours.push_back(found->second);
      }
      rt::send(cell, std::move(start));
    }
    double sum = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) sum += rt::receive<Report>().value;
    return sum;
  }

 private:
  int size_;
  int from_;
  int to_;
  std::map<std::pair<int, int>, rt::Pid> cells_;
};

void peer(int size, rt::Pid runner) {
  const int middle = size / 2;
  Part part(size, middle, size);
  rt::send(runner, Border{part.column(middle), rt::self()});
  rt::send(runner, Half{part.relax(rt::receive<Border>().cells, middle - 1)});
}

double run_grid(int size) {
  const int middle = size / 2;
  rt::spawn([size, runner = rt::self()] { peer(size, runner); });
  Part part(size, 0, middle);
  const auto border = rt::receive<Border>();
  rt::send(border.from, Border{part.column(middle - 1), rt::self()});
  const double own = part.relax(border.cells, middle);
  return own + rt::receive<Half>().sum;
}

class OverRelaxation : public Program {
 public:
  explicit OverRelaxation(const Setting& setting)
      : size_(static_cast<int>(setting.pick(20, 250))) {}

  void run() override {
    rt::spawn([size = size_, main = rt::self()] { rt::send(main, Half{run_grid(size)}); });
    sum_ = rt::receive<Half>().sum;
  }

  Outcome outcome() override {
    const double wanted = size_ == 20 ? 0.000003189420084871275 : 0.026575660248076397;
    check(std::abs(sum_ - wanted) <= 1e-12, "the sum of all cells");
    const std::int64_t cells = std::int64_t{size_} * size_;
    return {.parameters = {{"s", size_}},
            .messages = 400LL * size_ * (size_ - 1) + 2 * cells + 3,
            .processes = cells + 2};
  }

 private:
  const int size_;
  double sum_ = 0;
};

}  // namespace
}  // namespace over_relaxation

std::unique_ptr<Program> make_over_relaxation(const Setting& setting) {
  return std::make_unique<over_relaxation::OverRelaxation>(setting);
}

}  // namespace savina
