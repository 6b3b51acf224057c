// costs.hpp: what a step costs on the simulated machine. All in nanoseconds, all can be set.
//
// The defaults are estimates for a server of a few years ago, one socket, no virtual machine. What
// stands out under them should be looked for under others as well.
#pragma once

#include <array>
#include <string_view>

namespace airssys::rt::simulated {

struct Costs {
  double access = 0.5;          // of a word in this core's own cache, with the plain code around it
  double locked = 5;            // beside that, of a locked instruction or a full fence
  double transfer = 100;        // a cache line from another core, or its invalidation there
  double pause = 40;            // one step of a spinning loop
  double clock = 20;            // a reading of the clock
  double system_call = 200;     // one that neither sleeps nor wakes
  double wake = 2'000;          // for who wakes a thread
  double wake_latency = 5'000;  // until that one runs
  double membarrier = 1'000;    // for who calls it, and as much as the next for each running core
  double membarrier_core = 200;
  double interrupt = 500;  // for each core that it interrupts
  double thread = 10'000;  // to make one
};

struct CostName {
  std::string_view name;
  double Costs::* cost;
};

inline constexpr std::array cost_names{
    CostName{"access", &Costs::access},
    CostName{"locked", &Costs::locked},
    CostName{"transfer", &Costs::transfer},
    CostName{"pause", &Costs::pause},
    CostName{"clock", &Costs::clock},
    CostName{"system_call", &Costs::system_call},
    CostName{"wake", &Costs::wake},
    CostName{"wake_latency", &Costs::wake_latency},
    CostName{"membarrier", &Costs::membarrier},
    CostName{"membarrier_core", &Costs::membarrier_core},
    CostName{"interrupt", &Costs::interrupt},
    CostName{"thread", &Costs::thread},
};

}  // namespace airssys::rt::simulated
