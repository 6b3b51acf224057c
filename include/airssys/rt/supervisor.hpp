// supervisor.hpp: supervisors: processes that start, watch, restart and stop others.
//
// A supervisor starts its children in order and stops them in reverse order. When one ends, its
// specification and the supervisor's strategy say who is started again; when that happens more than
// `intensity` times within `period`, the supervisor gives up: it stops its children and ends with
// `shutdown`, which is its own supervisor's business (V28, V39). A dynamic supervisor starts with
// no children and is meant for many of a kind that come and go, such as connections (V23).
//
// All verbs here are for processes and suspend: they are calls to the supervisor, which answers
// when it is done. The `try_` verbs answer their error, the others throw it.
#pragma once

#include <airssys/rt/child.hpp>
#include <airssys/rt/error.hpp>
#include <airssys/rt/pid.hpp>
#include <airssys/rt/time.hpp>
#include <airssys/rt/via.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace airssys::rt {

// Who is restarted along with a child that ended (V30, V31).
enum class Strategy : std::uint8_t {
  one_for_one,   // nobody
  rest_for_one,  // those that were started after it
  one_for_all,   // all others
};

// Whether the end of significant children, by themselves and for good, ends the supervisor (V37).
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

struct SupervisorOptions {
  std::string name = {};
  std::shared_ptr<Registry> registry = {};  // as in StartOptions
  Strategy strategy = Strategy::one_for_one;
  unsigned intensity = 1;  // restarts within `period`; one more, and the supervisor ends
  Duration period = std::chrono::seconds(5);  // more than zero
  AutoShutdown auto_shutdown = AutoShutdown::never;
  std::vector<ChildSpec> children = {};
};

struct DynamicSupervisorOptions {
  std::string name = {};
  std::shared_ptr<Registry> registry = {};
  unsigned intensity = 1;
  Duration period = std::chrono::seconds(5);
  std::size_t max_children = std::numeric_limits<std::size_t>::max();
};

// A supervisor, by pid or by the name that it has now.
class SupervisorRef {
 public:
  SupervisorRef(Pid pid) noexcept : pid_(pid) {}  // NOLINT(google-explicit-constructor)
  SupervisorRef(std::string_view name);           // NOLINT(google-explicit-constructor)
  SupervisorRef(const char* name)                 // NOLINT(google-explicit-constructor)
      : SupervisorRef(std::string_view(name)) {}
  SupervisorRef(Registry& registry, std::string_view name)  // in a registry of one's own (N10)
      : pid_(registry.whereis_name(name).value_or(Pid())) {}
  Pid pid() const noexcept { return pid_; }

 private:
  Pid pid_;
};

enum class ChildState : std::uint8_t {
  running,
  stopped,     // its specification is kept, and it does not run
  restarting,  // its restart has failed and is about to be tried again (V33)
};

struct ChildInfo {
  std::string id;
  Pid pid;  // null unless it is running
  ChildType type = ChildType::worker;
  ChildState state = ChildState::running;
};

struct ChildCounts {
  std::size_t specs = 0;
  std::size_t active = 0;  // alive
  std::size_t supervisors = 0;
  std::size_t workers = 0;
};

// Why a supervisor did not do what was asked of it.
class ChildError : public ProcessError {
 public:
  enum Kind : std::uint8_t {
    not_found,      // no such child
    running,        // the child runs
    restarting,     // its restart is under way
    not_started,    // restart_child: its start failed again, reason() says why
    by_pid_only,    // a dynamic supervisor's children are known by pid
    no_supervisor,  // the supervisor is gone, or never was one
    circle,         // it waits for the caller: what() names them (G7)
    calling_self,   // the caller is that supervisor
    overloaded,     // its mailbox is full
    unwinding,      // the caller is being ended (Z3)
  };

  ChildError(Kind kind, ExitReason reason, std::string what)
      : ProcessError(std::move(reason), std::move(what)), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

// Whether a supervisor with this auto_shutdown would take these: ids given and different, a way to
// start, repeatable unless temporary, no negative shutdown, significant only where that can count
// (V5). The error is bad_spec and names the child, or its place in the list, and the field. Any
// thread; does not suspend.
std::expected<void, StartError> check_childspecs(const std::vector<ChildSpec>& children,
                                                 AutoShutdown auto_shutdown = AutoShutdown::never);

// Starts a supervisor, linked to the caller, and its children, one after the other (V8). If one
// fails, those before it are stopped again and the error's reason is shutdown("failed to start
// child ...") (V9).
Pid start_supervisor_link(SupervisorOptions options);
[[nodiscard]] std::expected<Pid, StartError> try_start_supervisor_link(SupervisorOptions options);
Pid start_dynamic_supervisor_link(DynamicSupervisorOptions options);
[[nodiscard]] std::expected<Pid, StartError> try_start_dynamic_supervisor_link(
    DynamicSupervisorOptions options);

// A supervisor as a child. It starts from these options each time: children that were added to it
// later are not made again (V39). Its shutdown should be infinity, which it is unless said.
ChildSpec child_supervisor(std::string id, SupervisorOptions options, ChildOptions child = {});
ChildSpec child_dynamic_supervisor(std::string id,
                                   DynamicSupervisorOptions options,
                                   ChildOptions child = {});

// Adds a child, last in order, and starts it (V20). Answers its pid; a null pid if it chose not to
// run. If its start fails its specification is not kept, and the StartError, which names the child,
// is of kind `error` unless `timeout` or `bad_spec` says more; if its name was taken, pid() says
// who has it. already_started, already_present: a child with this id is there.
Pid start_child(SupervisorRef supervisor, ChildSpec spec);
[[nodiscard]] std::expected<Pid, StartError> try_start_child(SupervisorRef supervisor,
                                                             ChildSpec spec);

// Stops a child as its shutdown says (V13), and waits until it is gone. Its specification is kept,
// unless it is temporary. Not an error if it does not run; a restart that is under way is given up.
void terminate_child(SupervisorRef supervisor, std::string_view id);
[[nodiscard]] std::expected<void, ChildError> try_terminate_child(SupervisorRef supervisor,
                                                                  std::string_view id);
// Of a dynamic supervisor: by pid; the specification goes with the child. A pid that is dead
// already is not an error (V23).
void terminate_child(SupervisorRef supervisor, Pid pid);
[[nodiscard]] std::expected<void, ChildError> try_terminate_child(SupervisorRef supervisor,
                                                                  Pid pid);

// Forgets a child that does not run (V22).
void delete_child(SupervisorRef supervisor, std::string_view id);
[[nodiscard]] std::expected<void, ChildError> try_delete_child(SupervisorRef supervisor,
                                                               std::string_view id);

// Starts a child that does not run, in its old place. A null pid if it chose not to run (V22).
Pid restart_child(SupervisorRef supervisor, std::string_view id);
[[nodiscard]] std::expected<Pid, ChildError> try_restart_child(SupervisorRef supervisor,
                                                               std::string_view id);

// All children, the latest started first (V24); a dynamic supervisor's in no order.
std::vector<ChildInfo> which_children(SupervisorRef supervisor);
[[nodiscard]] std::expected<std::vector<ChildInfo>, ChildError> try_which_children(
    SupervisorRef supervisor);

ChildCounts count_children(SupervisorRef supervisor);
[[nodiscard]] std::expected<ChildCounts, ChildError> try_count_children(SupervisorRef supervisor);

// The specification of a child, with every default filled in (V3).
ChildSpec get_childspec(SupervisorRef supervisor, std::string_view id);
[[nodiscard]] std::expected<ChildSpec, ChildError> try_get_childspec(SupervisorRef supervisor,
                                                                     std::string_view id);
// Of a dynamic supervisor: by pid (V23).
ChildSpec get_childspec(SupervisorRef supervisor, Pid pid);
[[nodiscard]] std::expected<ChildSpec, ChildError> try_get_childspec(SupervisorRef supervisor,
                                                                     Pid pid);

}  // namespace airssys::rt
