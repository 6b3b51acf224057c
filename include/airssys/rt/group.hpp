// group.hpp: processes that are known together, by what they do.
//
//   rt::Group workers = rt::group("workers");
//   rt::join(workers);                                   // the calling process
//   rt::broadcast(workers, Refresh{});                   // a copy to each member
//   for (rt::Pid worker : rt::members(workers)) ...      // a look, not a question
//
// Groups live in a scope: a process that belongs into the tree, before all that use it
// (`child_group_scope("groups")`). It takes joins and leaves in order, and watches the members: who
// ends is a member no more. A process may join several groups, and one group several times; then it
// is there so many times and has to leave so many times. A group is there as soon as it is named.
//
// When a scope ends its groups are empty for ever; a restarted one begins with none. What joins and
// the scope should therefore restart together: `Strategy::rest_for_one`.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/process.hpp>
#include <airssys/rt/ref.hpp>
#include <airssys/rt/send.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airssys::rt {

// --- scopes ---

inline constexpr std::string_view default_group_scope = "groups";

// A scope, by pid or by the name that it has now.
class GroupScopeRef {
 public:
  GroupScopeRef(Pid pid) noexcept : pid_(pid) {}  // NOLINT(google-explicit-constructor)
  GroupScopeRef(std::string_view name);           // NOLINT(google-explicit-constructor)
  GroupScopeRef(const char* name)                 // NOLINT(google-explicit-constructor)
      : GroupScopeRef(std::string_view(name)) {}
  Pid pid() const noexcept { return pid_; }

 private:
  Pid pid_;
};

// Starts a scope under this name, linked to the caller, and as a child. As `start_link` otherwise.
Pid start_group_scope_link(std::string_view name = default_group_scope);
[[nodiscard]] std::expected<Pid, StartError> try_start_group_scope_link(
    std::string_view name = default_group_scope);
// Its name is that of options.start, or else the default one.
ChildSpec child_group_scope(std::string id, ChildOptions options = {});

// --- groups ---

namespace detail {
class GroupCell;
}

// The members at one moment, in the order in which they joined. They stay what they are while
// others join and leave; copies share them. Any thread.
class GroupMembers {
 public:
  GroupMembers(std::shared_ptr<const Pid[]> pids, std::size_t size) noexcept
      : pids_(std::move(pids)), size_(size) {}

  const Pid* begin() const noexcept { return pids_.get(); }
  const Pid* end() const noexcept { return pids_.get() + size_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  Pid operator[](std::size_t i) const noexcept { return begin()[i]; }

 private:
  std::shared_ptr<const Pid[]> pids_;
  std::size_t size_;
};

// A group of one scope. Copies are the same group; any process may hold one.
class Group {
 public:
  explicit Group(std::shared_ptr<detail::GroupCell> cell) noexcept : cell_(std::move(cell)) {}

  const std::string& name() const noexcept;
  Pid scope() const noexcept;  // monitor it to hear of the end of its groups

  detail::GroupCell& cell() const noexcept { return *cell_; }  // for the library

 private:
  std::shared_ptr<detail::GroupCell> cell_;
};

// The verbs down to the next title are calls to the scope: for processes; they suspend, and fail
// with CallError, noproc as a rule, when it is gone.

Group group(std::string_view name, GroupScopeRef scope = default_group_scope);
[[nodiscard]] std::expected<Group, CallError> try_group(std::string_view name,
                                                        GroupScopeRef scope = default_group_scope);

// When it returns, everybody finds the new member. One that has ended is removed again.
void join(const Group& group, Pid member = self());
void join(const Group& group, const std::vector<Pid>& members);
[[nodiscard]] std::expected<void, CallError> try_join(const Group& group,
                                                      const std::vector<Pid>& members);

// Takes one membership back; false when there is none.
bool leave(const Group& group, Pid member = self());
[[nodiscard]] std::expected<bool, CallError> try_leave(const Group& group, Pid member = self());

// The groups that have members, in no order.
std::vector<std::string> which_groups(GroupScopeRef scope = default_group_scope);

// --- reading ---

// Who is a member now. Any thread; never suspends: it takes a lock that is held for nanoseconds.
GroupMembers members(const Group& group);

// Sends a copy to each member, as often as it has joined. For processes; as `send` otherwise.
template <Sendable T>
  requires std::copy_constructible<std::remove_cvref_t<T>>
void broadcast(const Group& group, const T& message) {
  for (const Pid member : members(group)) send(member, T(message));
}

// --- hearing of changes ---

// What comes, in order, behind the members that `monitor_group` answered. Whoever gets it finds it
// in `members`. A subscriber with a bounded mailbox that is full misses it.
struct GroupChange {
  enum Kind : std::uint8_t { joined, left };
  Ref ref;  // of the monitor
  std::string group;
  Kind kind;
  std::vector<Pid> members;  // one for each membership
};

struct GroupMonitor {
  Ref ref;
  GroupMembers members;
};

// From now on the caller gets a GroupChange for each join and leave, until it says otherwise or
// ends. For processes; suspend, and throw CallError when the scope is gone.
GroupMonitor monitor_group(const Group& group);
// Of all groups of the scope, also of those to come. The ref.
Ref monitor_groups(GroupScopeRef scope = default_group_scope);
// After it returns no GroupChange of this monitor is in the mailbox, and none comes.
void demonitor_group(Ref ref);

}  // namespace airssys::rt
