// tree_model.cpp: the rules, one after the other.
#include "tests/property/tree_model.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace airssys::rt::property {

TreeModel::TreeModel(const Node& root)
    : root_(std::make_unique<Supervisor>(Supervisor{.node = root, .above = nullptr})) {}
TreeModel::~TreeModel() = default;

// --- what is there ---

std::vector<TreeModel::Supervisor*> TreeModel::supervisors() const {
  std::vector<Supervisor*> found = {root_.get()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Child& child : found[i]->children)
      if (child.below && !child.has_ended) found.push_back(child.below.get());
  }
  return found;
}

TreeModel::Supervisor* TreeModel::find(const std::string& id) const {
  for (Supervisor* supervisor : supervisors())
    if (supervisor->node.id == id) return supervisor;
  return nullptr;
}

TreeModel::Position TreeModel::find(Supervisor& supervisor, const std::string& id) {
  return std::ranges::find(
      supervisor.children, id, [](const Child& child) { return child.node.id; });
}

std::string TreeModel::tree_of(const Supervisor& supervisor) const {
  if (supervisor.is_over) return supervisor.end.to_string();
  std::string text = supervisor.node.id + '[';
  for (const Child& child : supervisor.children) {
    if (&child != &supervisor.children.front()) text += ' ';
    if (child.below) {
      text += tree_of(*child.below);
    } else {
      text += child.node.id + (child.state == ChildState::running ? ":running" : ":stopped");
    }
  }
  return text + ']';
}

Happened TreeModel::report() {
  happened_.tree = tree_of(*root_);
  return std::exchange(happened_, {});
}

// --- from outside ---

TreeModel::Plan TreeModel::plan(const Burst& burst) {
  const std::vector<Supervisor*> all = supervisors();
  Supervisor& supervisor = *all[burst.supervisor % all.size()];
  Plan plan{supervisor.node.id, {}};
  for (const Action& action : burst.actions) {
    Order order{.act = action.act,
                .id = "nobody",
                .reason = crash_reason(action.variant),
                .mood = mood(action.variant)};
    if (!supervisor.children.empty()) {
      const auto place = static_cast<std::ptrdiff_t>(action.child % supervisor.children.size());
      const Child& child = *std::next(supervisor.children.begin(), place);
      order.id = child.node.id;
      if (child.node.is_supervisor) order.reason = ExitReason::killed();
    }
    if (action.act == Act::start) {
      // Now and then one whose id is there.
      if (action.variant != 0 || supervisor.children.empty())
        order.id = "n" + std::to_string(++added_);
      order.node = started_node(action.variant, supervisor.node.auto_shutdown, order.id);
    }
    plan.orders.push_back(std::move(order));
  }
  return plan;
}

Happened TreeModel::start() {
  start_children(*root_);
  return report();
}

Happened TreeModel::stop() {
  stop_children(*root_);
  root_->is_over = true;
  return report();
}

Happened TreeModel::perform(const Plan& plan) {
  Supervisor& supervisor = *find(plan.supervisor);
  for (const Order& order : plan.orders) {
    const auto child = find(supervisor, order.id);
    const bool is_there = child != supervisor.children.end();
    if (order.act == Act::upset) {
      moods_[order.id] = order.mood;
    } else if (order.act != Act::crash) {
      supervisor.mail.push_back({Mail::Kind::request, order.id, 0, {}, order});
    } else if (is_there && child->state == ChildState::running && !child->has_ended) {
      crash(supervisor, *child, order.reason);
    }
  }
  handle_all(supervisor);
  return report();
}

// --- starting and stopping (V8, V9, V11–V13) ---

TreeModel::Outcome TreeModel::start_children(Supervisor& supervisor) {
  for (const Node& node : supervisor.node.children) {
    supervisor.children.push_back({.node = node});
    const Outcome outcome = start(supervisor, supervisor.children.back());
    if (outcome == Outcome::failed) {
      stop_children(supervisor);
      return outcome;
    }
    if (outcome == Outcome::ignored && node.restart == Restart::temporary)
      supervisor.children.pop_back();
  }
  return Outcome::up;
}

TreeModel::Outcome TreeModel::start(Supervisor& supervisor, Child& child) {
  child.state = ChildState::stopped;
  std::string& mood = moods_[child.node.id];
  const char next = mood.empty() ? 'u' : mood.front();
  if (!mood.empty()) mood.erase(0, 1);
  if (next == 'f') return Outcome::failed;
  if (next == 'i') return Outcome::ignored;
  if (child.node.is_supervisor) {
    child.below =
        std::make_unique<Supervisor>(Supervisor{.node = child.node, .above = &supervisor});
    if (start_children(*child.below) == Outcome::failed) {
      child.below.reset();
      return Outcome::failed;
    }
  } else {
    happened_.told.push_back('+' + child.node.id);
  }
  child.state = ChildState::running;
  child.number = ++numbers_;
  return Outcome::up;
}

void TreeModel::stop_children(Supervisor& supervisor) {
  for (Child& child : supervisor.children | std::views::reverse)
    if (child.state == ChildState::running) stop(supervisor, child);
}

// Also of one that has ended by itself: its exit leaves no trace (V14).
void TreeModel::stop(Supervisor& supervisor, Child& child) {
  if (!child.has_ended) {
    if (child.below) {
      stop_children(*child.below);
    } else if (!child.node.is_killed_at_once) {
      happened_.told.push_back('-' + child.node.id + ": shutdown");
    }
  }
  std::erase_if(supervisor.mail, [&](const Mail& mail) {
    return mail.kind == Mail::Kind::exit && mail.number == child.number;
  });
  child.state = ChildState::stopped;
  child.has_ended = false;
  child.below.reset();
}

void TreeModel::take_down(Supervisor& supervisor, Position child) {
  if (child->state == ChildState::running) stop(supervisor, *child);
  child->state = ChildState::stopped;
  if (child->node.restart == Restart::temporary) supervisor.children.erase(child);
}

void TreeModel::crash(Supervisor& supervisor, Child& child, const ExitReason& reason) {
  child.has_ended = true;
  if (child.below) orphan(*child.below);
  supervisor.mail.push_back({Mail::Kind::exit, child.node.id, child.number, reason, {}});
}

// It was killed: its children are, and supervisors among them stop theirs in order (V18).
void TreeModel::orphan(Supervisor& supervisor) {
  for (Child& child : supervisor.children) {
    if (child.state != ChildState::running || child.has_ended) continue;
    if (child.below) {
      std::vector<std::string> rest = std::exchange(happened_.told, {});
      stop_children(*child.below);
      happened_.apart.push_back(std::exchange(happened_.told, std::move(rest)));
    } else {
      happened_.apart.push_back({'-' + child.node.id + ": killed"});
    }
  }
}

// --- its mailbox (V16, V27–V38) ---

void TreeModel::handle_all(Supervisor& supervisor) {
  while (!supervisor.mail.empty() && !supervisor.is_over) {
    const Mail mail = supervisor.mail.front();
    supervisor.mail.pop_front();
    switch (mail.kind) {
      case Mail::Kind::exit:
        handle_exit(supervisor, mail);
        break;
      case Mail::Kind::retry: {
        const auto child = find(supervisor, mail.id);
        const bool is_due = child != supervisor.children.end() &&
                            child->state == ChildState::restarting && child->number == mail.number;
        if (is_due) restart(supervisor, child);
        break;
      }
      case Mail::Kind::request:
        happened_.answers.push_back(answer(supervisor, mail.request));
        break;
    }
  }
  for (const Mail& mail : supervisor.mail)
    if (mail.kind == Mail::Kind::request) happened_.answers.emplace_back("no supervisor");
  supervisor.mail.clear();
  if (!supervisor.is_over || !supervisor.above) return;
  Supervisor& above = *supervisor.above;
  Child& child = *find(above, supervisor.node.id);
  child.has_ended = true;
  above.mail.push_back({Mail::Kind::exit, child.node.id, child.number, supervisor.end, {}});
  handle_all(above);
}

void TreeModel::handle_exit(Supervisor& supervisor, const Mail& mail) {
  const auto child = find(supervisor, mail.id);
  if (child == supervisor.children.end() || child->number != mail.number) return;
  child->state = ChildState::stopped;
  child->has_ended = false;
  child->below.reset();
  const Restart type = child->node.restart;
  if (type == Restart::permanent || (type == Restart::transient && !mail.reason.is_orderly()))
    return restart(supervisor, child);
  const bool is_significant = child->node.is_significant;
  if (type == Restart::temporary) supervisor.children.erase(child);
  if (!is_significant) return;
  const bool is_last = std::ranges::none_of(supervisor.children, [](const Child& other) {
    return other.node.is_significant && other.state != ChildState::stopped;
  });
  if (supervisor.node.auto_shutdown == AutoShutdown::any_significant || is_last) end(supervisor);
}

// Whom the strategy restarts with this child, in order (V30, V31).
std::vector<TreeModel::Position> TreeModel::group_of(Supervisor& supervisor, Position child) {
  if (supervisor.node.strategy == Strategy::one_for_one) return {child};
  const bool is_everybody = supervisor.node.strategy == Strategy::one_for_all;
  std::vector<Position> group;
  for (auto other = is_everybody ? supervisor.children.begin() : child;
       other != supervisor.children.end();
       ++other)
    group.push_back(other);
  return group;
}

void TreeModel::restart(Supervisor& supervisor, Position child) {
  if (++supervisor.restarts > supervisor.node.intensity) return end(supervisor);
  for (const Position other : group_of(supervisor, child) | std::views::reverse)
    if (other != child && other->state != ChildState::stopped) take_down(supervisor, other);
  for (const Position next : group_of(supervisor, child)) {
    if (start(supervisor, *next) != Outcome::failed) continue;
    next->state = ChildState::restarting;
    next->number = ++numbers_;
    supervisor.mail.push_back({Mail::Kind::retry, next->node.id, next->number, {}, {}});
    return;
  }
}

void TreeModel::end(Supervisor& supervisor) {
  stop_children(supervisor);
  supervisor.is_over = true;
  supervisor.end = ExitReason::shutdown();
}

// --- requests (V20–V22) ---

std::string TreeModel::answer(Supervisor& supervisor, const Order& request) {
  const auto child = find(supervisor, request.id);
  const bool is_there = child != supervisor.children.end();
  if (request.act == Act::start) {
    if (is_there)
      return child->state == ChildState::running ? "already started" : "already present";
    supervisor.children.push_back({.node = request.node});
    const Outcome outcome = start(supervisor, supervisor.children.back());
    const bool is_kept = outcome == Outcome::up || (outcome == Outcome::ignored &&
                                                    request.node.restart != Restart::temporary);
    if (!is_kept) supervisor.children.pop_back();
    return outcome == Outcome::up ? "started" : outcome == Outcome::ignored ? "ignored" : "error";
  }
  if (!is_there) return "not found";
  if (request.act == Act::terminate) {
    take_down(supervisor, child);
    return "done";
  }
  if (child->state == ChildState::running) return "running";
  if (child->state == ChildState::restarting) return "restarting";
  if (request.act == Act::forget) {
    supervisor.children.erase(child);
    return "done";
  }
  const Outcome outcome = start(supervisor, *child);
  return outcome == Outcome::up        ? "started"
         : outcome == Outcome::ignored ? "ignored"
                                       : "not started";
}

}  // namespace airssys::rt::property
