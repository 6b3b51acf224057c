// machines.hpp: a state machine that does as each event says and tells its owner of everything it
// is called for. Its tests compare the stories it tells with what the rules say.
#pragma once

#include <airssys/rt.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tests/semantics/servers.hpp"

namespace airssys::rt::semantics {

struct Script : StateMachine<Script> {
  enum class State { a, b };
  using enum State;
  using Deed = std::function<void(Script&)>;

  struct Do {  // anything, in any state
    std::string name;
    Deed deed = {};
  };
  struct Note {  // made by the machine itself
    std::string name;
  };
  struct OnlyInB {};
  struct Ask {
    using Reply = std::string;
    Deed deed = {};
  };
  struct Wait {  // answered when somebody uses `waiting`
    using Reply = std::string;
  };
  struct Own {
    std::unique_ptr<int> value;
  };

  Script(Pid to, Deed at_init = {}, Deed at_enter = {})
      : init_deed(std::move(at_init)), enter_deed(std::move(at_enter)), owner(to) {}

  State init() {
    if (init_deed) init_deed(*this);
    return a;
  }
  void enter(State now, State old) {
    say("enter " + name(old) + name(now));
    if (enter_deed) enter_deed(*this);
  }
  void handle(State, const Do& event) { did(event.name, event.deed); }
  void handle(State, const Note& event) { did(event.name); }
  void handle(In<b>, OnlyInB) { did("b's own"); }
  void handle(State, StateTimeout) { did("state timeout"); }
  void handle(State, EventTimeout) { did("event timeout"); }
  void handle(State, const NamedTimeout& timeout) { did(timeout.name); }
  std::string handle(State, const Ask& ask) {
    did("ask", ask.deed);
    return "in " + name(state());
  }
  void handle(State, const Wait&, From<std::string> from) {
    waiting = std::move(from);
    did("wait");
  }
  void handle(State, Own own) {
    did("own " + std::to_string(*own.value));
    postpone();
  }
  void handle_info(State, Message& message) {
    if (const auto* seen = message.get_if<Said>()) did("info " + seen->what);
    if (info_deed) std::exchange(info_deed, {})(*this);
  }
  void terminate(const ExitReason& reason) { say("terminate " + reason.to_string()); }

  void did(const std::string& what, const Deed& deed = {}) {
    say(what + "@" + name(state()));
    if (deed) deed(*this);
  }
  void say(std::string what) { send(owner, Said{std::move(what)}); }
  static std::string name(State state) { return state == a ? "a" : "b"; }

  // A handler's verbs, for the deeds.
  using StateMachine::cancel_named_timeout;
  using StateMachine::cancel_state_timeout;
  using StateMachine::event_timeout;
  using StateMachine::named_timeout;
  using StateMachine::next_event;
  using StateMachine::next_state;
  using StateMachine::postpone;
  using StateMachine::repeat_state;
  using StateMachine::state;
  using StateMachine::state_timeout;
  using StateMachine::update_named_timeout;
  using StateMachine::update_state_timeout;

  Deed init_deed;
  Deed enter_deed;
  Deed info_deed;
  From<std::string> waiting;
  Pid owner;
};

using State = Script::State;
using enum State;
using Do = Script::Do;
using Note = Script::Note;

inline void postpone_it(Script& script) {
  script.postpone();
}

// Tells the machine to say "done" and answers everything that came before that.
inline std::string story(ServerRef<Script> script) {
  cast(script, Do{"done"});
  std::string text;
  for (;;) {
    const std::string what = said();
    if (what.starts_with("done@")) return text;
    if (!text.empty()) text += ", ";
    text += what;
  }
}

inline ServerRef<Script> start_script(Script::Deed at_init = {}, Script::Deed at_enter = {}) {
  return start_link<Script>(self(), std::move(at_init), std::move(at_enter));
}
inline ServerRef<Script> entered_script() {
  ServerRef<Script> script = start_script();
  EXPECT_EQ(said(), "enter aa");
  return script;
}

// Lets all that was sent before it reach the mailbox while the machine is in a handler.
inline void hold(ServerRef<Script> script) {
  cast(script, Do{"hold", [](Script&) { receive<Gate>(); }});
  EXPECT_TRUE(said().starts_with("hold@"));
}
inline void let_go(ServerRef<Script> script) {
  send(script.pid(), Gate());
}

}  // namespace airssys::rt::semantics
