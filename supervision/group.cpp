// group.cpp: the verbs: calls to a scope, and looks at what it has published.
#include <airssys/rt/group.hpp>
#include <airssys/rt/receive.hpp>
#include <airssys/rt/registry.hpp>
#include <airssys/rt/server.hpp>
#include <utility>

#include "supervision/group_scope.hpp"

namespace airssys::rt {

namespace {

using supervision::GroupScope;

template <class R>
std::expected<typename R::Reply, CallError> ask(Pid scope, R request) {
  return try_call(server_ref<GroupScope>(scope), std::move(request));
}

}  // namespace

// --- scopes ---

GroupScopeRef::GroupScopeRef(std::string_view name) : pid_(whereis(name).value_or(Pid())) {}

std::expected<Pid, StartError> try_start_group_scope_link(std::string_view name) {
  std::expected<ServerRef<GroupScope>, StartError> scope =
      try_start_link<GroupScope>({.name = std::string(name)});
  if (!scope) return std::unexpected(std::move(scope).error());
  return scope->pid();
}
Pid start_group_scope_link(std::string_view name) {
  return detail::value_or_throw(try_start_group_scope_link(name));
}

ChildSpec child_group_scope(std::string id, ChildOptions options) {
  if (options.start.name.empty()) options.start.name = default_group_scope;
  return child<GroupScope>(std::move(id), options);
}

// --- groups ---

const std::string& Group::name() const noexcept {
  return cell_->name;
}
Pid Group::scope() const noexcept {
  return cell_->scope;
}

std::expected<Group, CallError> try_group(std::string_view name, GroupScopeRef scope) {
  auto cell = ask(scope.pid(), GroupScope::Open{std::string(name)});
  if (!cell) return std::unexpected(std::move(cell).error());
  return Group(*std::move(cell));
}
Group group(std::string_view name, GroupScopeRef scope) {
  return detail::value_or_throw(try_group(name, scope));
}

std::expected<void, CallError> try_join(const Group& group, const std::vector<Pid>& members) {
  return ask(group.scope(), GroupScope::Join{group.name(), members});
}
void join(const Group& group, const std::vector<Pid>& members) {
  detail::value_or_throw(try_join(group, members));
}
void join(const Group& group, Pid member) {
  join(group, std::vector{member});
}

std::expected<bool, CallError> try_leave(const Group& group, Pid member) {
  return ask(group.scope(), GroupScope::Leave{group.name(), member});
}
bool leave(const Group& group, Pid member) {
  return detail::value_or_throw(try_leave(group, member));
}

std::vector<std::string> which_groups(GroupScopeRef scope) {
  return detail::value_or_throw(ask(scope.pid(), GroupScope::Which()));
}

GroupMembers members(const Group& group) {
  return group.cell().read();
}

// --- hearing of changes ---

GroupMonitor monitor_group(const Group& group) {
  return detail::value_or_throw(ask(group.scope(), GroupScope::Monitor{self(), group.name()}));
}
Ref monitor_groups(GroupScopeRef scope) {
  return detail::value_or_throw(ask(scope.pid(), GroupScope::MonitorAll{self()}));
}
void demonitor_group(Ref ref) {
  // One whose scope is gone has nothing more to say.
  static_cast<void>(ask(ref.owner, GroupScope::Demonitor{ref}));
  bool is_there = true;
  while (is_there) {
    is_there = receive(when([&](GroupChange& change) { return change.ref == ref; },
                            [](GroupChange&) { return true; }),
                       after(Duration::zero(), [] { return false; }));
  }
}

}  // namespace airssys::rt
