// tree_driver.cpp: real supervisors that do what a plan says.
#include "tests/property/tree_driver.hpp"

#include <cstddef>
#include <expected>
#include <stdexcept>
#include <utility>

#include "tests/property/property.hpp"

namespace airssys::rt::property {

void Moods::set(const std::string& id, const std::string& mood) {
  const std::lock_guard lock(mutex_);
  moods_[id] = mood;
}

char Moods::next(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::string& mood = moods_[id];
  if (mood.empty()) return 'u';
  const char next = mood.front();
  mood.erase(0, 1);
  return next;
}

namespace {

struct End {
  ExitReason reason;
};

struct Answer {
  std::size_t number;
  std::string text;
};

SupervisorOptions options_of(const Node& node, const std::shared_ptr<Moods>& moods, Pid owner) {
  SupervisorOptions options{.strategy = node.strategy,
                            .intensity = node.intensity,
                            .period = 1h,
                            .auto_shutdown = node.auto_shutdown};
  for (const Node& child : node.children) options.children.push_back(child_of(child, moods, owner));
  return options;
}

void be_a_leaf(const std::string& id, Pid owner, const Starter& starter) {
  trap_exit(true);
  send(owner, Told{'+' + id});
  starter.acknowledge();
  receive([](End end) { exit(end.reason); },
          [&](Exit asked) {
            send(owner, Told{'-' + id + ": " + asked.reason.to_string()});
            exit(asked.reason);
          });
}

std::expected<Pid, StartError> start_node(const Node& node,
                                          const std::shared_ptr<Moods>& moods,
                                          Pid owner) {
  switch (moods->next(node.id)) {
    case 'f':
      throw std::runtime_error("it is in a mood");
    case 'i':
      return std::unexpected(StartError(StartError::ignore, {}, "it is in a mood"));
    default:
      break;
  }
  if (node.is_doubled) spawn([] { receive<End>(); });
  if (node.is_supervisor) return try_start_supervisor_link(options_of(node, moods, owner));
  return try_start_body_link(
      [id = node.id, owner](Starter starter) { be_a_leaf(id, owner, starter); });
}

std::string word(StartError::Kind kind) {
  switch (kind) {
    case StartError::already_started:
      return "already started";
    case StartError::already_present:
      return "already present";
    case StartError::no_supervisor:
      return "no supervisor";
    default:
      return "error";
  }
}

std::string word(ChildError::Kind kind) {
  switch (kind) {
    case ChildError::not_found:
      return "not found";
    case ChildError::running:
      return "running";
    case ChildError::restarting:
      return "restarting";
    case ChildError::not_started:
      return "not started";
    case ChildError::by_pid_only:
      return "by pid only";
    case ChildError::no_supervisor:
      return "no supervisor";
    default:
      return "error";
  }
}

std::string word(const auto& answer) {
  if (!answer) return word(answer.error().kind());
  if constexpr (requires { answer->to_string(); }) {
    return *answer ? "started" : "ignored";
  } else {
    return "done";
  }
}

}  // namespace

ChildSpec child_of(const Node& node, const std::shared_ptr<Moods>& moods, Pid owner) {
  return child_started_by(
      node.id,
      [node, moods, owner] { return start_node(node, moods, owner); },
      {.restart = node.restart,
       .shutdown = node.is_killed_at_once ? Shutdown::brutal_kill() : Shutdown::infinity(),
       .significant = node.is_significant,
       .type = node.is_supervisor ? ChildType::supervisor : ChildType::worker});
}

void crash(Pid leaf, const ExitReason& reason) {
  if (reason == ExitReason::killed()) {
    send_exit(leaf, ExitReason::kill());
  } else {
    send(leaf, End{reason});
  }
}

std::string answer_of(Pid supervisor, const Order& order, const ChildSpec& started) {
  switch (order.act) {
    case Act::terminate:
      return word(try_terminate_child(supervisor, order.id));
    case Act::restart:
      return word(try_restart_child(supervisor, order.id));
    case Act::forget:
      return word(try_delete_child(supervisor, order.id));
    default:
      return word(try_start_child(supervisor, started));
  }
}

// --- the tree ---

TreeDriver::TreeDriver(const Node& root, Duration time) : time_(time), node_(root) {
  trap_exit(true);
}

std::optional<std::string> TreeDriver::tree_of(const std::string& id, Pid supervisor) {
  pids_[id] = supervisor;
  const auto children = try_which_children(supervisor);
  if (!children) return std::nullopt;
  std::string text;
  for (auto child = children->rbegin(); child != children->rend(); ++child) {
    if (!text.empty()) text += ' ';
    if (child->state == ChildState::restarting) return std::nullopt;
    const bool is_running = child->state == ChildState::running;
    if (is_running && child->type == ChildType::supervisor) {
      const auto below = tree_of(child->id, child->pid);
      if (!below) return std::nullopt;
      text += *below;
      continue;
    }
    if (is_running) pids_[child->id] = child->pid;
    if (is_running && !is_alive(child->pid)) return std::nullopt;
    text += child->id + (is_running ? ":running" : ":stopped");
  }
  return id + '[' + text + ']';
}

std::string TreeDriver::tree() {
  const auto end_of_root = [this] {
    std::string end;
    receive(when([&](Exit& exit) { return exit.from == root_; },
                 [&](Exit& exit) { end = exit.reason.to_string(); }),
            after(Duration::zero(), [] {}));
    return end;
  };
  return await(
      time_,
      [&] {
        if (std::string end = end_of_root(); !end.empty()) return end;
        pids_.clear();
        return tree_of(node_.id, root_).value_or("not at rest");
      },
      [](const std::string& tree) { return tree != "not at rest"; });
}

Happened TreeDriver::report(const Happened& expected) {
  Happened happened;
  happened.tree = tree();
  // What is told apart comes when it likes; all else has come before the supervisors answered.
  std::size_t apart = 0;
  for (const auto& row : expected.apart) apart += row.size();
  const Deadline deadline = Deadline::after(time_);
  while (true) {
    const bool is_awaited = happened.told.size() < expected.told.size() + apart;
    std::optional<Told> told =
        receive<Told>(is_awaited && apart != 0 ? deadline.remaining() : Duration::zero());
    if (!told) return happened;
    happened.told.push_back(std::move(told->text));
  }
}

Happened TreeDriver::start(const Happened& expected) {
  root_ = start_supervisor_link(options_of(node_, moods_, self()));
  return report(expected);
}

Happened TreeDriver::stop(const Happened& expected) {
  rt::stop(root_);
  return report(expected);
}

Happened TreeDriver::perform(const TreeModel::Plan& plan, const Happened& expected) {
  const Pid supervisor = pids_.at(plan.supervisor);
  const bool is_together = plan.orders.size() > 1;
  if (is_together) sys::suspend(supervisor, time_);
  std::size_t asked = 0;
  for (const Order& order : plan.orders) {
    if (order.act == Act::upset) {
      moods_->set(order.id, order.mood);
    } else if (order.act != Act::crash) {
      ask(supervisor, order, asked++, is_together);
    } else if (const auto child = pids_.find(order.id); child != pids_.end()) {
      crash_and_wait(child->second, order.reason);
    }
  }
  if (is_together) sys::resume(supervisor, time_);
  std::vector<std::string> answers(asked, "no answer");
  for (; asked != 0; --asked)
    if (auto answer = receive<Answer>(time_)) answers[answer->number] = std::move(answer->text);
  Happened happened = report(expected);
  happened.answers = std::move(answers);
  return happened;
}

// Its supervisor has its exit when this returns.
void TreeDriver::crash_and_wait(Pid child, const ExitReason& reason) {
  const MonitorRef ref = monitor(child);
  crash(child, reason);
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}), after(time_, [] {}));
}

// A suspended supervisor has the request in its mailbox when this returns.
void TreeDriver::ask(Pid supervisor, const Order& order, std::size_t number, bool is_suspended) {
  const auto mail = [supervisor] {
    const auto info = process_info(supervisor);
    return info ? info->message_queue_len : 0;
  };
  const std::size_t before = mail();
  spawn([=, spec = child_of(order.node, moods_, self()), owner = self()] {
    send(owner, Answer{number, answer_of(supervisor, order, spec)});
  });
  if (is_suspended) await(time_, mail, [before](std::size_t now) { return now > before; });
}

}  // namespace airssys::rt::property
