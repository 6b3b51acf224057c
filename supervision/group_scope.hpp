// group_scope.hpp: the process of a scope: takes joins and leaves, watches members, tells of them.
//
// What is asked is noted at once and takes effect in a batch. The first thing to note makes the
// scope let all others run that are ready, and then send Settle to itself, behind what they sent.
// Settling makes each changed group's new list in one pass and publishes it, then tells those who
// monitor, then answers those who asked. So many joins or ends that come together cost as much as
// one, and whoever has heard of a change finds it in the list.
#pragma once

#include <airssys/rt/from.hpp>
#include <airssys/rt/group.hpp>
#include <airssys/rt/link.hpp>
#include <airssys/rt/message.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/server.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace airssys::rt {

// What a group's scope publishes and everybody reads: a list that only grows, up to the next one.
// Who reads gets a length with it, and the scope writes behind that, where nobody looks yet.
class detail::GroupCell {
 public:
  GroupCell(std::string of_group, Pid of_scope) : name(std::move(of_group)), scope(of_scope) {}

  const std::string name;
  const Pid scope;

  // Any thread.
  GroupMembers read() const {
    const std::scoped_lock lock(mutex_);
    return {pids_, size_};
  }

  // The scope. `replace` begins a new list, with room for as many again.
  void append(const std::vector<Pid>& pids);
  void replace(const std::vector<Pid>& pids);

 private:
  mutable std::mutex mutex_;  // never held over a safe point
  std::shared_ptr<Pid[]> pids_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

namespace supervision {

// To itself, whatever bounds its mailbox has: the first thing has been noted; settle what is.
struct Gather {};
struct Settle {};

}  // namespace supervision

template <>
inline constexpr bool detail::is_system_message<supervision::Gather> = true;
template <>
inline constexpr bool detail::is_system_message<supervision::Settle> = true;

namespace supervision {

class GroupScope : public Server<GroupScope> {
 public:
  struct Open {
    using Reply = std::shared_ptr<detail::GroupCell>;
    std::string group;
  };
  struct Join {
    using Reply = void;
    std::string group;
    std::vector<Pid> members;
  };
  struct Leave {
    using Reply = bool;
    std::string group;
    Pid member;
  };
  struct Which {
    using Reply = std::vector<std::string>;
  };
  struct Monitor {
    using Reply = GroupMonitor;
    Pid subscriber;
    std::string group;
  };
  struct MonitorAll {
    using Reply = Ref;
    Pid subscriber;
  };
  struct Demonitor {
    using Reply = void;
    Ref ref;
  };

  GroupScope() = default;
  GroupScope(const GroupScope&) = delete;
  GroupScope& operator=(const GroupScope&) = delete;
  // Its groups are empty.
  ~GroupScope();

  Open::Reply handle(const Open& open);
  void handle(const Join& join, From<void> caller);
  void handle(const Leave& leave, From<bool> caller);
  Which::Reply handle(Which which);
  Monitor::Reply handle(const Monitor& monitor);
  MonitorAll::Reply handle(MonitorAll monitor);
  void handle(Demonitor demonitor);
  void handle_info(Message& message);

  std::size_t groups() const noexcept { return groups_.size(); }

 private:
  struct Entry {
    std::shared_ptr<detail::GroupCell> cell;
    std::size_t memberships = 0;  // with what is noted
    std::vector<Ref> monitors;
    // Noted: who joins, and of whom how many memberships end. Both empty: it is settled.
    std::vector<Pid> joining;
    std::unordered_map<Pid, std::size_t> leaving;
  };
  struct Member {
    MonitorRef ref;
    std::vector<std::pair<Entry*, std::size_t>> memberships;  // in few groups, as a rule
  };
  struct Change {
    Entry* group;
    GroupChange::Kind kind;
    std::vector<Pid> members;
  };

  Entry& entry(const std::string& group);
  void forget_unused();
  void add(Entry& group, Pid member);
  bool remove(Entry& group, Pid member);
  void remove_everywhere(Pid member);
  void note(Entry& group, GroupChange::Kind kind, std::vector<Pid> members);
  Ref add_subscriber(Pid subscriber, Entry* group);
  bool remove_subscriber(Ref ref);
  void settle();
  static void publish(Entry& group);
  void tell(const Change& change) const;

  std::unordered_map<std::string, Entry> groups_;
  std::size_t swept_at_ = 16;  // so many groups, and unused ones are looked for
  std::unordered_map<Pid, Member> members_;
  struct Subscriber {
    Pid pid;
    Entry* group;  // null: all of them
  };
  std::unordered_map<Ref, Subscriber> subscribers_;
  std::vector<Ref> monitors_of_all_;

  // Noted, in order.
  std::vector<Change> changes_;
  std::vector<From<void>> joined_;
  std::vector<From<bool>> left_;
};

}  // namespace supervision
}  // namespace airssys::rt
