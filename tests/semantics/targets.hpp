// targets.hpp: processes that tests link to, watch and shoot at, and the news of their ends.
//
// Many of them crash on purpose, so the runtime of these tests keeps its reports to itself.
#pragma once

#include <airssys/rt.hpp>
#include <string_view>
#include <utility>

#include "tests/support/ends.hpp"
#include "tests/support/in_runtime.hpp"
#include "tests/support/stress.hpp"

namespace airssys::rt::semantics {

using support::end_of;
using support::exit_of;
using support::reason_in_down;
using support::reason_of;
using support::round_count;
using support::rounds;
using support::stagger;
using support::stress_size;

class QuietRules : public support::InRuntime {
 protected:
  QuietRules() {
    options.log = [](std::string_view) {};
  }
};

struct Ready {};
struct Go {};

// A process that ends with normal when it gets Go.
inline Spawned spawn_target(const SpawnOptions& options = {}) {
  return spawn_monitor(options, [] { receive<Go>(); });
}

// The same, and it traps exits: each one is sent on to the caller as an Exit.
inline Spawned spawn_trapping_target() {
  const Spawned target = spawn_monitor([tester = self()] {
    trap_exit(true);
    send(tester, Ready());
    for (bool is_over = false; !is_over;)
      receive([&](Exit exit) { send(tester, std::move(exit)); }, [&](Go) { is_over = true; });
  });
  receive<Ready>();
  return target;
}

inline ExitReason end(const Spawned& target) {
  send(target.pid, Go());
  return reason_of(target);
}

// Nothing of a link is left to come: what was on its way stands before the answer.
inline void expect_no_exit(Pid other) {
  is_alive(other);
  EXPECT_FALSE(receive<Exit>(Duration::zero()));
}

inline Pid spawn_dead() {
  const Spawned process = spawn_monitor([] {});
  reason_of(process);
  return process.pid;
}

}  // namespace airssys::rt::semantics
