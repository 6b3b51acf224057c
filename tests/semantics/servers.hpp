// servers.hpp: tests that start servers, and a server that does as it is told.
//
// The body of a test traps exits. What it has started with a link ends with it, so that a test
// says nothing of the end where that is not its subject. Callbacks tell the test what happens by
// messages, in the order in which it happened.
#pragma once

#include <airssys/rt.hpp>
#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/semantics/targets.hpp"

namespace airssys::rt::semantics {

class ServerRules : public support::InRuntime {
 protected:
  ServerRules() {
    options.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }

  void run(const std::function<void()>& body) {
    InRuntime::run([&body] {
      const Spawned test = spawn_monitor([&body] {
        trap_exit(true);
        body();
        exit(ExitReason::shutdown());
      });
      EXPECT_EQ(reason_of(test), ExitReason::shutdown());
    });
  }

  // How many lines of the log have this in them.
  std::ptrdiff_t logged(std::string_view part) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count_if(lines_,
                                 [part](const std::string& line) { return line.contains(part); });
  }
  std::string log_text() {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

struct Said {
  std::string what;
};

// The next so many things that were said, "a, b".
inline std::string said(int count = 1) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += receive<Said>().what;
  }
  return text;
}

inline void forget_said() {
  while (receive<Said>(Duration::zero())) {
  }
}

// Everything that has come and was not looked at, which should be nothing.
inline std::string rest_of_mail() {
  std::string text;
  while (std::optional<Message> message = receive<Message>(Duration::zero())) {
    const Said* said = message->get_if<Said>();
    text += std::string(message->type_name()) + (said ? " " + said->what : "") + "; ";
  }
  return text;
}

// Why a call was not answered.
template <class T>
CallError::Kind failure_of(const std::expected<T, CallError>& result) {
  EXPECT_FALSE(result);
  return result ? CallError::unwinding : result.error().kind();
}
template <class T>
ExitReason reason_of(const std::expected<T, CallError>& result) {
  EXPECT_FALSE(result);
  return result ? ExitReason::normal() : result.error().reason();
}

struct Gate {};

// Does in its callbacks as it was told, and says which was called.
struct Told : Server<Told> {
  using Deed = std::function<void(Told&)>;

  struct Plan {
    bool traps_exits = false;
    Deed at_init = {};
    Deed at_continue = {};
    Deed at_info = {};
    Deed at_idle = {};
    Deed at_end = {};
  };
  struct Do {
    std::string name;
    Deed deed = {};
  };
  struct Get {
    using Reply = int;
    std::function<int(Told&)> deed = [](Told&) { return 7; };
  };
  struct Later {
    using Reply = int;
    std::function<void(Told&, From<int>)> deed = [](Told& told, From<int> from) {
      told.callers.push_back(std::move(from));
    };
  };

  explicit Told(Pid to) : owner(to) {}
  Told(Pid to, Plan what) : owner(to), plan(std::move(what)) {}
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() { say("destroyed"); }

  void init() {
    trap_exit(plan.traps_exits);
    say("init");
    act(plan.at_init);
  }
  void handle_continue() {
    say("continue");
    act(plan.at_continue);
  }
  void handle(Do job) {
    say(job.name);
    act(job.deed);
  }
  int handle(const Get& get) {
    say("get");
    return get.deed(*this);
  }
  void handle(const Later& later, From<int> from) {
    say("later");
    later.deed(*this, std::move(from));
  }
  void handle_info(Message& message) {
    if (const auto* text = message.get_if<Said>()) say("info " + text->what);
    if (const auto* end = message.get_if<Exit>()) say("exit " + end->reason.to_string());
    if (const auto* down = message.get_if<Down>()) say("down " + down->reason.to_string());
    act(plan.at_info);
  }
  void handle_idle() {
    say("idle");
    act(plan.at_idle);
  }
  void terminate(const ExitReason& reason) {
    say("terminate " + reason.to_string());
    act(plan.at_end);
  }

  void say(std::string what) const { send(owner, Said{std::move(what)}); }
  void act(const Deed& deed) {
    if (deed) deed(*this);
  }
  void reply_to_all(int value) {
    for (From<int>& caller : callers) caller.reply(value);
    callers.clear();
  }

  Pid owner;
  Plan plan;
  std::vector<From<int>> callers;
};

// One that has begun.
inline ServerRef<Told> start_told(Told::Plan plan = {}) {
  const ServerRef<Told> told = start_link<Told>(self(), std::move(plan));
  EXPECT_EQ(said(2), "init, continue");
  return told;
}

}  // namespace airssys::rt::semantics
