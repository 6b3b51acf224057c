// tree_chaos.hpp: several processes shake one tree of supervisors at once, each as it likes.
//
// Nobody knows what the tree is like afterwards, so there is no model to compare with. But when it
// is at rest, what it says of itself must be true of the processes that there are: nobody is
// missing, nobody is left over, everybody is linked to the supervisor above alone, and the order
// and the types of the children still hold.
#pragma once

#include <airssys/rt.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/property/tree_driver.hpp"
#include "tests/property/trees.hpp"

namespace airssys::rt::property {

// Carries the bursts out on whoever is there by then. Children that are started get ids of their
// own, which begin with `name`.
void shake(Pid top,
           const std::vector<Burst>& bursts,
           const std::shared_ptr<Moods>& moods,
           const std::string& name);

// Empty when nothing is. `before`: who was there before the tree was.
std::string wrong_with_tree(const Node& root, Pid top, const std::vector<Pid>& before);

}  // namespace airssys::rt::property
