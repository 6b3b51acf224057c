// children.hpp: children of supervisors that say what happens to them and do as they are told.
//
// A child tells its owner, the test: Up when it has started, Going when it is asked to stop. End
// makes it end as if by itself. A gated one waits in its start function, which runs in the
// supervisor, until the test lets it go on: so a test decides what meets a busy supervisor.
#pragma once

#include <gtest/gtest.h>

#include <airssys/rt.hpp>
#include <expected>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace airssys::rt {

inline void PrintTo(ChildState state, std::ostream* out) {
  *out << (state == ChildState::running   ? "running"
           : state == ChildState::stopped ? "stopped"
                                          : "restarting");
}

namespace support {

struct Up {
  std::string id;
  Pid pid;
};
struct Going {
  std::string id;
  ExitReason reason;
};
struct End {
  ExitReason reason;
};

// Says Up, waits for its end; when asked to stop, says Going and ends as it was asked to.
inline auto obedient(std::string id, Pid owner = self()) {
  return [id = std::move(id), owner](Starter starter) {
    trap_exit(true);
    send(owner, Up{id, self()});
    starter.acknowledge();
    receive([](End end) { exit(end.reason); },
            [&](Exit asked) {
              send(owner, Going{id, asked.reason});
              exit(asked.reason);
            });
  };
}
inline ChildSpec worker(std::string id, const ChildOptions& options = {}) {
  auto body = obedient(id);
  return child(std::move(id), std::move(body), options);
}

// The pid with which this child has come up.
inline Pid up(std::string_view id) {
  return receive(when([&](Up& up) { return up.id == id; }, [](Up& up) { return up.pid; }));
}

// So many ids, in the order in which they come.
inline std::string next_ups(int count) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += receive<Up>().id;
  return ids;
}
inline std::string next_goings(int count) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += receive<Going>().id;
  return ids;
}

// Ends a child as if by itself and waits until it is gone: what it tells by its links is told.
inline void end_child(Pid pid, ExitReason reason = ExitReason::error("test")) {
  const MonitorRef ref = monitor(pid);
  send(pid, End{std::move(reason)});
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}));
}

// "c:running b:stopped a:running", as which_children orders them.
inline std::string children_of(SupervisorRef supervisor) {
  std::string text;
  for (const ChildInfo& child : which_children(supervisor)) {
    if (!text.empty()) text += ' ';
    text += child.id + ':' + testing::PrintToString(child.state);
  }
  return text;
}

// --- the gate ---

struct AtGate {
  Pid supervisor;
};
struct Open {
  bool fails = false;
};
inline ChildSpec gated(std::string id, const ChildOptions& options = {}) {
  auto body = obedient(id);
  return child_started_by(
      std::move(id),
      [body = std::move(body), owner = self()] {
        send(owner, AtGate{self()});
        if (receive<Open>().fails) throw std::runtime_error("the gate said no");
        return start_body_link(body);
      },
      options);
}
inline void open_gate(Open open = {}) {
  send(receive<AtGate>().supervisor, open);
}

// Runs f, which is to ask this supervisor, as a process of its own, and returns when the request
// stands in the mailbox of the supervisor, which has to be at its gate.
template <class F>
Pid ask_at_gate(Pid supervisor, F f) {
  const std::size_t before = process_info(supervisor)->message_queue_len;
  const Pid asker = spawn(std::move(f));
  while (process_info(supervisor)->message_queue_len == before) yield();
  return asker;
}

// What `ask` answers about a supervisor whose failed restart is about to be tried again. The child
// is gated, and its supervisor on the way to the gate: the request is in its mailbox before it
// fails and posts its retry.
template <class F>
auto while_restarting(Pid supervisor, F ask) {
  const AtGate at_gate = receive<AtGate>();
  ask_at_gate(supervisor, [supervisor, ask, owner = self()] { send(owner, ask(supervisor)); });
  send(at_gate.supervisor, Open{.fails = true});
  return receive<decltype(ask(supervisor))>();
}

}  // namespace support
}  // namespace airssys::rt
