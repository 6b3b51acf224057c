// tree.cpp: from a list of processes with parents to lines with branches.
#include "tools/inspect/tree.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace airssys::rt::inspect {

namespace {

class Family {
 public:
  explicit Family(const std::vector<Process>& processes) {
    std::unordered_map<std::string, const Process*> by_pid;
    for (const Process& process : processes) by_pid[process.pid] = &process;
    for (const Process& process : processes) {
      auto& place = by_pid.contains(process.parent) ? children_[process.parent] : roots_;
      place.push_back(&process);
    }
    const auto older = [](const Process* a, const Process* b) {
      return std::pair(a->born, a->slot) < std::pair(b->born, b->slot);
    };
    std::ranges::sort(roots_, older);
    for (auto& [pid, children] : children_) std::ranges::sort(children, older);
  }

  const std::vector<const Process*>& roots() const { return roots_; }
  const std::vector<const Process*>& children_of(const Process& process) const {
    static const std::vector<const Process*> none;
    const auto found = children_.find(process.pid);
    return found == children_.end() ? none : found->second;
  }

 private:
  std::vector<const Process*> roots_;
  std::unordered_map<std::string, std::vector<const Process*>> children_;
};

class Drawing {
 public:
  Drawing(const Family& family, const TreeLimits& limits, const Screen& screen)
      : family_(family), limits_(limits), screen_(screen) {}

  std::string all() {
    for (const Process* root : family_.roots()) {
      line("", "", *root);
      below(*root, "", 1);
    }
    return std::move(text_);
  }

 private:
  void line(const std::string& indent, const char* branch, const Process& process) {
    std::string words = indent + branch + process.pid + " " + harmless(process.title());
    if (process.is_supervisor()) words += " [supervisor]";
    words += "  " + harmless(process.doing());
    if (process.messages != 0) words += ", " + brief(process.messages) + " messages";
    if (indent.empty() && *branch == 0 && !process.parent.empty())
      words += "  (its parent " + process.parent + " is gone)";
    text_ += screen_.cut(words) + "\n";
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the limit
  void below(const Process& parent, const std::string& indent, std::size_t depth) {
    const auto& children = family_.children_of(parent);
    const std::size_t shown =
        depth > limits_.depth ? 0 : std::min(children.size(), limits_.children);
    for (std::size_t i = 0; i < shown; ++i) {
      const bool is_last = i + 1 == children.size();
      line(indent, is_last ? "`- " : "|- ", *children[i]);
      below(*children[i], indent + (is_last ? "   " : "|  "), depth + 1);
    }
    if (const std::size_t hidden = children.size() - shown; hidden != 0)
      text_ += indent + "`- ... " + std::to_string(hidden) + " more\n";
  }

  const Family& family_;
  const TreeLimits limits_;
  const Screen& screen_;
  std::string text_;
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as the limit
nlohmann::json branch_json(const Family& family, const Process& process, std::size_t depth) {
  const auto& children = family.children_of(process);
  nlohmann::json json = process.json;
  json["is_supervisor"] = process.is_supervisor();
  json["children_count"] = children.size();
  json["children"] = nlohmann::json::array();
  if (depth == 0) return json;
  for (const Process* child : children)
    json["children"].push_back(branch_json(family, *child, depth - 1));
  return json;
}

}  // namespace

std::string draw_tree(const std::vector<Process>& processes,
                      const TreeLimits& limits,
                      const Screen& screen) {
  const Family family(processes);
  return Drawing(family, limits, screen).all();
}

nlohmann::json tree_json(const std::vector<Process>& processes, const TreeLimits& limits) {
  const Family family(processes);
  nlohmann::json roots = nlohmann::json::array();
  for (const Process* root : family.roots())
    roots.push_back(branch_json(family, *root, limits.depth));
  return roots;
}

}  // namespace airssys::rt::inspect
