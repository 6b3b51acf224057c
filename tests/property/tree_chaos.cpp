// tree_chaos.cpp: shaking a tree, and what must hold of it afterwards.
#include "tests/property/tree_chaos.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "tests/property/property.hpp"

namespace airssys::rt::property {

namespace {

struct Family {
  Pid supervisor;
  std::vector<ChildInfo> children;  // the latest started first
};

// Each supervisor that answers, from this one down.
std::vector<Family> families(Pid top) {
  std::vector<Family> found;
  std::vector<Pid> supervisors = {top};
  for (std::size_t i = 0; i < supervisors.size(); ++i) {
    auto children = try_which_children(supervisors[i]);
    if (!children) continue;
    for (const ChildInfo& child : *children)
      if (child.type == ChildType::supervisor && child.pid) supervisors.push_back(child.pid);
    found.push_back({supervisors[i], *std::move(children)});
  }
  return found;
}

// --- shaking ---

void shake_one(const Family& family,
               const Action& action,
               const std::shared_ptr<Moods>& moods,
               const std::string& new_id) {
  if (action.act == Act::start) {
    const Node node = started_node(action.variant, AutoShutdown::never, new_id);
    answer_of(
        family.supervisor, {.act = Act::start, .id = new_id}, child_of(node, moods, parent()));
    return;
  }
  if (family.children.empty()) return;
  const ChildInfo& child = family.children[action.child % family.children.size()];
  switch (action.act) {
    case Act::crash:
      if (child.type == ChildType::supervisor) return send_exit(child.pid, ExitReason::kill());
      return crash(child.pid, crash_reason(action.variant));
    case Act::upset:
      return moods->set(child.id, mood(action.variant));
    default:
      answer_of(family.supervisor, {.act = action.act, .id = child.id}, {});
  }
}

}  // namespace

void shake(Pid top,
           const std::vector<Burst>& bursts,
           const std::shared_ptr<Moods>& moods,
           const std::string& name) {
  std::size_t started = 0;
  for (const Burst& burst : bursts) {
    const std::vector<Family> all = families(top);
    if (all.empty()) return;
    for (const Action& action : burst.actions)
      shake_one(
          all[burst.supervisor % all.size()], action, moods, name + std::to_string(started++));
  }
}

// --- what must hold ---

namespace {

std::vector<Pid> sorted(std::vector<Pid> pids) {
  std::ranges::sort(pids);
  return pids;
}

// Of the children that were there from the beginning, in the order of their list.
bool is_in_order(const std::vector<ChildInfo>& children, const Node& node) {
  auto place = node.children.begin();
  for (auto child = children.rbegin(); child != children.rend(); ++child) {
    const auto is_it = [&](const Node& each) { return each.id == child->id; };
    if (std::ranges::none_of(node.children, is_it)) continue;
    place = std::find_if(place, node.children.end(), is_it);
    if (place == node.children.end()) return false;
  }
  return true;
}

std::string wrong_with_child(const ChildInfo& child, Pid supervisor, const Node* node) {
  if (child.state == ChildState::restarting) return child.id + " is still to be restarted";
  if (child.state == ChildState::stopped) {
    const bool is_temporary = node && node->restart == Restart::temporary;
    return is_temporary ? child.id + " is temporary and was kept" : "";
  }
  const auto info = process_info(child.pid);
  if (!info) return child.id + " runs and has ended";
  if (std::ranges::find(info->links, supervisor) == info->links.end())
    return child.id + " is not linked to its supervisor";
  if (child.type == ChildType::worker && info->links.size() != 1)
    return child.id + " is linked to others";
  return "";
}

std::string wrong_with_family(const Family& family, const Node* node) {
  std::string wrong;
  if (node && !is_in_order(family.children, *node)) wrong += "\n  out of order: " + node->id;
  for (const ChildInfo& child : family.children) {
    const Node* as_made = nullptr;
    for (std::size_t i = 0; node && i < node->children.size(); ++i)
      if (node->children[i].id == child.id) as_made = &node->children[i];
    const std::string text = wrong_with_child(child, family.supervisor, as_made);
    if (!text.empty()) wrong += "\n  " + text;
  }
  return wrong;
}

void note_supervisors(const Node& node, std::map<std::string, const Node*>& by_id) {
  if (node.is_supervisor) by_id[node.id] = &node;
  for (const Node& child : node.children) note_supervisors(child, by_id);
}

}  // namespace

std::string wrong_with_tree(const Node& root, Pid top, const std::vector<Pid>& before) {
  std::map<std::string, const Node*> nodes;
  note_supervisors(root, nodes);
  std::map<Pid, std::string> ids = {{top, root.id}};
  std::vector<Pid> listed;
  std::string wrong;
  for (const Family& family : families(top)) {
    listed.push_back(family.supervisor);
    for (const ChildInfo& child : family.children) {
      if (child.pid) ids[child.pid] = child.id;
      if (child.pid && child.type == ChildType::worker) listed.push_back(child.pid);
    }
    const auto node = nodes.find(ids[family.supervisor]);
    wrong += wrong_with_family(family, node == nodes.end() ? nullptr : node->second);
  }
  const std::vector<Pid> there = newcomers(before);
  if (sorted(listed) != sorted(there))
    wrong += "\n  " + std::to_string(there.size()) + " processes for " +
             std::to_string(listed.size()) + " in the tree";
  return wrong;
}

}  // namespace airssys::rt::property
