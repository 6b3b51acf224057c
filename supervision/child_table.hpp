// child_table.hpp: the children of a supervisor, in start order.
//
// A child is found by its id and, while it runs, by its pid; its place in the order stays when it
// is restarted. Adding, finding and removing cost the same for ten children as for ten thousand.
//
// States of a child, and who moves it:
//   stopped    ── set_running ──▶ running      its pid is in the index exactly now
//   running    ── set_stopped ──▶ stopped
//   any        ── set_restarting ▶ restarting  a retry is under way: it names this attempt
//   restarting ── set_running, set_stopped     the attempt is over, its retry finds nothing
// Plain data, one process.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/supervisor.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

#include "supervision/backoff.hpp"

namespace airssys::rt::supervision {

struct Child {
  ChildSpec spec;
  Pid pid;  // null unless running
  ChildState state = ChildState::stopped;
  std::uint64_t attempt = 0;  // of restarting: which one
  Backoff backoff = {};
};

class ChildTable {
 public:
  using Position = std::list<Child>::iterator;

  // Requires: no child has this id. Last in order, stopped.
  Position add(ChildSpec spec);
  void remove(Position child);

  Position begin() noexcept { return children_.begin(); }
  Position end() noexcept { return children_.end(); }
  std::size_t size() const noexcept { return children_.size(); }

  // end() if there is none.
  Position find(std::string_view id);
  Position find(Pid pid);

  void set_running(Position child, Pid pid);
  void set_stopped(Position child);
  // Answers the number of the attempt.
  std::uint64_t set_restarting(Position child);

 private:
  std::list<Child> children_;
  std::unordered_map<std::string_view, Position> by_id_;  // the keys lie in the children
  std::unordered_map<Pid, Position> by_pid_;
  std::uint64_t attempts_ = 0;
};

}  // namespace airssys::rt::supervision
