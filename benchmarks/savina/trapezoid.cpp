// trapezoid.cpp: S19: a hundred equal tasks that compute and say one thing.
#include <cmath>

#include "programs.hpp"

namespace savina {

namespace trapezoid {
namespace {

constexpr std::int64_t workers = 100;
constexpr double from = 1;
constexpr double to = 5;

struct Area {
  double value;
};

double g(double x) {
  return std::sin(x * x * x - 1) / (x + 1) * std::sqrt(1 + std::exp(std::sqrt(2 * x)));
}

double area(double begin, double piece, std::int64_t pieces) {
  double sum = 0;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const double x = begin + as_double(i) * piece;
    sum += 0.5 * (g(x) + g(x + piece)) * piece;
  }
  return sum;
}

class Trapezoid : public Program {
 public:
  void run() override {
    constexpr double piece = (to - from) / pieces;
    constexpr double share = (to - from) / workers;
    for (std::int64_t i = 0; i < workers; ++i) {
      rt::spawn([i, main = rt::self()] {
        rt::send(main, Area{area(from + share * as_double(i), piece, pieces / workers)});
      });
    }
    for (std::int64_t i = 0; i < workers; ++i) area_ += rt::receive<Area>().value;
  }

  Outcome outcome() override {
    check(std::abs(area_ - 0.27108075195296) <= 1e-9, "the area");
    return {
        .parameters = {{"N", pieces}, {"W", workers}}, .messages = workers, .processes = workers};
  }

 private:
  static constexpr std::int64_t pieces = 10'000'000;

  double area_ = 0;
};

}  // namespace
}  // namespace trapezoid

std::unique_ptr<Program> make_trapezoid(const Setting& /*setting*/) {
  return std::make_unique<trapezoid::Trapezoid>();
}

}  // namespace savina
