// supervisor.cpp: the public verbs: calls to a supervisor's process that wait as long as it takes.
#include <airssys/rt/registry.hpp>
#include <airssys/rt/supervisor.hpp>
#include <memory>
#include <utility>

#include "supervision/child_spec.hpp"
#include "supervision/dynamic_children.hpp"
#include "supervision/ordered_children.hpp"
#include "supervision/supervisor_server.hpp"

namespace airssys::rt {

namespace {

using supervision::check_period;
using supervision::SupervisorServer;

template <class R>
std::expected<typename R::Reply, CallError> ask(SupervisorRef supervisor, R request) {
  return try_call(server_ref<SupervisorServer>(supervisor.pid()), std::move(request), infinite);
}

// Why it did not answer, as either kind of error: both have words for it.
template <class E>
E unanswered(const CallError& error) {
  const auto kind = [&error] {
    switch (error.kind()) {
      case CallError::circle:
        return E::circle;
      case CallError::calling_self:
        return E::calling_self;
      case CallError::overloaded:
        return E::overloaded;
      case CallError::unwinding:
        return E::unwinding;
      default:
        return E::no_supervisor;
    }
  };
  return {kind(), error.reason(), error.what()};
}

// For requests whose reply is an expected value, and for those whose reply cannot fail.
template <class R>
R::Reply ask_for_expected(SupervisorRef supervisor, R request) {
  auto reply = ask(supervisor, std::move(request));
  if (!reply) return std::unexpected(unanswered<ChildError>(reply.error()));
  return *std::move(reply);
}
template <class R>
std::expected<typename R::Reply, ChildError> ask_for_value(SupervisorRef supervisor, R request) {
  auto reply = ask(supervisor, std::move(request));
  if (!reply) return std::unexpected(unanswered<ChildError>(reply.error()));
  return *std::move(reply);
}

std::expected<Pid, StartError> start_server_link(const StartOptions& start,
                                                 std::unique_ptr<supervision::Children> children) {
  std::expected<ServerRef<SupervisorServer>, StartError> supervisor =
      try_start_link<SupervisorServer>(start, start.name, std::move(children));
  if (!supervisor) return std::unexpected(std::move(supervisor).error());
  return supervisor->pid();
}

// Its own name, if it says one, goes before that of its child specification.
void set_name(StartOptions& start, const auto& options) {
  if (options.name.empty()) return;
  start.name = options.name;
  start.registry = options.registry;
}

std::expected<Pid, StartError> start_supervisor(SupervisorOptions options, StartOptions start) {
  if (auto checked = check_period(options.period); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (auto checked = check_childspecs(options.children, options.auto_shutdown); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  set_name(start, options);
  return start_server_link(start,
                           std::make_unique<supervision::OrderedChildren>(std::move(options)));
}

std::expected<Pid, StartError> start_dynamic_supervisor(DynamicSupervisorOptions options,
                                                        StartOptions start) {
  if (auto checked = check_period(options.period); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  set_name(start, options);
  return start_server_link(start,
                           std::make_unique<supervision::DynamicChildren>(std::move(options)));
}

}  // namespace

SupervisorRef::SupervisorRef(std::string_view name) : pid_(whereis(name).value_or(Pid())) {}

// --- starting ---

std::expected<Pid, StartError> try_start_supervisor_link(SupervisorOptions options) {
  return start_supervisor(std::move(options), {});
}
Pid start_supervisor_link(SupervisorOptions options) {
  return detail::value_or_throw(try_start_supervisor_link(std::move(options)));
}
std::expected<Pid, StartError> try_start_dynamic_supervisor_link(DynamicSupervisorOptions options) {
  return start_dynamic_supervisor(std::move(options), {});
}
Pid start_dynamic_supervisor_link(DynamicSupervisorOptions options) {
  return detail::value_or_throw(try_start_dynamic_supervisor_link(std::move(options)));
}

ChildSpec child_supervisor(std::string id, SupervisorOptions options, ChildOptions child) {
  child.type = ChildType::supervisor;
  return detail::make_child(
      std::move(id), child, [options = std::move(options), start = child.start] {
        return start_supervisor(options, start);
      });
}
ChildSpec child_dynamic_supervisor(std::string id,
                                   DynamicSupervisorOptions options,
                                   ChildOptions child) {
  child.type = ChildType::supervisor;
  return detail::make_child(
      std::move(id), child, [options = std::move(options), start = child.start] {
        return start_dynamic_supervisor(options, start);
      });
}

// --- asking ---

std::expected<Pid, StartError> try_start_child(SupervisorRef supervisor, ChildSpec spec) {
  auto reply = ask(supervisor, SupervisorServer::StartChild{std::move(spec)});
  if (!reply) return std::unexpected(unanswered<StartError>(reply.error()));
  return *std::move(reply);
}
Pid start_child(SupervisorRef supervisor, ChildSpec spec) {
  return detail::value_or_throw(try_start_child(supervisor, std::move(spec)));
}

std::expected<void, ChildError> try_terminate_child(SupervisorRef supervisor, std::string_view id) {
  return ask_for_expected(supervisor, SupervisorServer::TerminateChild{std::string(id)});
}
void terminate_child(SupervisorRef supervisor, std::string_view id) {
  detail::value_or_throw(try_terminate_child(supervisor, id));
}

std::expected<void, ChildError> try_terminate_child(SupervisorRef supervisor, Pid pid) {
  return ask_for_expected(supervisor, SupervisorServer::TerminateChildByPid{pid});
}
void terminate_child(SupervisorRef supervisor, Pid pid) {
  detail::value_or_throw(try_terminate_child(supervisor, pid));
}

std::expected<void, ChildError> try_delete_child(SupervisorRef supervisor, std::string_view id) {
  return ask_for_expected(supervisor, SupervisorServer::DeleteChild{std::string(id)});
}
void delete_child(SupervisorRef supervisor, std::string_view id) {
  detail::value_or_throw(try_delete_child(supervisor, id));
}

std::expected<Pid, ChildError> try_restart_child(SupervisorRef supervisor, std::string_view id) {
  return ask_for_expected(supervisor, SupervisorServer::RestartChild{std::string(id)});
}
Pid restart_child(SupervisorRef supervisor, std::string_view id) {
  return detail::value_or_throw(try_restart_child(supervisor, id));
}

std::expected<std::vector<ChildInfo>, ChildError> try_which_children(SupervisorRef supervisor) {
  return ask_for_value(supervisor, SupervisorServer::WhichChildren());
}
std::vector<ChildInfo> which_children(SupervisorRef supervisor) {
  return detail::value_or_throw(try_which_children(supervisor));
}

std::expected<ChildCounts, ChildError> try_count_children(SupervisorRef supervisor) {
  return ask_for_value(supervisor, SupervisorServer::CountChildren());
}
ChildCounts count_children(SupervisorRef supervisor) {
  return detail::value_or_throw(try_count_children(supervisor));
}

std::expected<ChildSpec, ChildError> try_get_childspec(SupervisorRef supervisor,
                                                       std::string_view id) {
  return ask_for_expected(supervisor, SupervisorServer::GetChildSpec{std::string(id)});
}
ChildSpec get_childspec(SupervisorRef supervisor, std::string_view id) {
  return detail::value_or_throw(try_get_childspec(supervisor, id));
}

std::expected<ChildSpec, ChildError> try_get_childspec(SupervisorRef supervisor, Pid pid) {
  return ask_for_expected(supervisor, SupervisorServer::GetChildSpecByPid{pid});
}
ChildSpec get_childspec(SupervisorRef supervisor, Pid pid) {
  return detail::value_or_throw(try_get_childspec(supervisor, pid));
}

}  // namespace airssys::rt
