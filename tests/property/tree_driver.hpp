// tree_driver.hpp: a real tree of supervisors, made of a Node and asked to do what a plan says.
//
// For the process that owns the tree, and is the parent of its root. Every child tells it when it
// starts and when it is asked to stop. What a supervisor is to find in its mailbox at once is put
// there while it is suspended. A tree is at rest when all its supervisors have answered, one after
// the other from the root, and none of them has a child that is still to be started again.
#pragma once

#include <airssys/rt.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/property/tree_model.hpp"
#include "tests/property/trees.hpp"

namespace airssys::rt::property {

// How the next starts of each child go. Of the test and of all supervisors.
class Moods {
 public:
  void set(const std::string& id, const std::string& mood);
  // u up, f failing, i ignoring.
  char next(const std::string& id);

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> moods_;
};

struct Told {
  std::string text;
};

class TreeDriver {
 public:
  // Waits for nothing longer than this.
  TreeDriver(const Node& root, Duration time);

  // Each answers what has happened; `expected` says how much is still to be told.
  Happened start(const Happened& expected);
  Happened perform(const TreeModel::Plan& plan, const Happened& expected);
  Happened stop(const Happened& expected);

  // "r[a:running b:stopped]", when the tree is at rest, or how it has ended.
  std::string tree();

  Pid root() const noexcept { return root_; }
  const std::shared_ptr<Moods>& moods() const noexcept { return moods_; }

 private:
  Happened report(const Happened& expected);
  std::optional<std::string> tree_of(const std::string& id, Pid supervisor);
  void crash_and_wait(Pid child, const ExitReason& reason);
  void ask(Pid supervisor, const Order& order, std::size_t number, bool is_suspended);

  Duration time_;
  Node node_;
  std::shared_ptr<Moods> moods_ = std::make_shared<Moods>();
  Pid root_;
  std::map<std::string, Pid> pids_;
};

// A child as a supervisor takes it; it tells `owner`.
ChildSpec child_of(const Node& node, const std::shared_ptr<Moods>& moods, Pid owner);
// Lets a leaf end with this reason; `killed` is a kill.
void crash(Pid leaf, const ExitReason& reason);
// Does what is asked of the supervisor, and answers how that went.
std::string answer_of(Pid supervisor, const Order& order, const ChildSpec& started);

}  // namespace airssys::rt::property
