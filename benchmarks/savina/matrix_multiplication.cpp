// matrix_multiplication.cpp: S21: tasks with a fixed place compute in arrays that all share.
#include <algorithm>
#include <array>

#include "programs.hpp"

namespace savina {

namespace matrix_multiplication {
namespace {

constexpr std::size_t n = 1024;
constexpr std::size_t leaf_cells = 16'384;
constexpr std::size_t workers = 20;

using Matrix = std::vector<double>;

struct Matrices {
  Matrix a = Matrix(n * n);
  Matrix b = Matrix(n * n);
  Matrix c = Matrix(n * n);
};

struct Corner {
  std::size_t row, column;
};
struct Work {
  Corner a, b, c;
  std::size_t size;
};
struct Done {};
struct Stop {};

class Worker : public rt::Behaviour {
 public:
  Worker(rt::Pid master, Matrices& matrices) : master_(master), matrices_(matrices) {}

  void message(rt::Message& message) override {
    const Work* work = message.get_if<Work>();
    if (!work) rt::exit(rt::ExitReason::normal());
    if (work->size * work->size > leaf_cells) {
      divide(*work);
    } else {
      multiply(*work);
    }
    rt::send(master_, Done{});
  }

 private:
  void divide(const Work& work) const {
    const std::size_t half = work.size / 2;
    const auto part = [&](Corner corner, unsigned down, unsigned right) {
      return Corner{corner.row + down * half, corner.column + right * half};
    };
    for (unsigned row = 0; row < 2; ++row) {
      for (unsigned column = 0; column < 2; ++column) {
        for (unsigned k = 0; k < 2; ++k) {
          rt::send(
              master_,
              Work{part(work.a, row, k), part(work.b, k, column), part(work.c, row, column), half});
        }
      }
    }
  }

  void multiply(const Work& work) const {
    for (std::size_t i = 0; i < work.size; ++i) {
      double* c = &matrices_.c[(work.c.row + i) * n + work.c.column];
      for (std::size_t k = 0; k < work.size; ++k) {
        const double a = matrices_.a[(work.a.row + i) * n + work.a.column + k];
        const double* b = &matrices_.b[(work.b.row + k) * n + work.b.column];
        for (std::size_t j = 0; j < work.size; ++j) c[j] += a * b[j];
      }
    }
  }

  rt::Pid master_;
  Matrices& matrices_;
};

struct Tally {
  std::int64_t works = 0;
};

// The master's body.
Tally multiply(Matrices& matrices) {
  std::array<rt::Pid, workers> pids;
  for (rt::Pid& pid : pids)
    pid = rt::spawn_behaviour(std::make_unique<Worker>(rt::self(), matrices));
  Tally tally;
  const auto pass_on = [&](const Work& work) {
    ++tally.works;
    rt::send(pids[(work.c.row + work.c.column) % workers], work);
  };
  pass_on(Work{.a = {}, .b = {}, .c = {}, .size = n});
  for (std::int64_t dones = 0; dones < tally.works;)
    rt::receive([&](Work work) { pass_on(work); }, [&](Done) { ++dones; });
  for (const rt::Pid pid : pids) rt::send(pid, Stop{});
  return tally;
}

class MatrixMultiplication : public Program {
 public:
  MatrixMultiplication() {
    for (std::size_t i = 0; i < n * n; ++i) {
      matrices_.a[i] = static_cast<double>(i / n);
      matrices_.b[i] = static_cast<double>(i % n);
    }
  }

  void run() override {
    rt::spawn([this, main = rt::self()] { rt::send(main, multiply(matrices_)); });
    tally_ = rt::receive<Tally>();
  }

  Outcome outcome() override {
    for (std::size_t i = 0; i < n * n; ++i) {
      check(matrices_.c[i] == static_cast<double>(n * (i / n) * (i % n)), "each cell is exact");
    }
    check(tally_.works == 585, "as many blocks as there are");
    return {.parameters = {{"n", static_cast<double>(n)}, {"W", static_cast<double>(workers)}},
            .messages = 3 * tally_.works - 1 + static_cast<std::int64_t>(workers),
            .processes = static_cast<std::int64_t>(workers) + 1};
  }

 private:
  Matrices matrices_;
  Tally tally_;
};

}  // namespace
}  // namespace matrix_multiplication

std::unique_ptr<Program> make_matrix_multiplication(const Setting& /*setting*/) {
  return std::make_unique<matrix_multiplication::MatrixMultiplication>();
}

}  // namespace savina
