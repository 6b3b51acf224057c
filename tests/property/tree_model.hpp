// tree_model.hpp: chapter V of docs/rules.md as a small program: what a tree of supervisors does.
//
// Sequential, without a process: a supervisor is a list of children and a mailbox, and handles what
// stands in it until it is empty or the supervisor has ended; then the one above hears of it. It
// knows nothing of the code in supervision/ and shares nothing with it but the words.
//
// What it leaves open: the children of a supervisor that was killed end when they like, each on its
// own; what they say is expected, but among the rest in any order (V18).
#pragma once

#include <airssys/rt.hpp>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/property/trees.hpp"

namespace airssys::rt::property {

// An action with names in place of numbers.
struct Order {
  Act act;
  std::string id;
  ExitReason reason = {};  // of a crash
  std::string mood = {};
  Node node = {};  // to be started
};

// What has happened since it was asked last.
struct Happened {
  std::vector<std::string> told;                // "+a": has started; "-a: why": is asked to stop
  std::vector<std::vector<std::string>> apart;  // the same, each row in order among all else
  std::vector<std::string> answers;             // one for each request, in order
  std::string tree;                             // "r[a:running b:stopped]", or how it has ended
};

class TreeModel {
 public:
  explicit TreeModel(const Node& root);
  ~TreeModel();
  TreeModel(const TreeModel&) = delete;
  TreeModel& operator=(const TreeModel&) = delete;

  bool is_over() const noexcept { return root_->is_over; }

  // Which supervisor a burst is for, and what it finds in its mailbox.
  struct Plan {
    std::string supervisor;
    std::vector<Order> orders;
  };
  Plan plan(const Burst& burst);

  Happened start();
  Happened perform(const Plan& plan);
  Happened stop();

 private:
  struct Supervisor;
  struct Child {
    Node node;
    ChildState state = ChildState::stopped;
    unsigned number = 0;     // of its incarnation, or of the attempt that is to come
    bool has_ended = false;  // and its supervisor does not know yet
    std::unique_ptr<Supervisor> below = {};
  };
  using Position = std::list<Child>::iterator;
  struct Mail {
    enum class Kind { exit, retry, request } kind;
    std::string id;
    unsigned number = 0;
    ExitReason reason = {};
    Order request = {};
  };
  struct Supervisor {
    Node node;
    Supervisor* above;
    std::list<Child> children = {};
    std::deque<Mail> mail = {};
    unsigned restarts = 0;
    bool is_over = false;
    ExitReason end = {};
  };
  enum class Outcome { up, failed, ignored };

  std::vector<Supervisor*> supervisors() const;
  Supervisor* find(const std::string& id) const;
  static Position find(Supervisor& supervisor, const std::string& id);
  std::string tree_of(const Supervisor& supervisor) const;
  Happened report();

  Outcome start_children(Supervisor& supervisor);
  Outcome start(Supervisor& supervisor, Child& child);
  void stop_children(Supervisor& supervisor);
  void stop(Supervisor& supervisor, Child& child);
  void take_down(Supervisor& supervisor, Position child);
  void crash(Supervisor& supervisor, Child& child, const ExitReason& reason);
  void orphan(Supervisor& supervisor);

  void handle_all(Supervisor& supervisor);
  void handle_exit(Supervisor& supervisor, const Mail& mail);
  static std::vector<Position> group_of(Supervisor& supervisor, Position child);
  void restart(Supervisor& supervisor, Position child);
  void end(Supervisor& supervisor);
  std::string answer(Supervisor& supervisor, const Order& request);

  std::unique_ptr<Supervisor> root_;
  std::map<std::string, std::string> moods_;
  unsigned numbers_ = 0;
  unsigned added_ = 0;
  Happened happened_;
};

}  // namespace airssys::rt::property
