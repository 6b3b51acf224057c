// signal_model.cpp: the rules, one after the other.
#include "tests/property/signal_model.hpp"

#include <algorithm>
#include <utility>

namespace airssys::rt::property {

std::string to_string(const Seen& seen) {
  if (!seen.is_alive) return "ended with " + seen.reason;
  const auto list = [](std::string text, const std::multiset<std::string>& names) {
    for (const std::string& name : names) text += ' ' + name;
    return text;
  };
  return "'" + seen.name + "' mail " + std::to_string(seen.mail) +
         (seen.traps_exits ? " traps" : "") + list(", links", seen.links) +
         list(", watches", seen.watches) + list(", watched by", seen.watched_by);
}

SignalModel::SignalModel() : in_slot_(slots), renewed_(slots) {
  for (std::size_t slot = 0; slot < slots; ++slot) renew(slot);
}

void SignalModel::renew(std::size_t slot) {
  in_slot_[slot] = processes_.size();
  processes_.push_back({.label = static_cast<char>('a' + slot) + std::to_string(renewed_[slot]++)});
}

std::string SignalModel::label(std::size_t slot) const {
  return processes_.at(in_slot_.at(slot)).label;
}

Seen SignalModel::seen(std::size_t slot) const {
  const Index index = in_slot_.at(slot);
  const Process& process = processes_.at(index);
  if (!process.is_alive) return {.is_alive = false, .reason = process.reason.to_string()};
  Seen seen{
      .name = process.name, .traps_exits = process.traps_exits, .mail = process.mailbox.size()};
  for (const Index peer : process.links) seen.links.insert(processes_[peer].label);
  for (const Monitor& each : process.monitors)
    if (each.is_active) seen.watches.insert(processes_[each.target].label);
  for (const Process& other : processes_)
    for (const Monitor& each : other.monitors)
      if (other.is_alive && each.is_active && each.target == index)
        seen.watched_by.insert(other.label);
  return seen;
}

SignalModel::Outcome SignalModel::perform(const Step& step) {
  const Index who = in_slot_.at(step.slot);
  const Index other = in_slot_.at(step.other);
  ++step_;
  switch (step.op) {
    case Op::note:
      hear(other, who, "note " + std::to_string(step_));
      return {""};
    case Op::note_name: {
      const auto holder = names_.find(name_of(step.variant));
      if (holder == names_.end()) return {"nobody"};
      hear(holder->second, who, "note " + std::to_string(step_));
      return {""};
    }
    case Op::link:
      return {link(who, other)};
    case Op::unlink:
      unlink(who, other);
      return {""};
    case Op::monitor:
      monitor(who, other);
      return {""};
    case Op::demonitor:
      return {demonitor(who, step.variant)};
    case Op::end:
      die(who, end_reason(step.variant));
      return {};
    case Op::send_exit:
      send_exit(who, other, exit_reason(step.variant));
      if (!processes_[who].is_alive) return {};
      return {""};
    case Op::trap:
      return {std::exchange(processes_[who].traps_exits, is_on(step.variant)) ? "on" : "off"};
    case Op::name:
      return {give_name(other, name_of(step.variant))};
    case Op::unname:
      return {take_name(name_of(step.variant))};
    case Op::look_up: {
      const auto holder = names_.find(name_of(step.variant));
      return {holder == names_.end() ? "nobody" : processes_[holder->second].label};
    }
    case Op::drain:
      return {"", std::exchange(processes_[who].mailbox, {})};
  }
  return {};
}

void SignalModel::hear(Index listener, Index sender, std::string text) {
  Process& process = processes_[listener];
  if (!process.is_alive) return;
  const std::string& label = processes_[sender].label;
  process.mailbox.push_back({step_, label, std::move(text) + " from " + label});
}

// --- ends (X3, X5, X6, X11, L9, M6, M11, N7) ---

void SignalModel::die(Index who, const ExitReason& reason) {
  if (!processes_[who].is_alive) return;
  processes_[who].is_alive = false;
  processes_[who].reason = reason;
  if (!processes_[who].name.empty()) names_.erase(processes_[who].name);
  const std::set<Index> peers = std::exchange(processes_[who].links, {});
  // To each, its exit first and then the downs.
  for (const Index peer : peers) processes_[peer].links.erase(who);
  for (const Index peer : peers)
    if (processes_[peer].traps_exits) link_breaks(peer, who, reason);
  for (Index watcher = 0; watcher < processes_.size(); ++watcher) {
    std::vector<Monitor>& monitors = processes_[watcher].monitors;
    for (std::size_t i = 0; i < monitors.size(); ++i) {
      if (!monitors[i].is_active || monitors[i].target != who) continue;
      monitors[i].is_active = false;
      hear(watcher, who, "down " + std::to_string(i) + ' ' + reason.to_string());
    }
  }
  for (const Index peer : peers)
    if (!processes_[peer].traps_exits) link_breaks(peer, who, reason);
}

void SignalModel::link_breaks(Index who, Index with, const ExitReason& reason) {
  if (processes_[who].traps_exits) {
    hear(who, with, "exit " + reason.to_string());
  } else if (reason.kind() != ExitReason::Kind::normal) {
    die(who, reason);
  }
}

void SignalModel::send_exit(Index who, Index to, const ExitReason& reason) {
  if (reason.kind() == ExitReason::Kind::kill) {
    die(to, ExitReason::killed());
  } else if (processes_[to].traps_exits) {
    hear(to, who, "exit " + reason.to_string());
  } else if (reason.kind() != ExitReason::Kind::normal || who == to) {
    die(to, reason);
  }
}

// --- links and monitors (L1, L2, L4, L5, M1, M3, M4, M7–M9) ---

std::string SignalModel::link(Index who, Index other) {
  if (who == other) return "";
  if (!processes_[other].is_alive) {
    if (!processes_[who].traps_exits) return "noproc";
    hear(who, other, "exit noproc");
    return "";
  }
  processes_[who].links.insert(other);
  processes_[other].links.insert(who);
  return "";
}

void SignalModel::unlink(Index who, Index other) {
  processes_[who].links.erase(other);
  processes_[other].links.erase(who);
}

void SignalModel::monitor(Index who, Index other) {
  const bool is_active = processes_[other].is_alive && who != other;
  const std::size_t number = processes_[who].monitors.size();
  processes_[who].monitors.push_back({other, is_active});
  if (!processes_[other].is_alive) hear(who, other, "down " + std::to_string(number) + " noproc");
}

// The odd variants flush.
std::string SignalModel::demonitor(Index who, unsigned variant) {
  Process& process = processes_[who];
  if (process.monitors.empty()) return "none";
  const std::size_t number = variant % process.monitors.size();
  if (std::exchange(process.monitors[number].is_active, false)) return "was active";
  if (variant % 2 == 1) {
    const std::string down = "down " + std::to_string(number) + ' ';
    std::erase_if(process.mailbox,
                  [&](const Heard& heard) { return heard.text.starts_with(down); });
  }
  return "was not";
}

// --- names (N1, N3) ---

std::string SignalModel::give_name(Index other, const std::string& name) {
  Process& process = processes_[other];
  if (!process.is_alive || !process.name.empty() || names_.contains(name)) return "refused";
  process.name = name;
  names_.emplace(name, other);
  return "given";
}

std::string SignalModel::take_name(const std::string& name) {
  const auto holder = names_.find(name);
  if (holder == names_.end()) return "refused";
  processes_[holder->second].name.clear();
  names_.erase(holder);
  return "taken back";
}

}  // namespace airssys::rt::property
