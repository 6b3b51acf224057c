// child_table.cpp: the children of a supervisor, in start order.
#include "supervision/child_table.hpp"

#include <utility>

namespace airssys::rt::supervision {

ChildTable::Position ChildTable::add(ChildSpec spec) {
  const auto child = children_.emplace(children_.end());
  child->spec = std::move(spec);
  by_id_.emplace(child->spec.id, child);
  return child;
}

void ChildTable::remove(Position child) {
  set_stopped(child);
  by_id_.erase(child->spec.id);
  children_.erase(child);
}

ChildTable::Position ChildTable::find(std::string_view id) {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? children_.end() : found->second;
}

ChildTable::Position ChildTable::find(Pid pid) {
  auto found = by_pid_.find(pid);
  return found == by_pid_.end() ? children_.end() : found->second;
}

void ChildTable::set_running(Position child, Pid pid) {
  set_stopped(child);
  child->pid = pid;
  child->state = ChildState::running;
  by_pid_.emplace(pid, child);
}

void ChildTable::set_stopped(Position child) {
  if (child->pid) by_pid_.erase(child->pid);
  child->pid = Pid();
  child->state = ChildState::stopped;
}

std::uint64_t ChildTable::set_restarting(Position child) {
  set_stopped(child);
  child->state = ChildState::restarting;
  return child->attempt = ++attempts_;
}

}  // namespace airssys::rt::supervision
