// workloads.hpp: what the simulated schedulers have to do: programs as users write them.
//
// Each goes on for ever; how far it has come is counted by `count_one`. All sizes grow with the
// number of schedulers, so that one of them never lacks work that another has too much of.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace simulated {

struct Workload {
  std::string_view name;
  void (*run)(unsigned schedulers);  // as a process
  std::string_view counts;           // what one is
};

std::span<const Workload> workloads();

// How many there have been.
std::uint64_t counted() noexcept;

}  // namespace simulated
