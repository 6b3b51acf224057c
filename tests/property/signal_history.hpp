// signal_history.hpp: what must hold of processes that did their steps as they liked.
//
// Nobody knows who was ahead of whom, so there is no model to compare with. Each check is a promise
// that holds in every order of events: of messages (S1), links (L1, L3, L9), monitors (M6, M8, M11,
// M15), kills (X3) and the trap flag (X9).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/property/signal_driver.hpp"
#include "tests/property/signals.hpp"

namespace airssys::rt::property {

// When all is over and nothing is under way any more. Each slot had one process.
struct History {
  std::vector<Step> steps;                   // step i has the number i + 1
  std::vector<std::string> labels = {};      // of each slot
  std::vector<std::vector<Did>> deeds = {};  // of each slot, the last ones drains
  std::vector<Seen> seen = {};               // of each slot
};

// Empty when nothing is.
std::string wrong_with(const History& history);

}  // namespace airssys::rt::property
