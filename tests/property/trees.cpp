// trees.cpp: making trees and showing them.
#include "tests/property/trees.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

#include "tests/property/generate.hpp"

namespace airssys::rt::property {

namespace {

// Ids by their place, and nothing that a supervisor would refuse: significance needs an end that
// can count.
void settle_names(Node& node, const std::string& id, AutoShutdown above) {
  node.id = id;
  if (above == AutoShutdown::never || node.restart == Restart::permanent)
    node.is_significant = false;
  for (std::size_t i = 0; i < node.children.size(); ++i)
    settle_names(node.children[i], id + static_cast<char>('a' + i), node.auto_shutdown);
}

rc::Gen<Node> nodes(int levels_below);

rc::Gen<Node> leaves() {
  return rc::gen::build<Node>(rc::gen::set(&Node::restart, one_of<Restart>(3)),
                              rc::gen::set(&Node::is_significant, one_of<bool>(2)),
                              rc::gen::set(&Node::is_killed_at_once, one_of<bool>(2)));
}

rc::Gen<Node> supervisors(int levels_below) {
  return rc::gen::build<Node>(
      rc::gen::set(&Node::is_supervisor, rc::gen::just(true)),
      rc::gen::set(&Node::restart, one_of<Restart>(3)),
      rc::gen::set(&Node::is_significant, one_of<bool>(2)),
      rc::gen::set(&Node::strategy, one_of<Strategy>(3)),
      rc::gen::set(&Node::intensity, one_of(12)),
      rc::gen::set(&Node::auto_shutdown,
                   rc::gen::weightedOneOf<AutoShutdown>(
                       {{2, rc::gen::just(AutoShutdown::never)}, {1, one_of<AutoShutdown>(3)}})),
      rc::gen::set(&Node::children, few(6, nodes(levels_below - 1))));
}

rc::Gen<Node> nodes(int levels_below) {
  if (levels_below == 0) return leaves();
  return rc::gen::weightedOneOf<Node>({{3, leaves()}, {1, supervisors(levels_below)}});
}

rc::Gen<Action> actions() {
  return rc::gen::build<Action>(
      rc::gen::set(&Action::act,
                   rc::gen::weightedOneOf<Act>({{5, rc::gen::just(Act::crash)},
                                                {1, rc::gen::just(Act::terminate)},
                                                {1, rc::gen::just(Act::restart)},
                                                {1, rc::gen::just(Act::forget)},
                                                {1, rc::gen::just(Act::start)},
                                                {2, rc::gen::just(Act::upset)}})),
      rc::gen::set(&Action::child, one_of(4)),
      rc::gen::set(&Action::variant, one_of(12)));
}

rc::Gen<Burst> bursts() {
  return rc::gen::build<Burst>(rc::gen::set(&Burst::supervisor, one_of(6)),
                               rc::gen::set(&Burst::actions, few(4, actions())));
}

}  // namespace

Node started_node(unsigned variant, AutoShutdown auto_shutdown, std::string id) {
  Node node{.id = id,
            .restart = static_cast<Restart>(variant % 3),
            .is_significant = variant % 2 == 1,
            .is_killed_at_once = variant % 4 == 3};
  settle_names(node, id, auto_shutdown);
  return node;
}

ExitReason crash_reason(unsigned variant) {
  switch (variant % 5) {
    case 0:
      return ExitReason::error("crash");
    case 1:
      return ExitReason::normal();
    case 2:
      return ExitReason::killed();
    case 3:
      return ExitReason::shutdown();
    default:
      return ExitReason::shutdown("done");
  }
}

std::string mood(unsigned variant) {
  static constexpr std::string_view moods[] = {"f", "i", "ff", "fi", "fff", "uf"};
  return std::string(moods[variant % 6]);
}

std::string to_string(Strategy strategy) {
  return strategy == Strategy::one_for_one    ? "one_for_one"
         : strategy == Strategy::rest_for_one ? "rest_for_one"
                                              : "one_for_all";
}

std::string to_string(Restart restart) {
  return restart == Restart::permanent   ? "permanent"
         : restart == Restart::transient ? "transient"
                                         : "temporary";
}

std::ostream& operator<<(std::ostream& out, const Node& node) {
  out << node.id << ' ' << to_string(node.restart);
  if (node.is_significant) out << " significant";
  if (node.is_killed_at_once) out << " killed at once";
  if (!node.is_supervisor) return out;
  out << ' ' << to_string(node.strategy) << " intensity " << node.intensity;
  if (node.auto_shutdown == AutoShutdown::any_significant) out << " any_significant";
  if (node.auto_shutdown == AutoShutdown::all_significant) out << " all_significant";
  out << " [";
  for (const Node& child : node.children)
    out << (&child == node.children.data() ? "" : ", ") << child;
  return out << ']';
}

std::ostream& operator<<(std::ostream& out, const TreeProgram& program) {
  static constexpr std::string_view acts[] = {
      "crash", "terminate", "restart", "forget", "start", "upset"};
  out << program.root;
  for (const Burst& burst : program.bursts) {
    out << "\n  supervisor " << burst.supervisor << ':';
    for (const Action& action : burst.actions)
      out << ' ' << acts[static_cast<std::size_t>(action.act)] << '(' << action.child << ", "
          << action.variant << ')';
  }
  return out;
}

}  // namespace airssys::rt::property

namespace rc {

using airssys::rt::property::Burst;
using airssys::rt::property::bursts;
using airssys::rt::property::TreeProgram;

Gen<TreeProgram> Arbitrary<TreeProgram>::arbitrary() {
  return gen::map(gen::pair(airssys::rt::property::supervisors(2),
                            gen::container<std::vector<Burst>>(bursts())),
                  [](std::pair<airssys::rt::property::Node, std::vector<Burst>> parts) {
                    TreeProgram program{std::move(parts.first), std::move(parts.second)};
                    airssys::rt::property::settle_names(
                        program.root, "r", airssys::rt::AutoShutdown::never);
                    return program;
                  });
}

}  // namespace rc
