// program.cpp: checks and clocks of the programs.
#include "program.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace savina {

void check(bool is_right, std::string_view what) {
  if (is_right) return;
  std::fprintf(stderr, "check failed: %.*s\n", static_cast<int>(what.size()), what.data());
  std::_Exit(1);
}

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

double sine_squared() {
  double angle = 37.2;
  asm volatile("" : "+m"(angle));  // not at compile time
  const double sine = std::sin(angle);
  double squared = sine * sine;
  asm volatile("" : "+m"(squared));
  return squared;
}

}  // namespace savina
