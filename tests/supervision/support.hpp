// support.hpp: a runtime for each test, with 1, 2 and 4 schedulers, and children that obey.
//
// A test's body is a process of its own. Children tell it what they do: Up when they start, Going
// when they are asked to stop. Everything it waits for has a deadline that only a bug reaches.
#pragma once

#include <gtest/gtest.h>

#include <airssys/rt.hpp>
#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace airssys::rt {

inline void PrintTo(const ExitReason& reason, std::ostream* out) {
  *out << reason.to_string();
}
inline void PrintTo(Pid pid, std::ostream* out) {
  *out << pid.to_string();
}
inline void PrintTo(ChildState state, std::ostream* out) {
  *out << (state == ChildState::running   ? "running"
           : state == ChildState::stopped ? "stopped"
                                          : "restarting");
}

namespace test {

using namespace std::chrono_literals;

inline constexpr Duration patience = 30s;

class WithSchedulers : public testing::TestWithParam<unsigned> {
 protected:
  // Runs f as a process that traps exits, and then stops the runtime.
  template <class F>
  void run(F f) {
    Runtime runtime({.schedulers = GetParam(), .log = [this](std::string_view line) {
                       std::scoped_lock lock(mutex_);
                       lines_.emplace_back(line);
                     }});
    ExitReason end = runtime.run([&f] {
      trap_exit(true);
      f();
    });
    EXPECT_EQ(end, ExitReason::normal());
    runtime.stop(patience);
  }

  // Whether the log has a line with this in it.
  bool was_logged(std::string_view part) {
    std::scoped_lock lock(mutex_);
    return std::ranges::any_of(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

#define WITH_SCHEDULERS(suite)                                   \
  class suite : public airssys::rt::test::WithSchedulers {};     \
  INSTANTIATE_TEST_SUITE_P(on, suite, testing::Values(1, 2, 4)); \
  static_assert(true)

// --- waiting ---

template <class T>
std::optional<T> next() {
  std::optional<T> value = receive<T>(patience);
  if (!value) ADD_FAILURE() << "nothing came";
  return value;
}

// Why this process, which is linked to the test, ended.
inline ExitReason exit_of(Pid pid) {
  return receive(
      when([&](Exit& exit) { return exit.from == pid; }, [](Exit& exit) { return exit.reason; }),
      after(patience, [&] {
        ADD_FAILURE() << pid.to_string() << " did not end";
        return ExitReason::timeout();
      }));
}

// Waits until this process is gone; noproc if it was before.
inline ExitReason end_of(Pid pid) {
  MonitorRef ref = monitor(pid);
  return receive(
      when([&](Down& down) { return down.ref == ref; }, [](Down& down) { return down.reason; }),
      after(patience, [&] {
        ADD_FAILURE() << pid.to_string() << " did not end";
        return ExitReason::timeout();
      }));
}

template <class T>
bool nothing_came() {
  return !receive<T>(Duration::zero());
}

// --- children ---

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
  return [id = std::move(id), owner] {
    trap_exit(true);
    send(owner, Up{id, self()});
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
  return receive(when([&](Up& up) { return up.id == id; }, [](Up& up) { return up.pid; }),
                 after(patience, [&] {
                   ADD_FAILURE() << id << " did not come up";
                   return Pid();
                 }));
}

inline std::string next_going() {
  std::optional<Going> going = next<Going>();
  return going ? going->id : "";
}

// So many of them, in the order in which they come.
inline std::string next_goings(int count) {
  std::string ids;
  for (int i = 0; i < count; ++i) ids += next_going();
  return ids;
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

// Ends a child as if by itself and waits until it is gone.
inline void end_child(Pid pid, ExitReason reason = ExitReason::error("test")) {
  MonitorRef ref = monitor(pid);
  send(pid, End{std::move(reason)});
  receive(when([&](Down& down) { return down.ref == ref; }, [](Down&) {}),
          after(patience, [] { ADD_FAILURE() << "the child did not end"; }));
}

// A start function that waits, in the supervisor, until the test lets it go on.
struct AtGate {
  Pid supervisor;
};
struct Open {
  bool fails;
};
inline ChildSpec gated(std::string id, const ChildOptions& options = {}) {
  return child_started_by(
      std::string(id),
      [id, owner = self()] {
        send(owner, AtGate{self()});
        if (receive<Open>().fails) throw std::runtime_error("the gate said no");
        return spawn_link(obedient(id, owner));
      },
      options);
}
inline void open_gate(bool fails = false) {
  if (std::optional<AtGate> at_gate = next<AtGate>()) {
    send(at_gate->supervisor, Open{.fails = fails});
  }
}

// What `ask` answers about a supervisor whose failed restart is about to be tried again. The child
// is gated, and its supervisor on the way to the gate: the request is in its mailbox before it
// fails and posts its retry.
template <class F>
auto while_restarting(Pid supervisor, F ask) {
  std::optional<AtGate> at_gate = next<AtGate>();
  Pid asker = spawn_link([supervisor, ask, owner = self()] { send(owner, ask(supervisor)); });
  while (process_info(supervisor)->message_queue_len == 0) yield();
  send(at_gate->supervisor, Open{.fails = true});
  auto answer = next<decltype(ask(supervisor))>();
  receive(when([&](Exit& exit) { return exit.from == asker; }, [](Exit&) {}));
  return *std::move(answer);
}

}  // namespace test
}  // namespace airssys::rt
