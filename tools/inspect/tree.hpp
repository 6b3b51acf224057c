// tree.hpp: processes under who spawned them.
//
// A root is a process without a parent, or one whose parent is gone. Children stand in the order of
// their births. A supervisor is marked; long families and deep ones can be cut short.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/inspect/processes.hpp"
#include "tools/inspect/screen.hpp"

namespace airssys::rt::inspect {

struct TreeLimits {
  std::size_t depth = 64;     // generations below a root
  std::size_t children = 50;  // shown of one process
};

std::string draw_tree(const std::vector<Process>& processes,
                      const TreeLimits& limits,
                      const Screen& screen);

// Nested: each process as it came, with "children", all of them, down to the depth.
nlohmann::json tree_json(const std::vector<Process>& processes, const TreeLimits& limits);

}  // namespace airssys::rt::inspect
