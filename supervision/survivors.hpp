// survivors.hpp: who of a tree is still there, and what each is waiting for, in words.
//
// Seen from outside, without asking: who does not end does not answer either. A tree is who was
// spawned in it, however far down, whether linked or not; what lost its parent is not found.
#pragma once

#include <airssys/rt/info.hpp>
#include <airssys/rt/pid.hpp>
#include <string>
#include <vector>

namespace airssys::rt::supervision {

// Of these processes, the root and those that descend from it, parents before children.
std::vector<ProcessInfo> tree_of(const std::vector<ProcessInfo>& processes, Pid root);

// <0.7.1> "store" Store: waits for reply from <0.9.1> "disk", 3 messages
std::string describe(const ProcessInfo& process, const std::vector<ProcessInfo>& processes);

}  // namespace airssys::rt::supervision
