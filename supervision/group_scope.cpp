// group_scope.cpp: what a scope notes, and how it settles it.
#include "supervision/group_scope.hpp"

#include <airssys/rt/process.hpp>
#include <airssys/rt/send.hpp>
#include <algorithm>
#include <utility>

namespace airssys::rt {

void detail::GroupCell::append(const std::vector<Pid>& pids) {
  if (pids.size() > capacity_ - size_) {
    std::vector<Pid> all(pids_.get(), pids_.get() + size_);
    all.insert(all.end(), pids.begin(), pids.end());
    return replace(all);
  }
  std::ranges::copy(pids, pids_.get() + size_);
  const std::scoped_lock lock(mutex_);
  size_ += pids.size();
}

void detail::GroupCell::replace(const std::vector<Pid>& pids) {
  capacity_ = 2 * pids.size();
  auto next = std::make_shared<Pid[]>(capacity_);
  std::ranges::copy(pids, next.get());
  const std::scoped_lock lock(mutex_);
  pids_.swap(next);  // the old list goes after the lock
  size_ = pids.size();
}

namespace supervision {

GroupScope::~GroupScope() {
  for (auto& [name, group] : groups_) group.cell->replace({});
}

// --- what is asked ---

auto GroupScope::handle(const Open& open) -> Open::Reply {
  return entry(open.group).cell;
}

void GroupScope::handle(const Join& join, From<void> caller) {
  if (join.members.empty()) return caller.reply();
  Entry& group = entry(join.group);
  for (const Pid member : join.members) add(group, member);
  note(group, GroupChange::joined, join.members);
  joined_.push_back(std::move(caller));
}

void GroupScope::handle(const Leave& leave, From<bool> caller) {
  Entry& group = entry(leave.group);
  const bool was_member = remove(group, leave.member);
  if (was_member) note(group, GroupChange::left, {leave.member});
  was_member ? left_.push_back(std::move(caller)) : caller.reply(false);
}

auto GroupScope::handle(Which /*which*/) -> Which::Reply {
  Which::Reply names;
  for (const auto& [name, group] : groups_) {
    if (group.memberships > 0) names.push_back(name);
  }
  return names;
}

auto GroupScope::handle(const Monitor& monitor) -> Monitor::Reply {
  settle();
  Entry& group = entry(monitor.group);
  const Ref ref = add_subscriber(monitor.subscriber, &group);
  group.monitors.push_back(ref);
  return {ref, group.cell->read()};
}

auto GroupScope::handle(MonitorAll monitor) -> MonitorAll::Reply {
  settle();
  const Ref ref = add_subscriber(monitor.subscriber, nullptr);
  monitors_of_all_.push_back(ref);
  return ref;
}

void GroupScope::handle(Demonitor demonitor) {
  if (remove_subscriber(demonitor.ref)) rt::demonitor(MonitorRef{demonitor.ref});
}

void GroupScope::handle_info(Message& message) {
  if (message.is<Gather>()) {
    yield();
    send(self(), Settle());
  }
  if (message.is<Settle>()) settle();
  if (const auto* down = message.get_if<Down>()) {
    const auto member = members_.find(down->pid);
    if (member != members_.end() && member->second.ref == down->ref) {
      remove_everywhere(down->pid);
    } else {
      remove_subscriber(down->ref);
    }
  }
}

// --- noting ---

GroupScope::Entry& GroupScope::entry(const std::string& group) {
  auto found = groups_.find(group);
  if (found == groups_.end()) {
    forget_unused();
    found = groups_.emplace(group, Entry()).first;
    found->second.cell = std::make_shared<detail::GroupCell>(group, self());
  }
  return found->second;
}

// Groups that nobody is in, watches or holds; looked for when there are twice as many groups as
// after the last time.
void GroupScope::forget_unused() {
  if (groups_.size() < swept_at_) return;
  std::erase_if(groups_, [](const auto& each) {
    const Entry& group = each.second;
    const bool is_settled = group.joining.empty() && group.leaving.empty();
    return is_settled && group.memberships == 0 && group.monitors.empty() &&
           group.cell.use_count() == 1;
  });
  swept_at_ = std::max<std::size_t>(16, 2 * groups_.size());
}

void GroupScope::add(Entry& group, Pid member) {
  auto [place, is_new] = members_.try_emplace(member);
  if (is_new) place->second.ref = monitor(member);
  auto& memberships = place->second.memberships;
  const auto here = std::ranges::find(memberships, &group, &std::pair<Entry*, std::size_t>::first);
  if (here == memberships.end()) {
    memberships.emplace_back(&group, 1);
  } else {
    ++here->second;
  }
  ++group.memberships;
  group.joining.push_back(member);
}

bool GroupScope::remove(Entry& group, Pid member) {
  const auto place = members_.find(member);
  if (place == members_.end()) return false;
  auto& memberships = place->second.memberships;
  const auto here = std::ranges::find(memberships, &group, &std::pair<Entry*, std::size_t>::first);
  if (here == memberships.end()) return false;
  if (--here->second == 0) memberships.erase(here);
  if (memberships.empty()) {
    demonitor(place->second.ref, Flush::yes);
    members_.erase(place);
  }
  --group.memberships;
  ++group.leaving[member];
  return true;
}

void GroupScope::remove_everywhere(Pid member) {
  const auto place = members_.extract(member);
  for (const auto& [group, times] : place.mapped().memberships) {
    group->memberships -= times;
    group->leaving[member] += times;
    note(*group, GroupChange::left, std::vector<Pid>(times, member));
  }
}

void GroupScope::note(Entry& group, GroupChange::Kind kind, std::vector<Pid> members) {
  if (changes_.empty()) send(self(), Gather());
  changes_.push_back({&group, kind, std::move(members)});
}

Ref GroupScope::add_subscriber(Pid subscriber, Entry* group) {
  const Ref ref = monitor(subscriber);
  subscribers_.emplace(ref, Subscriber{subscriber, group});
  return ref;
}

bool GroupScope::remove_subscriber(Ref ref) {
  const auto place = subscribers_.find(ref);
  if (place == subscribers_.end()) return false;
  Entry* const group = place->second.group;
  std::erase(group ? group->monitors : monitors_of_all_, ref);
  subscribers_.erase(place);
  return true;
}

// --- settling ---

void GroupScope::settle() {
  for (const Change& change : changes_) publish(*change.group);
  for (const Change& change : changes_) tell(change);
  changes_.clear();
  for (From<void>& caller : joined_) caller.reply();
  joined_.clear();
  for (From<bool>& caller : left_) caller.reply(true);
  left_.clear();
}

// The first change of a group publishes all of them.
void GroupScope::publish(Entry& group) {
  if (group.leaving.empty()) {
    group.cell->append(group.joining);
  } else {
    std::vector<Pid> next;
    next.reserve(group.memberships);
    const auto keep = [&](Pid member) {
      const auto leaving = group.leaving.find(member);
      if (leaving == group.leaving.end() || leaving->second == 0) {
        next.push_back(member);
      } else {
        --leaving->second;
      }
    };
    std::ranges::for_each(group.cell->read(), keep);
    std::ranges::for_each(group.joining, keep);
    group.cell->replace(next);
  }
  group.joining.clear();
  group.leaving.clear();
}

void GroupScope::tell(const Change& change) const {
  for (const std::vector<Ref>* monitors :
       {&std::as_const(change.group->monitors), &monitors_of_all_}) {
    for (const Ref& ref : *monitors) {
      try_send(subscribers_.at(ref).pid,
               GroupChange{ref, change.group->cell->name, change.kind, change.members});
    }
  }
}

}  // namespace supervision
}  // namespace airssys::rt
