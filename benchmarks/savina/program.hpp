// program.hpp: what a program of the Savina suite is, and what all of them need.
//
// An iteration makes a program anew: the constructor prepares what the clock must not see, `run` is
// the first process, inside the clock, and `outcome` checks and counts behind it. The clock stops
// when every process that `run` has led to is gone. A check that fails ends everything.
#pragma once

#include <airssys/rt.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace savina {

namespace rt = airssys::rt;

// The size of print, or the one that takes modern machines long enough to be measured.
enum class Size : std::uint8_t { suite, scaled };

struct Setting {
  Size size;
  rt::Runtime& runtime;

  std::int64_t pick(std::int64_t suite, std::int64_t scaled) const {
    return size == Size::suite ? suite : scaled;
  }
};

using Figures = std::vector<std::pair<std::string, double>>;

struct Outcome {
  Figures parameters;
  std::int64_t messages;
  std::int64_t processes;
  Figures reported = {};  // what the definition asks for besides
};

class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  virtual ~Program() = default;

  virtual void run() = 0;
  virtual Outcome outcome() = 0;
};

// Ends the program with exit code 1 and a sentence unless the result is right.
void check(bool is_right, std::string_view what);

// Nanoseconds of the monotonic clock.
std::int64_t now_ns();

inline double as_double(std::int64_t value) {
  return static_cast<double>(value);
}

// The longest that a message stood before it was handled; each brings the time it was sent.
class Reaction {
 public:
  void saw(std::int64_t sent_ns) { worst_ns_ = std::max(worst_ns_, now_ns() - sent_ns); }
  double worst_us() const { return as_double(worst_ns_) / 1000; }

 private:
  std::int64_t worst_ns_ = 0;
};

// sin(37.2) squared, computed anew at each call.
double sine_squared();

}  // namespace savina
