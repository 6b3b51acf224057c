// trees.hpp: random trees of supervisors, and what happens to them.
//
// Plain values. A program is a tree and a row of bursts; a burst is what one supervisor finds in
// its mailbox at once. Who is meant is said by numbers that fit whatever tree is left by then, so
// that every part of a program can be left out when rapidcheck makes it smaller.
#pragma once

#include <rapidcheck.h>

#include <airssys/rt.hpp>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace airssys::rt::property {

// A child: a leaf, or a supervisor with children of its own.
struct Node {
  std::string id;
  Restart restart = Restart::permanent;
  bool is_significant = false;
  bool is_killed_at_once = false;  // its shutdown: brutal_kill, and not infinity
  bool is_doubled = false;         // by a broken runtime only: a second process that nobody watches
  bool is_supervisor = false;
  Strategy strategy = Strategy::one_for_one;
  unsigned intensity = 0;
  AutoShutdown auto_shutdown = AutoShutdown::never;
  std::vector<Node> children = {};
};

enum class Act : std::uint8_t {
  crash,      // a leaf ends as if by itself; a supervisor is killed
  terminate,  // the four verbs
  restart,
  forget,
  start,
  upset,  // its next starts fail, or are ignored
};

struct Action {
  Act act;
  unsigned child;
  unsigned variant;
};

struct Burst {
  unsigned supervisor;
  std::vector<Action> actions;
};

struct TreeProgram {
  Node root;
  std::vector<Burst> bursts;
};

// The child that an action of this variant starts.
Node started_node(unsigned variant, AutoShutdown auto_shutdown, std::string id);
ExitReason crash_reason(unsigned variant);
// How the next starts go: f failing, i ignoring.
std::string mood(unsigned variant);

std::string to_string(Strategy strategy);
std::string to_string(Restart restart);
std::ostream& operator<<(std::ostream& out, const Node& node);
std::ostream& operator<<(std::ostream& out, const TreeProgram& program);

}  // namespace airssys::rt::property

namespace rc {

template <>
struct Arbitrary<airssys::rt::property::TreeProgram> {
  static Gen<airssys::rt::property::TreeProgram> arbitrary();
};

}  // namespace rc
