// signal_history.cpp: the promises, one after the other.
#include "tests/property/signal_history.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

namespace airssys::rt::property {

namespace {

class Check {
 public:
  explicit Check(const History& history) : history_(history) {}

  std::string run() {
    for (std::size_t a = 0; a < history_.labels.size(); ++a) {
      check_notes(a);
      if (!is_alive(a)) continue;
      check_monitors(a);
      check_trap(a);
      check_kills(a);
      for (std::size_t b = 0; b < history_.labels.size(); ++b) check_pair(a, b);
    }
    return std::move(wrong_);
  }

 private:
  bool is_alive(std::size_t slot) const { return history_.seen[slot].is_alive; }
  const std::string& label(std::size_t slot) const { return history_.labels[slot]; }

  void complain(const std::string& what) { wrong_ += "\n  " + what; }

  const Did* deed(std::size_t slot, std::size_t number) const {
    const auto& deeds = history_.deeds[slot];
    const auto found = std::ranges::find(deeds, number, [](const Did& did) { return did.number; });
    return found == deeds.end() ? nullptr : &*found;
  }
  // Whether the step was done, as far as anybody knows: whoever dies says nothing of its last.
  bool was_done(std::size_t number) const {
    return deed(history_.steps[number - 1].slot, number) != nullptr;
  }

  Row heard_from(std::size_t listener, std::size_t sender, std::string_view kind) const {
    Row texts;
    const std::string from = " from " + label(sender);
    for (const Did& did : history_.deeds[listener])
      for (const std::string& text : did.heard)
        if (text.starts_with(kind) && text.ends_with(from)) texts.push_back(text);
    return texts;
  }

  template <class P>
  std::size_t count_steps(P is_counted) const {
    return static_cast<std::size_t>(std::ranges::count_if(history_.steps, is_counted));
  }

  // In order, none twice, and none lost on the way to one who lives.
  void check_notes(std::size_t listener) {
    for (std::size_t sender = 0; sender < history_.labels.size(); ++sender) {
      std::vector<std::size_t> numbers;
      for (const std::string& text : heard_from(listener, sender, "note "))
        numbers.push_back(std::strtoul(text.c_str() + 5, nullptr, 10));
      if (std::ranges::adjacent_find(numbers, std::ranges::greater_equal()) != numbers.end())
        complain("notes from " + label(sender) + " to " + label(listener) + " out of order");
      if (!is_alive(listener)) continue;
      for (std::size_t number = 1; number <= history_.steps.size(); ++number) {
        const Step& step = history_.steps[number - 1];
        const bool is_due = step.op == Op::note && step.slot == sender && step.other == listener &&
                            was_done(number);
        if (is_due && std::ranges::find(numbers, number) == numbers.end())
          complain("note " + std::to_string(number) + " to " + label(listener) + " is lost");
      }
    }
  }

  struct Monitor {
    std::size_t target;
    bool was_active = false;  // when it was taken back
    bool may_be_flushed = false;
  };
  std::vector<Monitor> monitors_of(std::size_t owner) const {
    std::vector<Monitor> monitors;
    for (const Did& did : history_.deeds[owner]) {
      if (did.number > history_.steps.size()) break;
      const Step& step = history_.steps[did.number - 1];
      if (step.op == Op::monitor) monitors.push_back({step.other});
      if (step.op != Op::demonitor || monitors.empty()) continue;
      Monitor& monitor = monitors[step.variant % monitors.size()];
      if (did.answer == "was active") monitor.was_active = true;
      if (step.variant % 2 == 1) monitor.may_be_flushed = true;
    }
    return monitors;
  }

  // One Down, of one that has ended; none from one that was taken back in time.
  void check_monitors(std::size_t owner) {
    const std::vector<Monitor> monitors = monitors_of(owner);
    std::map<std::size_t, std::size_t> downs;
    for (std::size_t target = 0; target < history_.labels.size(); ++target) {
      for (const std::string& text : heard_from(owner, target, "down ")) {
        ++downs[std::strtoul(text.c_str() + 5, nullptr, 10)];
        const bool is_why = text.find(' ' + history_.seen[target].reason + " from ") != text.npos ||
                            text.find(" noproc from ") != text.npos;
        if (!is_why) complain(label(owner) + " heard of a wrong reason: " + text);
      }
    }
    for (std::size_t i = 0; i < monitors.size(); ++i) {
      const bool is_due = !is_alive(monitors[i].target) && !monitors[i].was_active;
      const std::size_t most = is_due ? 1 : 0;
      const std::size_t least = is_due && !monitors[i].may_be_flushed ? 1 : 0;
      if (downs[i] > most || downs[i] < least)
        complain("monitor " + std::to_string(i) + " of " + label(owner) + " had " +
                 std::to_string(downs[i]) + " downs");
    }
    if (downs.size() > monitors.size()) complain(label(owner) + " heard of what it did not watch");
  }

  void check_trap(std::size_t slot) {
    bool is_set = false;
    for (const Did& did : history_.deeds[slot]) {
      if (did.number > history_.steps.size()) break;
      const Step& step = history_.steps[did.number - 1];
      if (step.op == Op::trap) is_set = is_on(step.variant);
    }
    if (history_.seen[slot].traps_exits != is_set) complain("the trap of " + label(slot));
  }

  void check_kills(std::size_t slot) {
    for (std::size_t number = 1; number <= history_.steps.size(); ++number) {
      const Step& step = history_.steps[number - 1];
      const bool is_kill = step.op == Op::send_exit && step.other == slot &&
                           exit_reason(step.variant).kind() == ExitReason::Kind::kill;
      if (is_kill && was_done(number)) complain(label(slot) + " has survived a kill");
    }
  }

  void check_pair(std::size_t a, std::size_t b) {
    const auto joins = [&](const Step& step, Op op) {
      return step.op == op &&
             ((step.slot == a && step.other == b) || (step.slot == b && step.other == a));
    };
    const std::size_t links = count_steps([&](const Step& step) { return joins(step, Op::link); });
    const std::size_t exits = count_steps([&](const Step& step) {
      return step.op == Op::send_exit && step.slot == b && step.other == a;
    });
    if (heard_from(a, b, "exit ").size() > links + exits)
      complain(label(a) + " heard too many exits of " + label(b));

    const Seen& seen = history_.seen[a];
    const std::size_t linked = seen.links.count(label(b));
    const std::size_t watches = seen.watches.count(label(b));
    if (a == b || links == 0 || !is_alive(b)) {
      if (linked != 0) complain(label(a) + " is linked to " + label(b));
    }
    if (!is_alive(b)) {
      if (watches != 0) complain(label(a) + " watches the dead " + label(b));
      if (a != b) check_survivor(a, b);
      return;
    }
    if (linked != history_.seen[b].links.count(label(a)))
      complain("one half of a link: " + label(a) + ", " + label(b));
    if (watches != history_.seen[b].watched_by.count(label(a)))
      complain("one half of a monitor: " + label(a) + ", " + label(b));
    if (a != b && has_joined(a, b) && linked != 1)
      complain(label(a) + " is not linked to " + label(b));
  }

  // Whether they were linked, for certain, and nobody has undone that.
  bool has_joined(std::size_t a, std::size_t b) const {
    bool has_joined = false;
    for (std::size_t number = 1; number <= history_.steps.size(); ++number) {
      const Step& step = history_.steps[number - 1];
      const bool is_pair =
          (step.slot == a && step.other == b) || (step.slot == b && step.other == a);
      if (is_pair && step.op == Op::unlink) return false;
      const Did* did = deed(step.slot, number);
      if (is_pair && step.op == Op::link && did && did->answer.empty()) has_joined = true;
    }
    return has_joined;
  }

  // Who never traps exits does not survive one that it is linked to.
  void check_survivor(std::size_t alive, std::size_t dead) {
    const bool traps = count_steps([&](const Step& step) {
                         return step.op == Op::trap && step.slot == alive;
                       }) != 0;
    if (!traps && has_joined(alive, dead) && history_.seen[dead].reason != "normal")
      complain(label(alive) + " has survived " + label(dead));
  }

  const History& history_;
  std::string wrong_;
};

}  // namespace

std::string wrong_with(const History& history) {
  return Check(history).run();
}

}  // namespace airssys::rt::property
