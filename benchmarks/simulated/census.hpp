// census.hpp: which structure of the runtime a cache line belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/simulated/cache.hpp"
#include "runtime/system.hpp"

namespace airssys::rt::simulated {

struct Moved {
  std::string structure;
  std::uint64_t transfers = 0;  // of all its lines
  std::int64_t busiest_ps = 0;  // how long the busiest of its lines was in transit
};

// What has moved since the counts were forgotten; most first.
std::vector<Moved> census(runtime::System& system, const Cache& cache);

}  // namespace airssys::rt::simulated
