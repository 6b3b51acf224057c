// bench.hpp: what every workload needs: a clock, result lines, quantiles, checks, busy work.
//
// A workload prints its figures as "R metric value unit", one a line, as the peers' programs do. It
// checks its own result; a check that fails ends the program, and no figure of it counts. Starting
// the runtime is outside of every clock.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bench {

// Nanoseconds of the monotonic clock.
std::int64_t now_ns();

class Stopwatch {
 public:
  Stopwatch() : begin_(now_ns()) {}
  double ns() const { return static_cast<double>(now_ns() - begin_); }
  double ms() const { return ns() / 1e6; }
  double seconds() const { return ns() / 1e9; }

 private:
  std::int64_t begin_;
};

void report(std::string_view metric, double value, std::string_view unit);
// Reports metric_p50, metric_p99, metric_p999 and metric_max of these nanoseconds, in us.
void report_quantiles(std::string_view metric, std::vector<std::int64_t> samples_ns);

// Ends the program unless the result is right.
void check(bool is_right, std::string_view what);

// Bytes of memory that this program occupies now.
double resident_bytes();
// Beside them, what the system takes for this program's page tables.
double page_table_bytes();

// Work that calls nothing; each step is some two nanoseconds.
std::uint64_t work(int steps, std::uint64_t seed);

}  // namespace bench
