// survivors.cpp: trees and words.
#include "supervision/survivors.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace airssys::rt::supervision {

std::vector<ProcessInfo> tree_of(const std::vector<ProcessInfo>& processes, Pid root) {
  std::unordered_map<Pid, std::vector<const ProcessInfo*>> children;
  std::vector<ProcessInfo> tree;
  for (const ProcessInfo& process : processes) {
    if (process.pid == root) tree.push_back(process);
    if (process.parent) children[process.parent].push_back(&process);
  }
  if (tree.empty()) tree.emplace_back().pid = root;  // it has gone: a place to begin at
  for (std::size_t at = 0; at < tree.size(); ++at) {
    for (const ProcessInfo* child : children[tree[at].pid]) tree.push_back(*child);
  }
  const bool has_root = std::ranges::find(processes, root, &ProcessInfo::pid) != processes.end();
  if (!has_root) tree.erase(tree.begin());
  return tree;
}

namespace {

std::string title(const ProcessInfo& process) {
  std::string text = process.pid.to_string();
  if (!process.name.empty()) text.append(" \"").append(process.name).append("\"");
  return text;
}

std::string activity(const ProcessInfo& process) {
  if (process.state == ProcessState::runnable || process.state == ProcessState::running)
    return "runs code, or is about to";
  if (!process.wait_reason.empty()) return "waits for " + process.wait_reason;
  return to_string(process.state);
}

}  // namespace

std::string describe(const ProcessInfo& process, const std::vector<ProcessInfo>& processes) {
  std::string text = title(process);
  if (!process.code.empty()) text.append(" ").append(process.code);
  text.append(": ").append(activity(process));
  if (process.waits_for) {
    const auto other = std::ranges::find(processes, process.waits_for, &ProcessInfo::pid);
    text.append(" from ").append(other == processes.end() ? process.waits_for.to_string()
                                                          : title(*other));
  }
  if (const std::size_t messages = process.message_queue_len)
    text.append(", ")
        .append(std::to_string(messages))
        .append(messages == 1 ? " message" : " messages");
  return text;
}

}  // namespace airssys::rt::supervision
