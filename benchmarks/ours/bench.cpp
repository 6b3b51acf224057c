// bench.cpp: clock, result lines, quantiles.
#include "bench.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

namespace bench {

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

void report(std::string_view metric, double value, std::string_view unit) {
  std::printf("R %s %.3f %s\n", std::string(metric).c_str(), value, std::string(unit).c_str());
  std::fflush(stdout);
}

void report_quantiles(std::string_view metric, std::vector<std::int64_t> samples_ns) {
  check(!samples_ns.empty(), "there are samples");
  std::ranges::sort(samples_ns);
  const auto count = static_cast<double>(samples_ns.size());
  constexpr std::pair<const char*, double> quantiles[] = {
      {"_p50", 0.5}, {"_p99", 0.99}, {"_p999", 0.999}, {"_max", 1.0}};
  for (const auto& [name, quantile] : quantiles) {
    const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(quantile * count)));
    const auto sample = static_cast<double>(samples_ns[rank - 1]);
    report(std::string(metric) + name, sample / 1000, "us");
  }
}

void check(bool is_right, std::string_view what) {
  if (is_right) return;
  std::fprintf(stderr, "check failed: %s\n", std::string(what).c_str());
  std::_Exit(1);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all_pages = 0;
  double resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double page_table_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmPTE:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

std::uint64_t work(int steps, std::uint64_t seed) {
  for (int i = 0; i < steps; ++i) seed = (seed * 16807 + 1) & 0x7fffffff;
  asm volatile("" : "+r"(seed));  // the compiler may not conclude that nobody needs it
  return seed;
}

}  // namespace bench
